"""Sound that was made before comes from the disk; whatever is wrong with the disk is only a miss."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from pathlib import Path

import pytest

from kitsu.protocol import Viseme, WordMark
from kitsu_tts.cache import VoiceCache
from kitsu_tts.config import TtsSettings
from kitsu_tts.voice import Chunk, Voice


class Counting(Voice):
    """Makes the same sound each time and counts."""

    def __init__(self, kind: str = "a", seconds: float = 0.4) -> None:
        super().__init__(TtsSettings())
        self.kind = kind
        self.seconds = seconds
        self.made = 0

    async def load(self, stack: AsyncExitStack) -> None:
        pass

    def identity(self, voice: str) -> str | None:
        return f"{self.kind} {voice}" if self.kind else None

    async def speak(self, text: str, voice: str = "") -> AsyncGenerator[Chunk, None]:
        self.made += 1
        for piece in range(4):
            pcm = bytes([piece + 1, 0]) * round(self.seconds / 4 * 22_050)
            yield Chunk(pcm, 22_050, (Viseme(at=piece, viseme="aa", ipa="a"),), (WordMark(at=0, start=0, end=2),))


async def said(cache: VoiceCache, voice: Voice, text: str = "Hello.", name: str = "") -> list[Chunk]:
    async with aclosing(cache.speak(voice, text, name)) as chunks:
        found = [chunk async for chunk in chunks]
    await asyncio.gather(*cache._writing)
    return found


def files(folder: Path) -> list[Path]:
    """What is on the disk."""
    return list(folder.iterdir())


def opened(folder: Path, max_mb: float = 1.0) -> VoiceCache:
    cache = VoiceCache(folder, max_mb)
    cache.open()
    return cache


async def test_the_second_time_it_comes_from_the_disk_even_after_a_restart(tmp_path: Path) -> None:
    voice = Counting()
    first = await said(opened(tmp_path), voice)
    again = opened(tmp_path)
    assert await said(again, voice) == first
    assert (voice.made, again.hits) == (1, 1)


@pytest.mark.parametrize("change", ["text", "name", "identity"])
async def test_whatever_changes_the_sound_is_another_entry(tmp_path: Path, change: str) -> None:
    cache, voice = opened(tmp_path), Counting()
    await said(cache, voice)
    other = Counting("b") if change == "identity" else voice
    await said(cache, other, "Hello!" if change == "text" else "Hello.", "x" if change == "name" else "")
    assert voice.made + (other.made if other is not voice else 0) == 2
    assert len(files(tmp_path)) == 2


async def test_a_voice_that_is_not_worth_it_is_not_kept(tmp_path: Path) -> None:
    cache, voice = opened(tmp_path), Counting("")
    await said(cache, voice)
    await said(cache, voice)
    assert (voice.made, files(tmp_path)) == (2, [])


async def test_zero_megabytes_keep_nothing(tmp_path: Path) -> None:
    cache, voice = opened(tmp_path / "none", 0), Counting()
    await said(cache, voice)
    await said(cache, voice)
    assert voice.made == 2
    assert not (tmp_path / "none").exists()


async def test_it_stays_in_its_bounds_and_keeps_what_is_used(tmp_path: Path) -> None:
    cache, voice = opened(tmp_path, 0.1), Counting()
    await said(cache, voice, "often")
    for number in range(20):
        await said(cache, voice, f"once {number}")
        await said(cache, voice, "often")
    assert sum(path.stat().st_size for path in files(tmp_path)) <= 0.1 * (1 << 20)
    assert voice.made == 21


async def test_half_an_utterance_is_not_kept(tmp_path: Path) -> None:
    cache, voice = opened(tmp_path), Counting()
    async with aclosing(cache.speak(voice, "Hello.", "")) as chunks:
        await anext(chunks)
    assert files(tmp_path) == []


async def test_endless_utterances_are_not_kept(tmp_path: Path) -> None:
    cache = opened(tmp_path, 50)
    await said(cache, Counting(seconds=40))
    assert files(tmp_path) == []


@pytest.mark.parametrize("damage", ["cut", "bit", "empty", "gone", "folder", "grown"])
async def test_a_damaged_file_is_a_miss_and_mended(tmp_path: Path, damage: str) -> None:
    cache, voice = opened(tmp_path), Counting()
    whole = await said(cache, voice)
    (path,) = files(tmp_path)
    data = path.read_bytes()
    match damage:
        case "cut":
            path.write_bytes(data[:-1])
        case "bit":
            path.write_bytes(data[:40] + bytes([data[40] ^ 1]) + data[41:])
        case "empty":
            path.write_bytes(b"")
        case "grown":
            path.write_bytes(data + b"\0")
        case _:
            path.unlink()
    if damage == "folder":
        path.mkdir()
    assert await said(cache, voice) == whole
    assert voice.made == 2


@pytest.mark.skipif(os.name == "nt", reason="folders have no write bit there")
async def test_a_disk_that_takes_nothing_costs_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    cache, voice = opened(file / "below"), Counting()
    assert len(await said(cache, voice)) == 4
    assert len(await said(cache, voice)) == 4


async def test_a_part_that_a_crash_left_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "abc.part").write_bytes(b"x")
    opened(tmp_path)
    assert files(tmp_path) == []
