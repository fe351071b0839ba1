"""The sound of each turn, as it was heard, in `artifacts/turns`: 48 kHz mono s16 WAVs, bounded in number and size.

All file work happens in one thread. A disk that is full or slow costs the file, never the show.
"""

import asyncio
import re
import struct
from concurrent.futures import ThreadPoolExecutor
from io import BufferedRandom
from pathlib import Path

import numpy as np

from kitsu.protocol import STREAM_RATE_HZ
from kitsu_playout.mixer import EDGE, Samples, fade

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_PART = ".part"


class TurnWavs:
    """Files in `folder`; the oldest go when there are more than `keep_turns` or `keep_mb`."""

    def __init__(self, folder: Path, keep_turns: int, keep_mb: float) -> None:
        self._folder = folder
        self._keep_turns = keep_turns
        self._keep_bytes = int(keep_mb * 1e6)
        self._open: dict[str, _Wav] = {}
        self._thread = ThreadPoolExecutor(1, "wavs")
        self._thread.submit(self._sweep)

    def close(self) -> None:
        """Wait for what is still to be written; forget unfinished turns."""
        self._thread.submit(self._sweep)
        self._thread.shutdown()

    def write(self, turn_id: str, samples: Samples) -> None:
        """Append to a turn's file."""
        if self._keep_turns:
            self._thread.submit(self._write, turn_id, samples)

    async def finish(self, turn_id: str, samples: int) -> tuple[str, str]:
        """Keep the first `samples` of a turn. Returns the file's name, or why there is none (both empty: no sound)."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._finish, turn_id, samples)

    def _write(self, turn_id: str, samples: Samples) -> None:
        wav = self._open.get(turn_id)
        if wav is None:
            wav = self._open[turn_id] = _Wav(self._folder, turn_id)
        wav.write(samples)

    def _finish(self, turn_id: str, samples: int) -> tuple[str, str]:
        wav = self._open.pop(turn_id, None)
        if wav is None:
            return "", ""
        name = wav.finish(samples)
        if name:
            self._prune(name)
        return name, wav.error

    def _prune(self, newest: str) -> None:
        try:
            files = sorted(
                (p.stat().st_mtime, p.stat().st_size, p) for p in self._folder.glob("*.wav") if p.name != newest
            )
            count, size = len(files) + 1, sum(file[1] for file in files) + (self._folder / newest).stat().st_size
            for _, bytes_, path in files:
                if count <= self._keep_turns and size <= self._keep_bytes:
                    break
                path.unlink(missing_ok=True)
                count, size = count - 1, size - bytes_
        except OSError:
            return  # somebody else tidies up here too: next time

    def _sweep(self) -> None:
        """Remove what a killed process, or a turn without an end, left."""
        for wav in self._open.values():
            wav.drop()
        self._open.clear()
        try:
            for path in self._folder.glob(f"*{_PART}"):
                path.unlink(missing_ok=True)
        except OSError:
            return


class _Wav:
    """One file while it is written. After the first error it only remembers that error."""

    def __init__(self, folder: Path, turn_id: str) -> None:
        self.error = "" if _NAME.fullmatch(turn_id) else "the turn's id is no file name"
        self._folder = folder
        self._name = f"{turn_id}.wav"
        self._file: BufferedRandom | None = None

    def write(self, samples: Samples) -> None:
        if self.error:
            return
        try:
            if self._file is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._file = (self._folder / (self._name + _PART)).open("w+b")
                self._file.write(bytes(_HEADER.size))
            self._file.write(samples.astype("<i2").tobytes())
        except OSError as error:
            self._fail(error)

    def finish(self, samples: int) -> str:
        """Cut, fade the cut, write the header, give it its name."""
        if self._file is None or not samples:
            self.drop()
            return ""
        try:
            self._cut(self._file, samples)
            self._file.close()
            (self._folder / (self._name + _PART)).replace(self._folder / self._name)
        except OSError as error:
            self._fail(error)
            return ""
        return self._name

    def drop(self) -> None:
        """Close and remove."""
        if self._file is not None:
            try:
                self._file.close()
                (self._folder / (self._name + _PART)).unlink(missing_ok=True)
            except OSError as error:  # closing writes what was buffered
                self.error = self.error or _reason(error)
            self._file = None

    def _cut(self, file: BufferedRandom, samples: int) -> None:
        total = (file.seek(0, 2) - _HEADER.size) // 2
        samples = min(samples, total)
        if samples < total:
            edge = min(EDGE, samples)
            file.seek(_HEADER.size + (samples - edge) * 2)
            tail = fade(np.frombuffer(file.read(edge * 2), "<i2").astype(np.int16), out=True)
            file.seek(_HEADER.size + (samples - edge) * 2)
            file.write(tail.astype("<i2").tobytes())
            file.truncate()
        size, rate = samples * 2, STREAM_RATE_HZ
        file.seek(0)
        file.write(_HEADER.pack(b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16, b"data", size))
        file.flush()

    def _fail(self, error: OSError) -> None:
        self.error = _reason(error)
        self.drop()


def _reason(error: OSError) -> str:
    return f"the turn's sound could not be kept: {error.strerror or type(error).__name__}"
