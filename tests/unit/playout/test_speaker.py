"""The sound device of a running show, exchanged and pulled out, on a module that stands in for PortAudio."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from kitsu import soundcard
from kitsu.errors import EngineError
from kitsu.protocol import SinkClosed, SinkOpened, SinkPosition
from kitsu.soundcard import kept
from kitsu_playout import speaker
from kitsu_playout.device import DeviceSink, open_device
from kitsu_playout.speaker import SinkNews, Speaker
from tests.fakes import sound_module

ALSA, JACK = "Headphones, ALSA", "Headphones, JACK"


@pytest.fixture
def sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The stand-in, for this process and for those that ask for the list."""
    folder = sound_module.install(tmp_path / "modules")
    monkeypatch.setenv("PYTHONPATH", sound_module.first(folder))
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(soundcard, "LIST_S", 20.0)
    monkeypatch.setattr(kept, "RETRY_S", 0.02)
    monkeypatch.setattr(speaker, "REPORT_S", 0.01)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    yield folder
    sys.modules.pop("sounddevice", None)


@dataclass
class Listener:
    """What a speaker told."""

    news: list[SinkNews] = field(default_factory=list)
    lost: list[EngineError] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not true():
                self.changed.clear()
                await self.changed.wait()

    def sinks(self) -> list[str]:
        """Opened and closed, in order."""
        kinds = {SinkOpened: "opened", SinkClosed: "closed"}
        return [kinds[type(one)] for one in self.news if type(one) in kinds]


@asynccontextmanager
async def running(
    chosen: str = "", open_sink: Callable[[str], DeviceSink] = open_device
) -> AsyncIterator[tuple[Speaker, Listener]]:
    listener = Listener()

    def hear(news: SinkNews) -> None:
        listener.news.append(news)
        listener.changed.set()

    made = Speaker(hear, listener.changed.set, listener.lost.append, open_sink)
    task = asyncio.create_task(made.run(chosen))
    try:
        yield made, listener
    finally:
        task.cancel()
        await asyncio.wait({task})
        await made.close()


async def test_another_device_at_once(sound: Path) -> None:
    async with running("jack") as (device, listener):
        await listener.until(lambda: device.state.playing == JACK)
        assert device.state.chosen == JACK, "a part of a name becomes the whole one"
        device.play(0, np.full(2400, 7, np.int16))
        await listener.until(lambda: any(isinstance(one, SinkPosition) and one.position for one in listener.news))
        await device.use("2")
        assert (device.state.chosen, device.state.playing, device.trouble) == (ALSA, ALSA, "")
        device.play(2400, np.full(2400, 9, np.int16))
        await listener.until(lambda: len(sound_module.heard(sound, 2)) >= 4800)
        assert set(np.frombuffer(sound_module.heard(sound, 2), np.int16)) <= {0, 9}
        assert set(np.frombuffer(sound_module.heard(sound, 1), np.int16)) <= {0, 7}
        assert listener.sinks() == ["opened", "closed", "opened"]
        await device.use("default")
        assert (device.state.chosen, device.state.playing) == ("default", ALSA)
        await device.use("")
        assert (device.state.chosen, device.state.playing) == ("", "")
        assert device.flush() == 0


@pytest.mark.parametrize(
    ("name", "code"),
    [("Speakers", "device_missing"), ("0", "device_missing"), ("99", "device_missing"), ("3", "device_failed")],
)
async def test_a_device_that_is_not_there_or_busy_changes_nothing(sound: Path, name: str, code: str) -> None:
    async with running("jack") as (device, listener):
        await listener.until(lambda: device.state.playing == JACK)
        with pytest.raises(EngineError) as caught:
            await device.use(name)
        assert caught.value.code == code
        await listener.until(lambda: device.state.playing == JACK)
        assert (device.state.chosen, device.trouble) == (JACK, "")
        if code == "device_missing":
            assert JACK in caught.value.message
            assert listener.sinks() == ["opened"], "a wrong name does not even interrupt"


async def test_a_device_that_is_pulled_out_is_told_and_comes_back_by_itself(sound: Path) -> None:
    async with running("jack") as (device, listener):
        await listener.until(lambda: device.state.playing == JACK)
        sound_module.unplug(sound, 1)
        await listener.until(lambda: device.trouble)
        assert [error.code for error in listener.lost] == ["device_lost"]
        assert JACK in listener.lost[0].message
        assert (device.state.chosen, device.state.playing) == (JACK, "")
        assert listener.sinks() == ["opened", "closed"]
        sound_module.unplug(sound)
        await listener.until(lambda: device.state.playing == JACK)
        assert device.trouble == ""


async def test_the_list_is_fresh_while_something_plays(sound: Path) -> None:
    sound_module.unplug(sound, 2)
    async with running("jack") as (device, listener):
        await listener.until(lambda: device.state.playing)
        await device.look()
        assert ALSA not in device.state.there
        sound_module.unplug(sound)
        await asyncio.gather(device.look(), device.look())
        assert (device.state.there[:2], device.state.default) == ((JACK, ALSA), ALSA)
        await device.use("alsa")
        assert device.state.playing == ALSA
        assert listener.lost == []


async def test_a_choice_that_is_said_again_waits_for_its_device(sound: Path) -> None:
    sound_module.unplug(sound, 2)
    async with running() as (device, listener):
        await device.use(ALSA, again=True)
        assert device.state.chosen == ALSA
        await listener.until(lambda: "is not there" in device.trouble)
        sound_module.unplug(sound)
        await listener.until(lambda: device.state.playing == ALSA)
        await device.use(ALSA, again=True)
        assert listener.sinks() == ["opened"], "it plays already"


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (sound_module.NOT_INSTALLED, "sound_missing"),
        (sound_module.NO_PORTAUDIO, "sound_missing"),
        (sound_module.CRASHES, "sound_crashed"),
        ("raise RuntimeError('Error initializing PortAudio')", "sound_failed"),
    ],
)
async def test_without_a_sound_system_a_choice_is_refused_and_said_why(sound: Path, source: str, code: str) -> None:
    sound_module.install(sound, source)
    async with running() as (device, _):
        with pytest.raises(EngineError) as caught:
            await device.use("headphones")
        assert caught.value.code == code
        assert (device.state.chosen, device.trouble) == ("", "")
        assert device.state.trouble == caught.value.message


async def test_a_driver_that_hangs_costs_nobody_else_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "OPEN_S", 0.05)
    monkeypatch.setattr(kept, "RETRY_S", 5.0)
    free, closed = threading.Event(), threading.Event()

    class Late:
        label = "Late"

        def close(self) -> None:
            closed.set()

    def hang(name: str) -> DeviceSink:
        free.wait(20)
        return Late()  # type: ignore[return-value]

    async with running("Late", hang) as (device, listener):
        await listener.until(lambda: device.trouble)
        assert "did not open" in device.trouble
        free.set()
        assert await asyncio.to_thread(closed.wait, 20), "what opened when nobody waited is closed again"
        assert listener.sinks() == []
