"""The worker between a hub and a VTube Studio, each on a real socket, with the real pyvts."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from kitsu.protocol import (
    BodyDirect,
    ControlPanic,
    ControlResume,
    Message,
    Panic,
    PanicConfirmed,
    PlayoutFinished,
    PlayoutFrame,
    PlayoutProgress,
    SegmentHeard,
    ServiceHealth,
    ShowLevels,
    SinkFlush,
    VisemeAt,
    VisemeName,
    VtsDone,
    VtsExpress,
    VtsReset,
    VtsState,
)
from kitsu.worker import Worker
from kitsu_vts.worker import VtsWorker
from tests.fakes.hub import ON_AIR, FakeHub, joined
from tests.fakes.vtube_studio import FakeVTubeStudio, owl

FRAME = 960  # samples: 20 ms


@dataclass
class Rig:
    """A hub, the worker, and a VTube Studio."""

    hub: FakeHub
    studio: FakeVTubeStudio
    worker: Worker
    folder: Path

    async def state(self, **fields: Any) -> VtsState:
        """The next state of the link that looks like this."""
        return await self.hub.expect(VtsState, **fields)

    async def health(self, state: str, says: str = "", timeout_s: float = 2.0) -> ServiceHealth:
        """The next health of this kind; within the time in which the operator must know."""
        async with asyncio.timeout(timeout_s):
            while says not in (found := await self.hub.expect(ServiceHealth, state=state)).reason:
                pass
        return found

    async def order(self, order: Message) -> VtsDone:
        """What becomes of an order."""
        await self.hub.send(order)
        return await self.hub.expect(VtsDone, parent_id=order.id)

    async def speak(
        self,
        *shapes: VisemeName,
        turn: str = "t1",
        segment: int = 0,
        gen: int = 1,
        begin: int = 0,
        expression: str = "",
        action: str = "",
    ) -> int:
        """One segment of 20 ms a shape, all of its frames ahead, as an offline clock would. Returns its end."""
        ids = {"conv": "stage", "turn_id": turn, "gen": gen}
        if expression or action:
            await self.hub.send(BodyDirect(**ids, segment=segment, expression=expression, action=action))  # type: ignore[arg-type]
        for index, shape in enumerate(shapes):
            await self.hub.send(
                PlayoutFrame(
                    **ids,  # type: ignore[arg-type]
                    sink="",
                    position=begin + index * FRAME,
                    samples=FRAME,
                    segment=segment,
                    visemes=(VisemeAt(at=0, viseme=shape),),
                ),
                b"",
            )
        return begin + len(shapes) * FRAME


@asynccontextmanager
async def rig(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *settings: tuple[str, object],
    levels: ShowLevels = ON_AIR,
    studio: FakeVTubeStudio | None = None,
    connected: bool = True,
) -> AsyncIterator[Rig]:
    async with studio or FakeVTubeStudio() as vts, FakeHub() as hub:
        hub.levels, hub.gens = levels, {"stage": 1}
        wanted = (("vts.enabled", "true"), ("vts.port", vts.port), *settings)
        async with joined(VtsWorker, hub, folder, monkeypatch, wanted) as worker:
            made = Rig(hub, vts, worker, folder)
            if connected:
                await made.state(link="connected")
                await made.health("ok")
            yield made


def moved(studio: FakeVTubeStudio) -> float:
    """The widest that the mouth was."""
    return max((values.get("MouthOpen", 0.0) for _, values in studio.injections), default=0.0)


# Permission


async def test_the_user_is_asked_once_and_told_where_to_click(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    studio = FakeVTubeStudio()
    studio.popup = "hold"
    async with rig(tmp_path, monkeypatch, studio=studio, connected=False) as made:
        assert "click Allow" in (await made.state(link="asking")).reason
        await made.health("degraded", "click Allow")
        await studio.click(allow=True)
        state = await made.state(link="connected")
        assert (state.version, state.model) == ("1.31.6", "Fox")
        assert studio.asked == ["Kitsu by Kitsu project"]
        await studio.close()
        await made.state(link="unreachable")
        await studio.open()
        await made.state(link="connected")
        assert len(studio.asked) == 1
    token = tmp_path / "secrets" / "vts_token"
    assert token.read_text(encoding="ascii").strip() in studio.tokens
    assert sys.platform == "win32" or token.stat().st_mode & 0o777 == 0o600


async def test_a_no_is_not_asked_again_until_reset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    studio = FakeVTubeStudio()
    studio.popup = "deny"
    async with rig(tmp_path, monkeypatch, studio=studio, connected=False) as made:
        assert "kitsu vts reset" in (await made.state(link="denied")).reason
        answer = await made.order(VtsReset())
        assert answer.code == "vts_asking"
        assert "click Allow" in answer.message
        await made.state(link="denied")
        assert len(studio.asked) == 2
        studio.popup = "allow"
        await made.order(VtsReset())
        await made.state(link="connected")
        assert (await made.order(VtsReset())).confirmed_by == "model state"
        assert len(studio.asked) == 3


async def test_a_revoked_token_is_told_and_asked_for_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch) as made:
        made.studio.popup = "hold"
        made.studio.revoke()
        await made.health("degraded", "does not let Kitsu in")
        await made.state(link="asking")
        await made.studio.click(allow=True)
        await made.state(link="connected")
        await made.speak("aa", "aa", "aa", "aa", "aa", "sil")
        await made.studio.until(lambda: moved(made.studio) > 0.5)


# The mouth


async def test_the_mouth_follows_what_is_heard_and_comes_to_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path, monkeypatch, ("vts.rate_hz", 60)) as made:
        await made.speak(*["aa"] * 10, *["PP"] * 10, *["ou"] * 10)
        await made.studio.until(lambda: made.studio.value("MouthOpen") > 0.9)
        await made.studio.until(lambda: made.studio.value("MouthOpen") < 0.1)
        await made.studio.until(lambda: 0.3 < made.studio.value("MouthOpen") < 0.5)
        await made.studio.until(lambda: made.studio.injections[-1][1]["MouthOpen"] == 0.0)
        await made.studio.until(lambda: not made.studio.parameters.held("MouthOpen"))  # VTube Studio has it back
        assert made.studio.now() - made.studio.injections[-1][0] >= 1.0
        assert made.studio.value("MouthOpen") == 0.0
        times = [at for at, _ in made.studio.injections]
        assert max(b - a for a, b in pairwise(times)) < 1.0


async def test_progress_says_where_the_audience_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sink that is far behind: the mouth waits for it."""
    async with rig(tmp_path, monkeypatch) as made:
        await made.speak(*["sil"] * 50, *["aa"] * 50)
        for _ in range(3):
            heard = SegmentHeard(segment=0, chars=0, samples=52 * FRAME, total_samples=100 * FRAME)
            await made.hub.send(
                PlayoutProgress(conv="stage", turn_id="t1", gen=1, heard=heard, position_ms=1040, buffered_ms=960)
            )
        began = time.monotonic()
        await made.studio.until(lambda: made.studio.value("MouthOpen") > 0.8)
        assert time.monotonic() - began < 0.6  # without that word it would have been a second


async def test_private_conversations_move_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch) as made:
        frame = PlayoutFrame(
            conv="page:1",
            turn_id="p",
            gen=1,
            sink="",
            position=0,
            samples=FRAME * 20,
            visemes=(VisemeAt(at=0, viseme="aa"),),
        )
        await made.hub.send(frame, b"")
        await made.order(VtsExpress(word="smile"))  # comes after it, and is done
        assert moved(made.studio) == 0.0


async def test_settings_choose_parameters_and_unknown_ones_are_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mouth = ("vts.mouth", "VoiceVolumePlusMouthOpen=open, KitsuMouth=open, VoiceA=a, no=round")
    async with rig(tmp_path, monkeypatch, mouth) as made:
        assert made.studio.parameters.all["KitsuMouth"].added_by == "Kitsu"
        await made.speak(*["aa"] * 20)
        await made.studio.until(lambda: made.studio.value("KitsuMouth") > 0.8)
        assert set(made.studio.injections[-1][1]) == {"VoiceVolumePlusMouthOpen", "KitsuMouth", "VoiceA"}
        assert made.studio.injections[-1][1]["VoiceA"] > 0.5


async def test_another_plugin_at_the_mouth_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch) as made:
        row = made.studio.parameters.all["MouthOpen"]
        row.controller, row.injected_at = "Another", made.studio.now() + 3600
        await made.speak(*["aa"] * 10)
        await made.health("degraded", "Another plugin")
        row.injected_at = 0.0
        await made.speak(*["aa"] * 200, begin=10 * FRAME)
        await made.hub.expect(ServiceHealth, state="ok", reason="", timeout_s=5)


async def test_head_and_eyes_move_when_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch, ("vts.sway", "true"), ("vts.blink", "true")) as made:
        await made.speak(*["E"] * 60)
        await made.studio.until(lambda: any(abs(v.get("FaceAngleX", 0)) > 0.3 for _, v in made.studio.injections))
        await made.studio.until(lambda: any(v.get("EyeOpenLeft", 1) < 0.7 for _, v in made.studio.injections), 8)


# Faces and gestures


async def test_faces_and_gestures_come_with_their_segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch, ("vts.rest_s", 0.3)) as made:
        made.studio.model.expressions["glasses.exp3.json"] = True  # type: ignore[union-attr]  # the streamer's
        end = await made.speak(*["aa"] * 10, expression="smile", action="wave")
        await made.speak(*["E"] * 10, segment=1, begin=end, expression="sad")
        await made.studio.until(lambda: made.studio.active() == {"glasses", "smile"})
        await made.studio.until(lambda: made.studio.triggered == ["Wave"])
        await made.studio.until(lambda: made.studio.active() == {"glasses", "Sad"})
        assert (await made.state(wearing="sad")).model == "Fox"
        await made.studio.until(lambda: made.studio.active() == {"glasses"})  # she has been silent for a while


async def test_a_toggle_is_used_as_its_expression(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch) as made:
        state = made.hub.all(VtsState, link="connected")[-1]
        assert state.words["shy"] == "expression Blush"
        assert "shake" in state.missing  # its hotkey would change the model
        await made.order(VtsExpress(word="shy"))
        await made.order(VtsExpress(word="shy"))
        assert made.studio.active() == {"cheeks"}
        assert made.studio.triggered == []


@pytest.mark.parametrize(
    ("word", "confirmed_by"),
    [
        ("smile", "expression state"),
        ("wave", "hotkey event"),
        ("wink", "expression state"),
        ("neutral", "expression state"),
    ],
)
async def test_an_order_is_confirmed_by_vtube_studio(
    word: str, confirmed_by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path, monkeypatch) as made:
        done = await made.order(VtsExpress(word=word))
        assert (done.code, done.confirmed_by) == ("", confirmed_by)
        if word == "wink":
            await made.studio.until(lambda: not made.studio.active())  # a gesture passes


async def test_a_word_that_the_model_has_nothing_for_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path, monkeypatch) as made:
        done = await made.order(VtsExpress(word="smug"))
        assert done.code == "no_such_word"
        assert "smile" in done.message


# The model


async def test_a_model_swapped_in_the_middle_of_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch) as made:
        await made.speak(*["aa"] * 150, expression="smile")
        await made.studio.until(lambda: made.studio.active() == {"smile"})
        await made.studio.load(None)
        await made.health("degraded", "no model")
        await made.studio.load(owl())
        state = await made.state(model="Owl")
        assert (state.words["wave"], state.reason) == ("hotkey wave wing", "")
        await made.studio.until(lambda: made.studio.active() == {"smile"})  # the face goes with her
        sent = len(made.studio.injections)
        await made.studio.until(lambda: len(made.studio.injections) > sent)  # and so does the mouth
        assert all(state.reason == "not connected yet" for state in made.hub.all(VtsState, link="unreachable"))


# Panic


async def test_panic_closes_the_mouth_and_takes_the_face_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch) as made:
        await made.speak(*["aa"] * 200, expression="smile")
        await made.studio.until(lambda: made.studio.value("MouthOpen") > 0.8 and made.studio.active() == {"smile"})
        await made.hub.send(ControlPanic(panic=Panic(panic_id="p1", pressed_at=5, by="test"), gens={"stage": 2}))
        confirmed = await made.hub.expect(PanicConfirmed, panic_id="p1")
        assert confirmed.exit == "vts"
        assert made.studio.value("MouthOpen") == 0.0
        assert made.studio.active() == set()
        assert confirmed.latency_ms < 150
        sent = len(made.studio.injections)
        await made.speak(*["aa"] * 10, gen=2, expression="happy")  # a late one
        assert (await made.order(VtsExpress(word="smile"))).code == "vts_panic"
        assert len(made.studio.injections) == sent
        await made.hub.send(ControlResume(levels=ShowLevels(mode="live", panic=None, resumed_at=9), gens={"stage": 3}))
        await made.speak(*["aa"] * 50, turn="t2", gen=3, expression="smile")
        await made.studio.until(lambda: made.studio.value("MouthOpen") > 0.8 and made.studio.active() == {"smile"})


async def test_panic_without_a_connection_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch) as made:
        await made.studio.close()
        await made.state(link="unreachable")
        await made.hub.send(ControlPanic(panic=Panic(panic_id="p1", pressed_at=5, by="test"), gens={"stage": 2}))
        assert "not connected" in (await made.hub.expect(PanicConfirmed, panic_id="p1")).detail


async def test_a_skip_and_a_lost_hub_close_the_mouth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch) as made:
        await made.speak(*["aa"] * 200, expression="smile")
        await made.studio.until(lambda: made.studio.value("MouthOpen") > 0.8)
        await made.hub.send(SinkFlush(conv="stage", gen=2))
        await made.studio.until(lambda: made.studio.injections[-1][1]["MouthOpen"] == 0.0)
        await made.speak(*["aa"] * 200, turn="t2", gen=2)
        await made.studio.until(lambda: made.studio.value("MouthOpen") > 0.8)
        await made.hub.drop()
        await made.studio.until(lambda: made.studio.injections[-1][1]["MouthOpen"] == 0.0 and not made.studio.active())
        await made.hub.joins(2)
        await made.speak(*["aa"] * 50, turn="t3", gen=2)
        await made.studio.until(lambda: made.studio.value("MouthOpen") > 0.8)


async def test_what_a_turn_did_not_reach_does_not_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch) as made:
        await made.hub.send(BodyDirect(conv="stage", turn_id="t1", gen=1, segment=3, expression="sad"))
        await made.hub.send(PlayoutFinished(conv="stage", turn_id="t1", gen=1, reason="played", heard=(), audio_ms=0))
        await made.speak(*["aa"] * 10, turn="t1", segment=3)
        await made.studio.until(lambda: moved(made.studio) > 0.5)
        assert made.studio.active() == set()


# Trouble


async def test_closed_and_opened_in_the_middle_of_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch) as made:
        await made.speak(*["aa"] * 300, expression="smile")
        await made.studio.until(lambda: made.studio.value("MouthOpen") > 0.8)
        await made.studio.close()
        await made.health("degraded")
        assert (await made.order(VtsExpress(word="smile"))).code == "vts_not_connected"
        await made.studio.open()
        await made.state(link="connected")
        sent = len(made.studio.injections)
        await made.studio.until(lambda: len(made.studio.injections) > sent)


async def test_a_program_that_hangs_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch) as made:
        made.studio.freeze()
        await made.health("degraded", "no answer")
        made.studio.thaw()
        await made.state(link="connected")


async def test_the_api_switched_off_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch) as made:
        made.studio.allowed = False
        await made.health("degraded", "Start API")
        made.studio.allowed = True
        await made.state(link="connected")


@pytest.mark.parametrize(
    "garbage",
    ["", "{", "[]", "null", '"x"', '{"messageType": 5}', '{"messageType": "APIError"}', b"\xff\xfe", "[" * 5000],
)
async def test_garbage_makes_a_new_connection(
    garbage: str | bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path, monkeypatch) as made:
        made.studio.instead.append(garbage)
        await made.speak(*["aa"] * 10)
        await made.health("degraded", timeout_s=3)
        await made.hub.expect(VtsState, link="connected")
        await made.speak(*["aa"] * 20, begin=10 * FRAME)
        await made.hub.expect(ServiceHealth, state="ok", reason="")


async def test_answers_of_others_and_odd_events_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path, monkeypatch) as made:
        stray = '{"messageType": "TestEvent", "requestID": "SomeID", "data": null}'
        made.studio.before.extend([stray] * 5)
        await made.speak(*["aa"] * 10)
        await made.studio.until(lambda: not made.studio.before and moved(made.studio) > 0.5)
        assert (await made.order(VtsExpress(word="smile"))).code == ""


async def test_not_configured_is_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch, ("vts.enabled", "false"), connected=False) as made:
        health = await made.health("ok")
        assert "not configured" in health.reason
        assert health.capabilities.features == ("not_configured",)
        await made.speak(*["aa"] * 3, expression="smile")
        await made.hub.send(ControlPanic(panic=Panic(panic_id="p1", pressed_at=5, by="test")))
        assert (await made.order(VtsExpress(word="smile"))).code == "vts_not_configured"
        assert made.hub.all(PanicConfirmed) == []
        assert made.studio.requests == []


async def test_nothing_moves_while_panicked_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch, levels=ShowLevels()) as made:
        await made.speak(*["aa"] * 20, expression="smile")
        assert (await made.order(VtsExpress(word="smile"))).code == "vts_panic"
        assert moved(made.studio) == 0.0
        assert made.studio.active() == set()


async def test_latency_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(tmp_path, monkeypatch) as made:
        await made.speak(*["aa"] * 10)
        await made.studio.until(lambda: moved(made.studio) > 0.5)
        assert 0 < made.worker.health().latency_ms["mouth_p50"] < 200
        await asyncio.to_thread(lambda: None)
