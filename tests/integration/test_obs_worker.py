"""The link to a real OBS: orders proven by OBS's own events; OBS killed, frozen, restarted, locked."""

import logging
import time
from pathlib import Path

import pytest

from kitsu.protocol import (
    Approved,
    ObsReset,
    ObsRun,
    ObsSwitch,
    ObsText,
    ObsWrite,
    ServiceHealth,
)
from kitsu.protocol.approved import seal
from tests.fakes.hub import SEAL_KEY, FakeHub
from tests.fakes.obs_studio import need_obs, obs_studio
from tests.integration.obs_stage import SAFE, linked, stage

TOLD_WITHIN_S = 2.0

PRESETS = """\
presets:
  break:
    - {do: transition, transition: Cut}
    - {do: scene, scene: Just Chatting}
    - {do: mute, input: Mic}
    - {do: volume, input: Music, db: -12.5}
    - {do: show, scene: Scene, source: Now, on: false}
    - {do: text, input: Now, text: Back soon}
    - {do: media, input: Music, action: stop}
  half:
    - {do: mute, input: Nobody}
    - {do: mute, input: Music}
  record:
    - {do: record}
...
"""


@pytest.fixture(autouse=True)
def _obs() -> None:
    need_obs()


def approved(text: str, *, key: bytes = SEAL_KEY) -> Approved[ObsText]:
    return Approved[ObsText](text=text, surface="obs_text", turn_id="obs", seal=seal(key, text, "obs_text", "obs"))


async def test_a_scene_is_on_air_when_obs_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path, monkeypatch) as on:
        outcome = await on.order(ObsSwitch(scene="gaming"))  # case does not matter
        assert [(one.step, one.state, one.confirmed_by) for one in outcome.steps] == [
            ("scene Gaming", "done", "CurrentProgramSceneChanged")
        ]
        assert outcome.ms > 0
        assert await on.witness.scene() == "Gaming"
        again = await on.order(ObsSwitch(scene="Gaming"))
        assert [(one.state, one.confirmed_by) for one in again.steps] == [("already", "query")]
        unknown = await on.order(ObsSwitch(scene="Gamign"))
        assert (unknown.code, unknown.message) == (
            "no_such_scene",
            "There is no scene 'Gamign'. Did you mean 'Gaming'?",
        )


async def test_the_state_follows_what_people_do_in_obs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path, monkeypatch) as on:
        await on.witness.ask("SetInputMute", inputName="Mic", inputMuted=True)
        await on.witness.ask("CreateScene", sceneName="Brand New")
        await on.witness.ask("SetCurrentProgramScene", sceneName="Brand New")
        state = await on.state(scene="Brand New", scenes=("Scene", "Gaming", "Just Chatting", SAFE, "Brand New"))
        assert {one.name: one.muted for one in state.inputs} == {"Mic": True, "Music": False}
        assert state.version.startswith("2") or state.version.startswith("3")


async def test_a_preset_is_one_batch_with_a_result_a_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path, monkeypatch, presets=PRESETS) as on:
        outcome = await on.order(ObsRun(preset="break", texts=(approved("Back soon"),)))
        assert outcome.code == "", outcome.message
        assert [one.state for one in outcome.steps] == ["done", "done", "done", "done", "done", "unproven", "done"]
        assert (await on.witness.ask("GetInputSettings", inputName="Now"))["inputSettings"]["text"] == "Back soon"
        assert round((await on.witness.ask("GetInputVolume", inputName="Music"))["inputVolumeDb"], 1) == -12.5
        assert await on.witness.muted("Mic")
        half = await on.order(ObsRun(preset="half"))
        assert half.code == "obs_step_failed"
        assert [one.state for one in half.steps] == ["failed", "done"]
        assert (await on.order(ObsRun(preset="nope"))).code == "no_such_preset"


async def test_recording_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path, monkeypatch, presets=PRESETS) as on:
        outcome = await on.order(ObsRun(preset="record"))
        assert [one.confirmed_by for one in outcome.steps] == ["RecordStateChanged"]
        await on.state(recording=True)
        await on.witness.ask("StopRecord")
        await on.state(recording=False)


async def test_text_without_the_gates_seal_never_gets_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path, monkeypatch, presets=PRESETS) as on:
        for order in (
            ObsWrite(input="Now", text=approved("evil", key=bytes(32))),
            ObsRun(preset="break"),
            ObsRun(preset="break", texts=(approved("evil", key=bytes(32)),)),
        ):
            assert (await on.order(order)).code == "bad_seal"
        assert (await on.witness.ask("GetInputSettings", inputName="Now"))["inputSettings"]["text"] == "hello"
        assert (await on.order(ObsWrite(input="Now", text=approved("fine")))).code == ""
        assert (await on.witness.ask("GetInputSettings", inputName="Now"))["inputSettings"]["text"] == "fine"


async def test_a_killed_obs_is_told_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path, monkeypatch) as on:
        on.hub.forget()
        began = time.perf_counter()
        on.obs.kill()
        health = await on.hub.expect(ServiceHealth, state="degraded")
        assert time.perf_counter() - began < TOLD_WITHIN_S
        assert "OBS" in health.reason
        refused = await on.order(ObsSwitch(scene="Gaming"))
        assert refused.code in ("obs_gone", "obs_unreachable")
        await on.obs.start()
        await on.hub.expect(ServiceHealth, state="ok")
        await on.state(connected=True)
        assert (await on.order(ObsSwitch(scene="Gaming"))).code in ("", "no_such_scene")  # a killed OBS saved nothing


async def test_a_frozen_obs_is_told_and_answers_belong_to_their_questions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(tmp_path, monkeypatch, [("obs.timeout_s", 0.5)]) as on:
        on.hub.forget()
        began = time.perf_counter()
        on.obs.freeze()
        await on.hub.expect(ServiceHealth, state="degraded")
        assert time.perf_counter() - began < TOLD_WITHIN_S
        assert (await on.order(ObsSwitch(scene="Gaming"))).code == "obs_timeout"
        on.obs.thaw()
        await on.hub.expect(ServiceHealth, state="ok")
        for scene in ("Just Chatting", "Scene", "Gaming"):
            assert (await on.order(ObsSwitch(scene=scene))).steps[0].step == f"scene {scene}"
            assert await on.witness.scene() == scene


async def test_reset_makes_a_new_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path, monkeypatch) as on:
        link = on.worker._link
        assert link is not None
        on.hub.forget()
        assert (await on.order(ObsReset())).code == ""
        await on.hub.expect(ServiceHealth, state="degraded")
        await on.hub.expect(ServiceHealth, state="ok")
        assert link.connects == 2
        assert (await on.order(ObsSwitch(scene="Gaming"))).code == ""


@pytest.mark.parametrize(("password", "why"), [("wrong", "refuses the password"), ("", "wants a password")])
async def test_a_wrong_password_is_said_and_never_logged(
    password: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with obs_studio(tmp_path / "obs") as obs, FakeHub() as hub:
        settings = [("obs.password", password), ("obs.connect", "always")]
        async with linked(tmp_path / "home", monkeypatch, hub, obs, settings):
            began = time.perf_counter()
            health = await hub.expect(ServiceHealth, state="degraded")
            while why not in health.reason:
                health = await hub.expect(ServiceHealth, state="degraded")
            assert time.perf_counter() - began < TOLD_WITHIN_S
            assert "KITSU__OBS__PASSWORD" in health.reason
    assert not [record for record in caplog.records if password and password in record.getMessage()]


async def test_the_right_password_is_in_no_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with stage(tmp_path, monkeypatch) as on:
        on.hub.forget()
        on.obs.kill()
        await on.hub.expect(ServiceHealth, state="degraded")
        assert caplog.records
        assert not [record for record in caplog.records if on.obs.password in f"{record.getMessage()} {vars(record)}"]


async def test_an_obs_without_a_safe_scene_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        obs_studio(tmp_path / "obs") as obs,
        FakeHub() as hub,
        linked(tmp_path / "home", monkeypatch, hub, obs),
    ):
        health = await hub.expect(ServiceHealth, state="degraded")
        while "kitsu obs setup" not in health.reason:
            health = await hub.expect(ServiceHealth, state="degraded")
