"""Turns' sound on disk."""

import os
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from kitsu_playout.mixer import EDGE
from kitsu_playout.wavs import TurnWavs

SOUND = np.full(4800, 8000, np.int16)


@pytest.fixture
async def wavs(tmp_path: Path) -> AsyncIterator[TurnWavs]:
    made = TurnWavs(tmp_path / "turns", 3, 1.0)
    yield made
    made.close()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*.wav*"))


def read(path: Path) -> np.ndarray:  # type: ignore[type-arg]
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48_000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


async def test_a_turn_is_cut_where_it_was_heard_and_fades_there(wavs: TurnWavs, tmp_path: Path) -> None:
    for _ in range(3):
        wavs.write("t1", SOUND)
    assert await wavs.finish("t1", 10_000) == ("t1.wav", "")
    kept = read(tmp_path / "turns" / "t1.wav")
    assert len(kept) == 10_000
    assert np.all(kept[:-EDGE] == 8000)
    assert abs(int(kept[-1])) < 100


async def test_a_turn_that_was_played_whole_is_untouched(wavs: TurnWavs, tmp_path: Path) -> None:
    wavs.write("t1", SOUND)
    await wavs.finish("t1", 4800)
    assert np.array_equal(read(tmp_path / "turns" / "t1.wav"), SOUND)


async def test_no_sound_no_file(wavs: TurnWavs, tmp_path: Path) -> None:
    assert await wavs.finish("t1", 0) == ("", "")
    wavs.write("t2", SOUND)
    assert await wavs.finish("t2", 0) == ("", "")
    assert names(tmp_path) == []


async def test_the_oldest_go(wavs: TurnWavs, tmp_path: Path) -> None:
    for number in range(5):
        wavs.write(f"t{number}", SOUND)
        await wavs.finish(f"t{number}", 4800)
        os.utime(tmp_path / "turns" / f"t{number}.wav", (number, number))
    assert names(tmp_path) == ["t2.wav", "t3.wav", "t4.wav"]


async def test_size_is_bounded_and_the_newest_stays(wavs: TurnWavs, tmp_path: Path) -> None:
    for number in range(2):
        for _ in range(150):
            wavs.write(f"t{number}", SOUND)
        await wavs.finish(f"t{number}", 1 << 40)
    assert names(tmp_path) == ["t1.wav"]


async def test_keeping_none(tmp_path: Path) -> None:
    wavs = TurnWavs(tmp_path, 0, 1.0)
    wavs.write("t1", SOUND)
    assert await wavs.finish("t1", 4800) == ("", "")
    wavs.close()
    assert names(tmp_path) == []


@pytest.mark.parametrize("turn_id", ["../evil", "a/b", "", ".hidden", "x" * 200, "a\0b", "C:\\x"])
async def test_ids_that_are_no_file_names(wavs: TurnWavs, tmp_path: Path, turn_id: str) -> None:
    wavs.write(turn_id, SOUND)
    name, error = await wavs.finish(turn_id, 4800)
    assert name == ""
    assert "no file name" in error
    assert names(tmp_path) == []


async def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "turns").write_text("in the way")
    wavs = TurnWavs(tmp_path / "turns", 3, 1.0)
    wavs.write("t1", SOUND)
    wavs.write("t1", SOUND)
    name, error = await wavs.finish("t1", 4800)
    assert name == ""
    assert error.startswith("the turn's sound could not be kept: ")
    wavs.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
async def test_a_full_disk_costs_the_file_alone(wavs: TurnWavs, tmp_path: Path) -> None:
    folder = tmp_path / "turns"
    folder.mkdir(exist_ok=True)
    await wavs.finish("none", 0)  # what was left before has been swept away
    (folder / "t1.wav.part").symlink_to("/dev/full")
    for _ in range(5):
        wavs.write("t1", SOUND)
    name, error = await wavs.finish("t1", 4800)
    assert (name, error) == ("", "the turn's sound could not be kept: No space left on device")
    wavs.write("t2", SOUND)
    assert await wavs.finish("t2", 4800) == ("t2.wav", "")


async def test_leftovers_are_swept(tmp_path: Path) -> None:
    (tmp_path / "old.wav.part").write_bytes(b"x")
    wavs = TurnWavs(tmp_path, 3, 1.0)
    wavs.write("unfinished", SOUND)
    wavs.close()
    assert names(tmp_path) == []
