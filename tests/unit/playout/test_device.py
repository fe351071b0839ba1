"""A sound device as a sink, on a stand-in for PortAudio's stream."""

from typing import Any

import numpy as np
import pytest

from kitsu.errors import EngineError
from kitsu.soundcard import Device
from kitsu.soundcard.stream import DEAF_S, Backend
from kitsu_playout.device import BLOCK, FADE, DeviceSink, open_device

BOX = Device(number=3, name="Box", host="ALSA", channels=2, rate_hz=48_000.0, default=False)


class Speaker:
    """Pulls blocks as PortAudio does."""

    latency = 0.01
    active = True

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.running = False

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.running = False

    def close(self) -> None:
        pass

    def pull(self, status: str = "") -> np.ndarray:  # type: ignore[type-arg]
        buffer = bytearray(b"\x55" * BLOCK * 2)
        self.options["callback"](buffer, BLOCK, None, status)
        return np.frombuffer(bytes(buffer), np.int16)


class Clock:
    """Time that stands still."""

    now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(clock: Clock) -> tuple[DeviceSink, Speaker]:
    speakers: list[Speaker] = []

    def open_stream(**options: Any) -> Speaker:
        speakers.append(Speaker(**options))
        return speakers[0]

    return DeviceSink(BOX, Backend(open_stream, (OSError,)), clock), speakers[0]


def test_plays_what_it_gets_and_silence_otherwise(opened: tuple[DeviceSink, Speaker]) -> None:
    sink, speaker = opened
    assert speaker.running
    assert speaker.options["device"] == 3
    assert not speaker.pull().any()
    assert (sink.state, sink.position()) == ("idle", 0), "silence is no position"
    sink.play(1000, np.full(300, 7, np.int16))
    assert np.all(speaker.pull() == 7)
    tail = speaker.pull()
    assert np.all(tail[:60] == 7)
    assert not tail[60:].any()
    assert sink.state == "running"
    assert sink.position() == 1300 - round((0.01 + BLOCK / 48_000) * 48_000)


def test_a_flush_fades_and_is_short(opened: tuple[DeviceSink, Speaker]) -> None:
    sink, speaker = opened
    sink.play(0, np.full(4800, 9000, np.int16))
    speaker.pull()
    assert sink.flush() < 0.03
    tail = speaker.pull()
    assert 0 < tail[0] <= 9000
    assert np.abs(np.diff(tail.astype(int))).max() < 9000 / FADE + 2
    assert not tail[FADE:].any()
    assert not speaker.pull().any()
    assert sink.flush() == 0
    sink.play(4800, np.full(BLOCK, 5, np.int16))
    assert np.all(speaker.pull() == 5)


def test_underruns_are_counted_and_the_queue_is_bounded(opened: tuple[DeviceSink, Speaker]) -> None:
    sink, speaker = opened
    speaker.pull("output underflow")
    assert sink.underruns == 1
    for index in range(100):
        sink.play(index * 4800, np.ones(4800, np.int16))
    pulled = sum(int(speaker.pull().any()) for _ in range(400))
    assert pulled == 200


def test_a_device_that_asks_for_nothing_any_more_is_gone(opened: tuple[DeviceSink, Speaker], clock: Clock) -> None:
    sink, speaker = opened
    clock.now += DEAF_S - 0.1
    assert sink.active
    speaker.pull()
    clock.now += DEAF_S - 0.1
    assert sink.active
    clock.now += 0.2
    assert not sink.active


def test_a_driver_that_fails_when_it_is_asked_means_gone_and_closing_it_harms_nobody(clock: Clock) -> None:
    class Broken(Speaker):
        @property
        def active(self) -> bool:  # type: ignore[override]
            raise OSError("Unanticipated host error")

        def stop(self) -> None:
            raise OSError("Invalid stream pointer")

    sink = DeviceSink(BOX, Backend(Broken, (OSError,)), clock)
    assert not sink.active
    sink.close()


@pytest.mark.parametrize("where", ["open", "start"])
def test_a_device_that_cannot_be_opened_is_a_typed_error(where: str) -> None:
    class Busy(Speaker):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            if where == "open":
                raise OSError("Device unavailable")

        def start(self) -> None:
            raise OSError("Device unavailable")

    with pytest.raises(EngineError) as caught:
        DeviceSink(BOX, Backend(Busy, (OSError,)))
    assert (caught.value.code, caught.value.retryable) == ("device_failed", True)
    assert "Box, ALSA" in caught.value.message


def test_a_name_that_no_machine_has() -> None:
    with pytest.raises(EngineError) as caught:
        open_device("no such device 4711")
    assert caught.value.code in ("sound_missing", "device_missing")
