"""The clock's worker over a real websocket."""

import sys
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from kitsu.protocol import (
    Approved,
    Caption,
    ControlPanic,
    DeviceState,
    Panic,
    PanicConfirmed,
    PlayoutCaption,
    PlayoutClose,
    PlayoutDevices,
    PlayoutFinished,
    PlayoutFlush,
    PlayoutFlushed,
    PlayoutFrame,
    PlayoutLook,
    PlayoutOpen,
    PlayoutProgress,
    PlayoutSinks,
    PlayoutStarted,
    PlayoutUse,
    PlayoutUsing,
    ServiceError,
    ServiceHealth,
    SinkFlush,
    SinkOpened,
    TtsAudio,
    TtsFinished,
)
from kitsu.protocol.approved import seal
from kitsu.worker import Worker
from kitsu_playout.worker import PlayoutWorker
from tests.fakes import sound_module
from tests.fakes.hub import SEAL_KEY, FakeHub, joined

RATE_HZ = 24_000


@asynccontextmanager
async def playout(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *settings: tuple[str, object]
) -> AsyncIterator[tuple[FakeHub, Worker]]:
    async with FakeHub() as hub, joined(PlayoutWorker, hub, folder, monkeypatch, settings) as worker:
        yield hub, worker


async def speak(hub: FakeHub, seconds: float, *, turn: str = "t1", gen: int = 1, close: bool = True) -> None:
    """One segment as the orchestrator would send it."""
    text = "Hello there, little fox."
    ids = {"conv": "stage", "turn_id": turn, "gen": gen}
    caption = Approved[Caption](text=text, surface="caption", turn_id=turn, seal=seal(SEAL_KEY, text, "caption", turn))
    await hub.send(PlayoutOpen(**ids))  # type: ignore[arg-type]
    await hub.send(PlayoutCaption(**ids, segment=0, caption=caption))  # type: ignore[arg-type]
    total, step = round(seconds * RATE_HZ), RATE_HZ // 10
    for at in range(0, total, step):
        pcm = np.full(min(step, total - at), 8000, "<i2").tobytes()
        audio = TtsAudio(**ids, segment=0, chunk=at // step, position=at, rate_hz=RATE_HZ)  # type: ignore[arg-type]
        await hub.send(audio, pcm)
    await hub.send(
        TtsFinished(**ids, segment=0, reason="done", samples=total, rate_hz=RATE_HZ, engine="x")  # type: ignore[arg-type]
    )
    if close:
        await hub.send(PlayoutClose(**ids, segments=1))  # type: ignore[arg-type]


async def test_a_turn_to_an_overlay_and_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with playout(tmp_path, monkeypatch) as (hub, _):
        await hub.send(SinkOpened(conv="stage", sink="o1", kind="overlay"))
        await speak(hub, 0.4)
        assert (await hub.expect(PlayoutStarted)).latency_ms < 5
        finished = await hub.expect(PlayoutFinished)
        assert (finished.reason, finished.audio_ms, finished.stalls) == ("played", 400.0, 0)
        assert finished.heard[0].chars == len("Hello there, little fox.")
        frames = [f for f in hub.frames if isinstance(f.message, PlayoutFrame)]
        payload = b"".join(bytes(f.payload or b"") for f in frames)
        assert len(payload) == 0.4 * 48_000 * 2
        assert {f.message.sink for f in frames if isinstance(f.message, PlayoutFrame)} == {"o1"}
        with wave.open(str(tmp_path / "artifacts" / "turns" / finished.wav)) as file:
            assert file.readframes(file.getnframes()) == payload
        assert (await hub.expect(PlayoutSinks, sinks=hub.all(PlayoutSinks)[-1].sinks)).sinks[0].elected
        assert len(hub.all(PlayoutProgress)) >= 6
        assert len(hub.all(PlayoutFinished)) == 1


async def test_without_a_sink_frames_are_bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with playout(tmp_path, monkeypatch) as (hub, _):
        await speak(hub, 0.1)
        frame = await hub.expect_frame(PlayoutFrame)
        assert frame.payload is not None
        assert len(frame.payload) == 0
        assert (await hub.expect(PlayoutFinished)).reason == "played"


async def test_flush_is_quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with playout(tmp_path, monkeypatch) as (hub, _):
        await speak(hub, 3.0)
        await hub.expect(PlayoutProgress)
        await hub.send(PlayoutFlush(conv="stage", gen=2, reason="skip"))
        assert (await hub.expect(PlayoutFlushed)).latency_ms < 20
        finished = await hub.expect(PlayoutFinished)
        assert finished.reason == "flushed"
        assert hub.all(SinkFlush)[0].gen == 2
        with wave.open(str(tmp_path / "artifacts" / "turns" / finished.wav)) as file:
            assert file.getnframes() == finished.heard[0].samples
        count = len(hub.all(PlayoutFrame))
        await speak(hub, 0.1, turn="t2", gen=2)
        await hub.expect(PlayoutFinished, turn_id="t2")
        assert all(frame.turn_id == "t2" for frame in hub.all(PlayoutFrame)[count:])


async def test_panic_by_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with playout(tmp_path, monkeypatch) as (hub, _):
        await speak(hub, 3.0)
        await hub.expect(PlayoutStarted)
        await hub.send(ControlPanic(panic=Panic(panic_id="p1", pressed_at=5, by="test"), gens={"stage": 2}))
        confirmed = await hub.expect(PanicConfirmed, panic_id="p1")
        assert confirmed.exit == "playout"
        assert confirmed.latency_ms < 60
        assert (await hub.expect(PlayoutFinished)).reason == "panic"
        assert hub.all(SinkFlush)[0].panic_id == "p1"


async def test_panic_by_the_launcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with playout(tmp_path, monkeypatch) as (hub, worker):
        await speak(hub, 3.0)
        await hub.expect(PlayoutStarted)
        worker.process.on_order({"verb": "panic", "panic": {"nonsense": 1}})
        worker.process.on_order({"verb": "dance"})
        worker.process.on_order({"verb": "panic", "panic": {"panic_id": "p2", "pressed_at": 9, "by": "launcher"}})
        assert (await hub.expect(PanicConfirmed, panic_id="p2")).exit == "playout"
        assert (await hub.expect(PlayoutFinished)).reason == "panic"


async def test_a_lost_hub_ends_the_turn_as_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with playout(tmp_path, monkeypatch) as (hub, _):
        await speak(hub, 3.0)
        await hub.expect(PlayoutStarted)
        await hub.drop()
        await hub.joins(2)
        assert (await hub.expect(PlayoutFinished)).reason == "lost"
        await speak(hub, 0.1, turn="t2")
        assert (await hub.expect(PlayoutFinished, turn_id="t2")).reason == "played"


async def test_a_disk_that_fails_costs_the_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with playout(tmp_path, monkeypatch) as (hub, _):
        turns = tmp_path / "artifacts" / "turns"
        turns.rmdir()
        turns.write_text("in the way")
        await speak(hub, 0.1)
        finished = await hub.expect(PlayoutFinished)
        assert (finished.reason, finished.wav) == ("played", "")
        assert "could not be kept" in finished.wav_error


async def test_forged_and_odd_messages_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with playout(tmp_path, monkeypatch) as (hub, _):
        await hub.send(PlayoutOpen(conv="stage", turn_id="t1", gen=1))
        forged = Approved[Caption](text="x", surface="caption", turn_id="t1", seal="00")
        await hub.send(PlayoutCaption(conv="stage", turn_id="t1", gen=1, segment=0, caption=forged))
        assert (await hub.expect(ServiceError)).code == "bad_seal"
        await hub.send(PlayoutSinks(sinks=()))
        assert (await hub.expect(ServiceError)).code == "unexpected_message"


async def test_a_configured_device_that_is_missing_only_degrades(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kitsu.soundcard.kept.RETRY_S", 0.05)
    async with playout(tmp_path, monkeypatch, ("playout.device", "no such device 4711")) as (hub, _):
        await hub.expect(ServiceHealth, state="degraded")
        await speak(hub, 0.1)
        assert (await hub.expect(PlayoutFinished)).reason == "played"


async def test_a_device_is_chosen_refused_and_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = sound_module.install(tmp_path / "modules")
    monkeypatch.setenv("PYTHONPATH", sound_module.first(folder))
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr("kitsu.soundcard.kept.RETRY_S", 0.05)
    monkeypatch.setattr("kitsu.soundcard.LIST_S", 20.0)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    try:
        async with playout(tmp_path, monkeypatch) as (hub, _):
            assert (await hub.expect(PlayoutDevices)).device == DeviceState()
            await hub.send(look := PlayoutLook())
            there = (await hub.expect(PlayoutDevices, parent_id=look.id)).device.there
            assert there[:2] == ("Headphones, JACK", "Headphones, ALSA")

            await hub.send(order := PlayoutUse(device="jack"))
            assert (await hub.expect(PlayoutUsing, parent_id=order.id)).device == "Headphones, JACK"
            await hub.send(SinkOpened(conv="stage", sink="o1", kind="overlay"))
            await speak(hub, 0.2)
            await hub.expect(PlayoutFinished, turn_id="t1")
            assert {frame.sink for frame in hub.all(PlayoutFrame)} == {"device"}
            assert len(sound_module.heard(folder, 1)) >= 0.19 * 48_000 * 2

            for wrong in ("Speakers", "\x1b[3J", "9" * 50, "../../etc"):
                await hub.send(order := PlayoutUse(device=wrong))
                answer = await hub.expect(PlayoutUsing, parent_id=order.id)
                assert (answer.code, answer.device) == ("device_missing", "Headphones, JACK")

            sound_module.unplug(folder, 1)
            assert (await hub.expect(ServiceError)).code == "device_lost"
            assert "is not there" in (await hub.expect(ServiceHealth, state="degraded")).reason
            await speak(hub, 0.1, turn="t2")
            await hub.expect(PlayoutFinished, turn_id="t2")
            assert {frame.sink for frame in hub.all(PlayoutFrame) if frame.turn_id == "t2"} == {"o1"}
            sound_module.unplug(folder)
            await hub.expect(PlayoutDevices, device=hub.all(PlayoutDevices)[-1].device)
            await hub.send(PlayoutUse(device=""))
            assert (await hub.expect(PlayoutUsing, device="")).code == ""
    finally:
        sys.modules.pop("sounddevice", None)
