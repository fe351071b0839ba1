"""A voice of fixed speed: `/v1/audio/speech`, OpenAI's protocol, streamed pcm or wav (24 kHz mono s16).

The first 100 ms of sound come `first_sound_ms` after the request, then the rest at `realtime_factor`.
Journal: req {id, text, ms}, chunk {id, i} (first and last), end {id, n} or gone {id, i}.
"""

import argparse
import asyncio
import itertools
import json
import math
import struct
import time
from pathlib import Path

from bench.http_server import Answer, GoneError, serve, until
from bench.journal import Journal
from bench.speeds import Speeds

RATE_HZ = 24_000
CHUNK_MS = 100
_SAMPLES = RATE_HZ * CHUNK_MS // 1000
CHUNK = struct.pack(
    f"<{_SAMPLES}h", *(round(8000 * math.sin(2 * math.pi * 220 * n / RATE_HZ)) for n in range(_SAMPLES))
)
"""100 ms of 220 Hz: whole periods, so that chunks join without a click."""


def wav_header(data_bytes: int) -> bytes:
    """RIFF header of a 24 kHz mono s16 file."""
    fmt = struct.pack("<IHHIIHH", 16, 1, 1, RATE_HZ, RATE_HZ * 2, 2, 16)
    return b"".join(
        (b"RIFF", struct.pack("<I", 36 + data_bytes), b"WAVEfmt ", fmt, b"data", struct.pack("<I", data_bytes))
    )


class MockVoice:
    """The handler of the mock's server."""

    def __init__(self, speeds: Speeds, journal: Journal) -> None:
        self._speeds = speeds
        self._journal = journal
        self._ids = itertools.count(1)

    async def handle(self, path: str, body: bytes, answer: Answer) -> None:
        """One request."""
        arrived = time.perf_counter()
        if not path.endswith("/audio/speech"):
            return
        try:
            request = json.loads(body)
            text, form = str(request["input"]), request.get("response_format", "mp3")
        except (ValueError, KeyError, TypeError):
            text, form = "", ""
        if form not in ("pcm", "wav"):
            await answer.begin(400)
            await answer.chunk(b'{"error": {"message": "this voice speaks pcm and wav"}}')
            return
        await self._speak(arrived, text, form, answer)

    async def _speak(self, arrived: float, text: str, form: str, answer: Answer) -> None:
        number = next(self._ids)
        chunks = max(1, math.ceil(len(text) * self._speeds.char_ms / CHUNK_MS))
        self._journal.note("req", arrived, id=number, text=text, ms=chunks * CHUNK_MS)
        index = 0
        try:
            await answer.begin(200, f"audio/{form}")
            for index in range(1, chunks + 1):
                await until(self._due(arrived, index))
                at = time.perf_counter()
                head = wav_header(chunks * len(CHUNK)) if form == "wav" and index == 1 else b""
                await answer.chunk(head + CHUNK)
                if index in (1, chunks):
                    self._journal.note("chunk", at, id=number, i=index)
            self._journal.note("end", id=number, n=chunks)
        except (GoneError, ConnectionError):
            self._journal.note("gone", id=number, i=index)
            raise

    def _due(self, arrived: float, index: int) -> float:
        later_ms = (index - 1) * CHUNK_MS / self._speeds.realtime_factor
        return arrived + (self._speeds.first_sound_ms + later_ms) / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--journal", type=Path)
    parser.add_argument("--realtime-factor", type=float, default=10.0)
    arguments = parser.parse_args()
    speeds = Speeds(realtime_factor=arguments.realtime_factor)
    with Journal(arguments.journal) as journal:
        asyncio.run(serve(MockVoice(speeds, journal).handle, arguments.port))


if __name__ == "__main__":
    main()
