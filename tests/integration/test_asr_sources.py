"""Where sound comes from: a browser by way of the hub, and a microphone that is pulled out; and what files say."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from kitsu.protocol import (
    AsrDropped,
    AsrFinal,
    AsrListen,
    AsrLook,
    AsrMute,
    AsrPrepare,
    AsrSpeech,
    AsrState,
    AsrTalk,
    AsrTranscribe,
    AsrTranscript,
    AsrUse,
    AsrUsing,
    ControlPanic,
    MicAudio,
    MicClosed,
    MicOpened,
    Panic,
    PlayoutReference,
    ServiceError,
    ServiceHealth,
)
from kitsu_asr.pcm import Samples, to_s16
from kitsu_asr.worker import AsrWorker
from tests.fakes import sound_module
from tests.fakes.hub import FakeHub, joined
from tests.fakes.speech import noise, silence, speak, wav

ENABLED = ("asr.enabled", True)
CONV = "page:abc"


@asynccontextmanager
async def ears(folder: Path, monkeypatch: pytest.MonkeyPatch, *settings: tuple[str, object]) -> AsyncIterator[FakeHub]:
    async with FakeHub() as hub, joined(AsrWorker, hub, folder, monkeypatch, [ENABLED, *settings]):
        await hub.expect(ServiceHealth, state="ok")
        yield hub


async def ready(hub: FakeHub) -> None:
    async with asyncio.timeout(20):
        while not (await hub.expect(AsrState)).ears.engine:
            pass


async def say(hub: FakeHub, sound: Samples, *, mic: str = "mic-1", rate_hz: int = 16_000, at: int = 0) -> int:
    """As the door sends it, but ten times as fast; returns the position after it."""
    step = rate_hz // 50
    for start in range(0, len(sound), step):
        piece = sound[start : start + step]
        await hub.send(MicAudio(conv=CONV, mic=mic, position=at + start, rate_hz=rate_hz), to_s16(piece))
        await asyncio.sleep(0.002)
    return at + len(sound)


async def test_a_browser_speaks_in_its_own_conversation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ears(tmp_path, monkeypatch) as hub:
        await hub.send(MicOpened(conv=CONV, mic="mic-1", label="a browser"))
        await hub.send(MicOpened(conv=CONV, mic="mic-1", label="a browser"))  # the door says it again and again
        said = np.concatenate((silence(0.5), await speak("this is a test and then we go home"), silence(1.5)))
        await say(hub, np.repeat(said, 3), rate_hz=48_000)
        final = await hub.expect(AsrFinal)
        assert (final.conv, final.source_id, final.speaker.role) == (CONV, "mic-1", "host")
        assert {"this", "is", "test"} & set(final.text.split())
        await hub.send(AsrLook())
        (source,) = hub.all(AsrState)[-1].ears.sources
        assert (source.kind, source.conv, source.state, source.label) == ("browser", CONV, "listening", "a browser")
        await hub.send(MicClosed(conv=CONV, mic="mic-1"))
        assert not (await hub.expect(AsrState, parent_id="")).ears.trouble


async def test_one_that_leaves_in_the_middle_of_a_word_is_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ears(tmp_path, monkeypatch) as hub:
        await hub.send(MicOpened(conv=CONV, mic="mic-1"))
        await say(hub, (await speak("this is a test"))[:16_000])
        started = await hub.expect(AsrSpeech, state="started")
        await hub.send(MicClosed(conv=CONV, mic="mic-1"))
        dropped = await hub.expect(AsrDropped)
        assert (dropped.utterance, dropped.reason) == (started.utterance, "source_lost")


async def test_one_that_stops_sending_ends_its_utterance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ears(tmp_path, monkeypatch) as hub:
        await hub.send(MicOpened(conv=CONV, mic="mic-1"))
        await say(hub, await speak("this is a test"))
        await hub.expect(AsrFinal)


async def test_orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ears(tmp_path, monkeypatch) as hub:
        await hub.send(MicOpened(conv=CONV, mic="mic-1"))
        await hub.send(AsrPrepare(name="Kitsu", scenes=("Gaming",)))
        said = np.concatenate((await speak("this is a test"), silence(1.5)))
        await hub.send(AsrMute(muted=True))
        position = await say(hub, said)
        await hub.send(AsrMute(muted=False))
        await hub.send(AsrListen(conv=CONV, mode="push_to_talk"))
        position = await say(hub, said, at=position)
        await hub.send(AsrTalk(conv=CONV, pressed=True))
        position = await say(hub, said, at=position)
        assert not hub.all(AsrFinal)
        await hub.send(AsrTalk(conv=CONV, pressed=False))
        final = await hub.expect(AsrFinal)
        assert final.addressed
        assert len({speech.utterance for speech in hub.all(AsrSpeech)}) == 1
        await hub.send(AsrListen(conv=CONV, mode="open"))
        await say(hub, said[:16_000], at=position)
        await hub.send(ControlPanic(panic=Panic(panic_id="p", pressed_at=1, by="test"), gens={}))
        assert (await hub.expect(AsrDropped)).reason == "panic"


@pytest.mark.parametrize("rate_hz", [0, -1, 7_999, 1_000_000, 2**62])
async def test_a_wrong_rate_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rate_hz: int) -> None:
    async with ears(tmp_path, monkeypatch) as hub:
        await hub.send(MicOpened(conv=CONV, mic="mic-1"))
        await hub.send(MicAudio(conv=CONV, mic="mic-1", position=0, rate_hz=rate_hz), bytes(640))
        assert (await hub.expect(ServiceError)).code == "bad_rate"


async def test_hostile_sound_and_messages_leave_the_ears_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ears(tmp_path, monkeypatch) as hub:
        await hub.send(MicAudio(conv=CONV, mic="nobody", position=0, rate_hz=16_000), bytes(640))
        for number in range(20):
            await hub.send(MicOpened(conv=CONV, mic=f"mic-{number}", label="x" * 10_000))
        assert (await hub.expect(ServiceError)).code == "too_many_microphones"
        for position in (-(2**60), 2**60, 5, 0):
            await hub.send(MicAudio(conv=CONV, mic="mic-0", position=position, rate_hz=16_000), b"\x01" * 641)
        await hub.send(MicAudio(conv=CONV, mic="mic-0", position=0, rate_hz=16_000), b"")
        for position, ahead in ((-(2**60), -1e300), (2**60, 1e300), (0, 0.0)):
            await hub.send(PlayoutReference(conv=CONV, position=position, ahead_ms=ahead), b"\xff" * 999)
        loud = np.sign(noise(2, 0)).astype(np.float32)
        await say(hub, loud, mic="mic-0")
        await say(hub, np.concatenate((silence(1), await speak("this is a test"), silence(1.5))), mic="mic-1")
        await hub.expect(AsrFinal, source_id="mic-1")


async def test_whole_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ears(tmp_path, monkeypatch) as hub:
        data = wav(np.concatenate((silence(0.5), await speak("this is a test and then we go home"))))
        half = len(data) // 2
        await hub.send(AsrTranscribe(conv=CONV, file="f1", part=0, last=False), data[:half])
        last = AsrTranscribe(conv=CONV, file="f1", part=1, last=True)
        await hub.send(last, data[half:])
        answer = await hub.expect(AsrTranscript, timeout_s=30)
        assert (answer.parent_id, answer.conv, answer.file, answer.code) == (last.id, CONV, "f1", "")
        assert {"this", "is", "test"} & set(answer.text.split())
        assert answer.words[0].start_ms >= 400
        assert answer.duration_ms == pytest.approx(half * 2 / 32, abs=20)


@pytest.mark.parametrize(
    ("pieces", "code"),
    [
        ([(0, True, b"")], "bad_sound_file"),
        ([(0, True, b"not a sound")], "bad_sound_file"),
        ([(0, True, b"OggS" + bytes(range(256)) * 20)], "bad_sound_file"),
        ([(0, True, wav(silence(0.5))[:60])], ""),
        ([(1, True, b"x")], "bad_sound_file"),
        ([(0, False, b"x"), (2, True, b"x")], "bad_sound_file"),
    ],
)
async def test_hostile_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: list[tuple[int, bool, bytes]], code: str
) -> None:
    async with ears(tmp_path, monkeypatch) as hub:
        for part, last, data in pieces:
            await hub.send(AsrTranscribe(file="f", part=part, last=last), data)
        answer = await hub.expect(AsrTranscript, timeout_s=30)
        assert (answer.code, answer.text) == (code, "")


@pytest.fixture
def microphones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sounddevice module of our own, here and in the process that lists."""
    folder = sound_module.install(tmp_path / "modules")
    monkeypatch.setenv("PYTHONPATH", sound_module.first(folder))
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    return folder


async def test_a_microphone_that_is_pulled_out_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, microphones: Path
) -> None:
    monkeypatch.setattr("kitsu.soundcard.kept.RETRY_S", 0.1)
    said = np.concatenate((silence(0.5), await speak("this is a test and then we go home"), silence(1.5)))
    sound_module.speak_into(microphones, 0, to_s16(said))
    async with ears(tmp_path, monkeypatch, ("asr.device", "Microphone")) as hub:
        final = await hub.expect(AsrFinal, conv="stage", source_id="device")
        assert final.text
        sound_module.unplug(microphones, 0)
        assert (await hub.expect(ServiceError)).code == "microphone_lost"
        assert "gone" in (await hub.expect(ServiceHealth, state="degraded")).reason
        sound_module.unplug(microphones)
        await hub.expect(ServiceHealth, state="ok")
        await hub.expect(AsrFinal, conv="stage", source_id="device")


async def test_choosing_another_microphone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, microphones: Path) -> None:
    async with ears(tmp_path, monkeypatch) as hub:
        look = AsrLook()
        await hub.send(look)
        state = (await hub.expect(AsrState, parent_id=look.id)).ears
        assert state.there == ("Microphone, ALSA",)
        for device, code in (("nothing like it", "device_missing"), ("microphone", ""), ("", "")):
            order = AsrUse(device=device)
            await hub.send(order)
            using = await hub.expect(AsrUsing, parent_id=order.id)
            assert using.code == code
        assert using.device == ""
