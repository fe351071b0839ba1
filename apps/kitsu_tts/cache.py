"""What was said before need not be made again: sound on disk, by everything that changes it.

One file an utterance under `artifacts/tts`: 16 bytes of checksum, then the chunks as MessagePack. A damaged file is a
miss and goes; a full or read-only disk costs the cache, never the voice.
"""

import asyncio
import hashlib
import os
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from pathlib import Path

import msgspec

from kitsu.telemetry import log
from kitsu_tts.voice import Chunk, Voice

DIGEST_BYTES = 16
LONGEST_S = 30.0  # longer utterances are not said twice
FORMAT = 1  # a change of `Chunk` or of how files are written makes older ones unknown

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Chunk]).decode


class VoiceCache:
    """Bounded by size; what was not asked for the longest goes first."""

    def __init__(self, folder: Path, max_mb: float) -> None:
        self.hits = 0
        self.misses = 0
        self._folder = folder
        self._limit = int(max_mb * (1 << 20))
        self._sizes: OrderedDict[str, int] = OrderedDict()  # by key, bytes, longest unused first
        self._total = 0
        self._writing: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Look at what is there."""
        if not self._limit:
            return
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            for stray in self._folder.glob("*.part"):
                stray.unlink(missing_ok=True)
            files = [(path.stat().st_mtime, path.name, path.stat().st_size) for path in self._folder.iterdir()]
            for _, name, size in sorted(files):
                self._sizes[name] = size
            self._total = sum(self._sizes.values())
            self._shrink()

    async def speak(self, voice: Voice, text: str, name: str) -> AsyncGenerator[Chunk, None]:
        """The voice's sound for `text`, from the disk if it is there; a new one is kept once it is complete.

        Raises:
            EngineError: whatever the voice raises.
        """
        identity = voice.identity(name) if self._limit else None
        key = _key(identity, text) if identity is not None else ""
        if key and (kept := await self._get(key)) is not None:
            for chunk in kept:
                yield chunk
            return
        made: list[Chunk] = []
        async with aclosing(voice.speak(text, name)) as chunks:
            async for chunk in chunks:
                made.append(chunk)
                yield chunk
        if key and made and sum(len(chunk.pcm) for chunk in made) <= 2 * LONGEST_S * made[0].rate_hz:
            task = asyncio.create_task(self._put(key, made), name="voice cache")
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def _get(self, key: str) -> list[Chunk] | None:
        if key not in self._sizes:
            self.misses += 1
            return None
        chunks = await asyncio.to_thread(_read, self._folder / key)
        if chunks is None:
            self.misses += 1
            self._total -= self._sizes.pop(key, 0)
            return None
        self.hits += 1
        self._sizes.move_to_end(key)
        return chunks

    async def _put(self, key: str, chunks: list[Chunk]) -> None:
        try:
            size = await asyncio.to_thread(_write, self._folder / key, chunks)
        except OSError as error:
            log.warning("voice_cache.not_written", reason=error.strerror)
            return
        self._total += size - self._sizes.pop(key, 0)
        self._sizes[key] = size
        self._shrink()

    def _shrink(self) -> None:
        while self._total > self._limit and self._sizes:
            key, size = self._sizes.popitem(last=False)
            self._total -= size
            with suppress(OSError):
                (self._folder / key).unlink(missing_ok=True)


def _key(identity: str, text: str) -> str:
    data = msgspec.json.encode([FORMAT, identity, text.encode("utf-8", "surrogatepass").hex()])
    return hashlib.blake2b(data, digest_size=20).hexdigest()


def _read(path: Path) -> list[Chunk] | None:
    try:
        data = path.read_bytes()
        digest, body = data[:DIGEST_BYTES], data[DIGEST_BYTES:]
        if hashlib.blake2b(body, digest_size=DIGEST_BYTES).digest() != digest:
            raise ValueError("checksum")
        chunks = _decode(body)
        os.utime(path)
    except (OSError, ValueError, msgspec.MsgspecError):
        with suppress(OSError):
            path.unlink(missing_ok=True)
        return None
    return chunks


def _write(path: Path, chunks: list[Chunk]) -> int:
    body = _encode(chunks)
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(hashlib.blake2b(body, digest_size=DIGEST_BYTES).digest() + body)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return DIGEST_BYTES + len(body)
