"""Panic, the dead man's switch and the way back, on a real OBS."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kitsu.protocol import (
    ControlPanic,
    HubStopping,
    ObsOutcome,
    ObsRestore,
    ObsRun,
    ObsSetUp,
    ObsSwitch,
    Panic,
    PanicConfirmed,
    PanicUnconfirmed,
    ServiceError,
    ServiceHealth,
    ShowLevels,
    now_us,
)
from kitsu_obs import keeper
from kitsu_obs.performing import ask_for
from tests.fakes.hub import FakeHub
from tests.fakes.obs_studio import Witness, need_obs, obs_studio
from tests.integration.obs_stage import SAFE, linked, stage

PLAN = """\
panic:
  keep: [Music]
  filters: [{source: Scene, filter: Dark}]
  stop: [record]
...
"""
SLOW = """\
presets:
  slow: [{do: transition, transition: Fade, duration_ms: 3000}, {do: scene, scene: Gaming}]
...
"""


@pytest.fixture(autouse=True)
def _obs() -> None:
    need_obs()


async def transition(witness: Witness) -> tuple[str, int]:
    now = await witness.ask("GetCurrentSceneTransition")
    return now["transitionName"], now["transitionDuration"]


RED, GREEN = 0xFF0000FF, 0xFF00FF00  # OBS: alpha, blue, green, red


async def recorded(witness: Witness) -> str:
    """The colour of the last picture of a short recording."""
    mark = len(witness.events)
    await witness.ask("StartRecord")
    await witness.saw("RecordStateChanged", after=mark, outputState="OBS_WEBSOCKET_OUTPUT_STARTED")
    await asyncio.sleep(0.5)  # of film
    file = (await witness.ask("StopRecord"))["outputPath"]
    await witness.saw("RecordStateChanged", after=mark, outputState="OBS_WEBSOCKET_OUTPUT_STOPPED")
    ffmpeg = await asyncio.create_subprocess_exec(
        *("ffmpeg", "-v", "error", "-i", file, "-vf", "scale=1:1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"),
        stdout=asyncio.subprocess.PIPE,
    )
    pictures, _ = await ffmpeg.communicate()
    red, green, _blue = pictures[-3:]
    return "red" if red > 200 > 60 > green else "green" if green > 200 > 60 > red else f"{red} {green}"


async def override(witness: Witness) -> str | None:
    return (await witness.ask("GetSceneSceneTransitionOverride", sceneName=SAFE))["transitionName"]


async def test_panic_and_the_exact_way_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path, monkeypatch) as on:
        await on.witness.ask("SetCurrentProgramScene", sceneName="Gaming")
        await on.witness.ask("SetInputMute", inputName="Music", inputMuted=True)
        await on.witness.saw("CurrentProgramSceneChanged", sceneName="Gaming")
        before = await transition(on.witness)

        await on.panic()
        confirmed = await on.hub.expect(PanicConfirmed, panic_id="p1")
        assert confirmed.exit == "obs"
        assert 0 < confirmed.latency_ms < 500
        assert confirmed.detail.startswith(f"{SAFE} on air after")
        assert await on.witness.scene() == SAFE
        assert await on.witness.muted("Mic")
        assert await transition(on.witness) == before
        assert (await on.order(ObsSwitch(scene="Gaming"))).code == "obs_held"
        assert (await on.order(ObsRestore())).code == "obs_held"

        await on.resume()
        await on.state(held="", scene="Gaming")
        assert await on.witness.scene() == "Gaming"
        assert not await on.witness.muted("Mic")
        assert await on.witness.muted("Music")  # it was muted before
        assert await transition(on.witness) == before
        assert await override(on.witness) is None


async def test_already_on_the_safe_scene_is_confirmed_by_the_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(tmp_path, monkeypatch) as on:
        await on.witness.ask("SetCurrentProgramScene", sceneName=SAFE)
        await on.witness.saw("CurrentProgramSceneChanged", sceneName=SAFE)
        await on.panic()
        confirmed = await on.hub.expect(PanicConfirmed, panic_id="p1")
        assert "was on air already" in confirmed.detail
        await on.panic()  # pressed again: confirmed again, and the way back stays what it was
        await on.hub.expect(PanicConfirmed, panic_id="p1")
        await on.resume()
        await on.state(held="")
        assert await on.witness.scene() == SAFE


async def test_panic_overtakes_a_slow_transition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path, monkeypatch, presets=SLOW) as on:
        await on.hub.send(ObsRun(preset="slow"))
        await on.witness.saw("SceneTransitionStarted")
        await on.panic()
        confirmed = await on.hub.expect(PanicConfirmed, panic_id="p1")
        assert confirmed.latency_ms < 500
        assert await on.witness.scene() == SAFE


async def test_what_viewers_get_is_the_safe_scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what OBS says, but what it records: panic in the middle of a fade, the way back, and panic again."""
    async with stage(tmp_path, monkeypatch, presets=SLOW) as on:
        for scene, colour in ((SAFE, RED), ("Gaming", GREEN), ("Scene", GREEN)):
            await on.witness.ask(
                "CreateInput",
                sceneName=scene,
                inputName=f"colour of {scene}",
                inputKind="color_source_v3",
                inputSettings={"color": colour, "width": 640, "height": 360},
            )
        await on.hub.send(ObsRun(preset="slow"))
        await on.witness.saw("SceneTransitionStarted")
        for panic_id, back in (("p1", True), ("p2", False)):
            await on.panic(panic_id)
            await on.hub.expect(PanicConfirmed, panic_id=panic_id)
            assert await recorded(on.witness) == "red"
            if back:
                await on.resume()
                await on.state(held="", scene="Gaming")
                assert await recorded(on.witness) == "green"


async def test_the_plan_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path, monkeypatch, presets=PLAN) as on:
        await on.witness.ask(
            "CreateSourceFilter", sourceName="Scene", filterName="Dark", filterKind="color_filter_v2", filterSettings={}
        )
        await on.witness.ask("SetSourceFilterEnabled", sourceName="Scene", filterName="Dark", filterEnabled=False)
        await on.witness.ask("StartRecord")
        await on.state(recording=True)
        await on.panic()
        await on.hub.expect(PanicConfirmed, panic_id="p1")
        await on.witness.saw("RecordStateChanged", outputState="OBS_WEBSOCKET_OUTPUT_STOPPED")
        assert not await on.witness.muted("Music")
        dark = await on.witness.ask("GetSourceFilter", sourceName="Scene", filterName="Dark")
        assert dark["filterEnabled"]
        await on.resume()
        await on.state(held="", recording=True)
        dark = await on.witness.ask("GetSourceFilter", sourceName="Scene", filterName="Dark")
        assert not dark["filterEnabled"]
        await on.witness.ask("StopRecord")


async def test_without_a_safe_scene_panic_is_red_at_once_and_still_mutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(tmp_path, monkeypatch, [("obs.safe_scene", "Nowhere")]) as on:
        await on.panic()
        red = await on.hub.expect(PanicUnconfirmed, panic_id="p1", timeout_s=5)
        assert red.exit == "obs"
        assert "scene Nowhere" in red.detail
        assert await on.witness.muted("Mic")
        await on.resume()
        await on.state(held="")
        assert not await on.witness.muted("Mic")


async def test_a_panic_while_obs_is_away_is_red_and_done_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(tmp_path, monkeypatch) as on:
        await on.obs.stop()  # saved as it is
        await on.state(connected=False)
        await on.panic()
        assert "OBS" in (await on.hub.expect(PanicUnconfirmed, panic_id="p1", timeout_s=5)).detail
        await on.obs.start()
        await on.hub.expect(PanicConfirmed, panic_id="p1")
        async with on.obs.witness() as witness:
            assert await witness.scene() == SAFE
            await on.resume()
            await on.state(held="", scene="Scene")
            assert await witness.scene() == "Scene"


async def test_a_panic_on_a_frozen_obs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked of it happens when it thaws; it must find the way back all the same."""
    async with stage(tmp_path, monkeypatch, [("obs.timeout_s", 0.5)]) as on:
        on.obs.freeze()
        await on.panic()
        await on.hub.expect(PanicUnconfirmed, panic_id="p1", timeout_s=5)
        on.obs.thaw()
        await on.hub.expect(PanicConfirmed, panic_id="p1")
        assert await on.witness.scene() == SAFE
        await on.resume()
        await on.state(held="", scene="Scene")
        assert await on.witness.scene() == "Scene"
        assert not await on.witness.muted("Mic")


async def test_a_new_input_is_muted_while_panic_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path, monkeypatch) as on:
        await on.panic()
        await on.hub.expect(PanicConfirmed, panic_id="p1")
        await on.witness.ask("CreateInput", sceneName=SAFE, inputName="Late", inputKind="ffmpeg_source")
        await on.witness.saw("InputMuteStateChanged", inputName="Late", inputMuted=True)
        await on.resume()
        await on.witness.saw("InputMuteStateChanged", inputName="Late", inputMuted=False)


async def test_a_worker_that_restarts_in_a_panic_knows_the_way_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(tmp_path, monkeypatch) as on:
        await on.witness.ask("SetCurrentProgramScene", sceneName="Gaming")
        await on.witness.saw("CurrentProgramSceneChanged", sceneName="Gaming")
        panic = await on.panic()
        await on.hub.expect(PanicConfirmed, panic_id="p1")
        async with FakeHub() as second:
            second.levels = ShowLevels(panic=panic)
            async with linked(tmp_path / "home", monkeypatch, second, on.obs):
                await second.expect(PanicConfirmed, panic_id="p1")
        async with FakeHub() as third:
            third.levels = ShowLevels(mode="live", panic=None, resumed_at=now_us())  # resumed while it was away
            async with linked(tmp_path / "home", monkeypatch, third, on.obs):
                await on.witness.saw("CurrentProgramSceneChanged", sceneName="Gaming", after=len(on.witness.events))
        assert not await on.witness.muted("Mic")


async def test_the_launchers_order_works_without_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path, monkeypatch) as on:
        panic = {"panic_id": "p9", "pressed_at": now_us(), "by": "page"}
        for odd in ({"verb": "panic"}, {"verb": "panic", "panic": {"panic_id": 1}}, {"verb": "dance"}):
            on.worker.process.on_order(odd)
        on.worker.process.on_order({"verb": "panic", "panic": panic})
        await on.witness.saw("CurrentProgramSceneChanged", sceneName=SAFE)
        await on.hub.expect(PanicConfirmed, panic_id="p9")
        await on.resume()
        await on.state(held="", scene="Scene")
        on.worker.process.on_order({"verb": "panic", "panic": panic})  # it comes late, by the slower path
        assert (await on.order(ObsSwitch(scene="Gaming"))).code == ""


async def test_hub_and_launcher_tell_of_one_panic_and_obs_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    async def counting(*arguments: Any) -> None:
        nonlocal asked
        asked += 1
        await ask_for(*arguments)

    monkeypatch.setattr(keeper, "ask_for", counting)
    async with stage(tmp_path, monkeypatch) as on:
        panic = Panic(panic_id="p1", pressed_at=now_us(), by="page")
        on.worker.process.on_order({"verb": "panic", "panic": msgspec.to_builtins(panic)})
        while not asked:  # noqa: ASYNC110 - the moment in which the second word comes
            await asyncio.sleep(0)
        on.worker.handle(ControlPanic(panic=panic), None)
        await on.hub.expect(PanicConfirmed, panic_id="p1")
        assert (await on.order(ObsSwitch(scene="Gaming"))).code == "obs_held"  # by now a second round would have begun
        assert asked == 1


async def test_a_hub_that_is_lost_takes_obs_to_the_safe_scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path, monkeypatch, [("obs.hub_grace_s", 0.3)]) as on:
        await on.hub.close()
        await on.witness.saw("CurrentProgramSceneChanged", sceneName=SAFE)
        assert await on.witness.muted("Mic")
        on.hub.forget()
        await on.hub.open()
        state = await on.state(held="alone")
        assert "kitsu obs restore" in state.reason
        assert (await on.order(ObsSwitch(scene="Gaming"))).code == "obs_held"
        assert await on.witness.scene() == SAFE  # the hub alone does not restore it
        assert (await on.order(ObsRestore())).code == ""
        await on.state(held="", scene="Scene")
        assert await on.witness.scene() == "Scene"


@pytest.mark.parametrize("announced", [True, False])
async def test_a_planned_or_short_absence_switches_nothing(
    announced: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(tmp_path, monkeypatch, [("obs.hub_grace_s", 0.2 if announced else 30)]) as on:
        if announced:
            await on.hub.send(HubStopping())
        on.hub.forget()
        await on.hub.close()
        with pytest.raises(TimeoutError):
            await on.witness.saw("CurrentProgramSceneChanged", timeout_s=0.8)
        await on.hub.open()
        await on.state(held="", scene="Scene")
        await on.hub.close()
        if announced:  # the announcement was for once
            await on.witness.saw("CurrentProgramSceneChanged", sceneName=SAFE)


async def test_a_broken_way_back_is_told_and_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home" / "data").mkdir(parents=True)
    (tmp_path / "home" / "data" / "obs_hold.json").write_text('{"why": "panic", "undo": [{"do": "explode"}]}')
    async with (
        obs_studio(tmp_path / "obs") as obs,
        FakeHub() as hub,
        linked(tmp_path / "home", monkeypatch, hub, obs),
    ):
        error = await hub.expect(ServiceError, code="obs_hold_lost")
        assert "obs_hold.json" in error.message


async def test_setup_makes_what_is_missing_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        obs_studio(tmp_path / "obs") as obs,
        FakeHub() as hub,
        obs.witness() as witness,
        linked(tmp_path / "home", monkeypatch, hub, obs),
    ):
        while "kitsu obs setup" not in (await hub.expect(ServiceHealth)).reason:
            pass
        url = "http://127.0.0.1:8100/overlay#key=abc"

        async def set_up(*, apply: bool) -> dict[str, str]:
            order = ObsSetUp(apply=apply, overlay_url=url)
            await hub.send(order)
            outcome = await hub.expect(ObsOutcome, parent_id=order.id)
            assert outcome.code == "", outcome.message
            return {step.step: step.state for step in outcome.steps}

        planned = await set_up(apply=False)
        assert set(planned.values()) == {"planned", "skipped"}  # Debian's OBS has no browser source
        assert planned["source Kitsu Overlay in Kitsu"] == "skipped"
        assert len((await witness.ask("GetSceneList"))["scenes"]) == 1
        made = await set_up(apply=True)
        assert set(made.values()) == {"done", "skipped"}
        items = await witness.ask("GetSceneItemList", sceneName="Kitsu Safe")
        assert [item["sourceName"] for item in items["sceneItems"]] == ["Kitsu Safe Text"]
        assert set((await set_up(apply=True)).values()) == {"already", "skipped"}
        await asyncio.wait_for(_ok(hub), 5)


async def _ok(hub: FakeHub) -> None:
    while (await hub.expect(ServiceHealth)).state != "ok":
        pass
