"""A sound device as a sink, on a stand-in for PortAudio's stream."""

from typing import Any

import numpy as np
import pytest

from kitsu.errors import EngineError
from kitsu_playout.device import BLOCK, FADE, Backend, DeviceSink


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


@pytest.fixture
def opened() -> tuple[DeviceSink, Speaker]:
    speakers: list[Speaker] = []

    def open_stream(**options: Any) -> Speaker:
        speakers.append(Speaker(**options))
        return speakers[0]

    return DeviceSink("3", Backend(open_stream, (OSError,))), speakers[0]


def test_plays_what_it_gets_and_silence_otherwise(opened: tuple[DeviceSink, Speaker]) -> None:
    sink, speaker = opened
    assert speaker.running
    assert speaker.options["device"] == 3
    assert not speaker.pull().any()
    sink.play(1000, np.full(300, 7, np.int16))
    assert np.all(speaker.pull() == 7)
    tail = speaker.pull()
    assert np.all(tail[:60] == 7)
    assert not tail[60:].any()
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


def test_a_device_that_is_not_there_is_a_typed_error() -> None:
    def refuse(**options: Any) -> Speaker:
        raise OSError("Invalid device")

    with pytest.raises(EngineError) as caught:
        DeviceSink("Nope", Backend(refuse, (OSError,)))
    assert caught.value.code == "device_missing"
    assert "Nope" in caught.value.message


def test_a_name_that_no_machine_has() -> None:
    with pytest.raises(EngineError) as caught:
        DeviceSink("no such device 4711")
    assert caught.value.code in ("sound_missing", "device_missing")
