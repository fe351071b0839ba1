"""Sound files for the ears: in pieces, one after the other, answered with one transcript."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import msgspec

from kitsu.errors import KitsuError
from kitsu.protocol import AsrTranscribe, AsrTranscript, WordTime, encode, new_id
from kitsu_orchestrator.ears.desk import NOT_THERE
from kitsu_orchestrator.hub import Hub

PIECE_BYTES = 512 << 10
MAX_BYTES = 64 << 20
MAX_FILES = 4  # at once
MAX_WORDS = 100_000  # of an hour; nobody says nine in a second for so long
WAIT_S = 1800.0


@dataclass
class _Coming:
    """A transcript that somebody waits for."""

    whole: asyncio.Future[AsrTranscript]
    parts: int = 0
    words: list[WordTime] = field(default_factory=list)

    def add(self, message: AsrTranscript) -> None:
        """The next part of it."""
        if message.part != self.parts:
            self.fail(KitsuError("ears_cut", "A part of the transcript is missing.", retryable=True))
            return
        self.parts += 1
        self.words += message.words
        if len(self.words) > MAX_WORDS:
            self.fail(KitsuError("transcript_too_long", f"The ears give more than {MAX_WORDS} words for one file."))
        elif message.last:
            self.whole.set_result(msgspec.structs.replace(message, words=tuple(self.words)))

    def fail(self, error: KitsuError) -> None:
        """There will be none."""
        self.whole.set_exception(error)


class Files:
    """Transcripts that somebody waits for."""

    def __init__(self, hub: Hub, wait_s: float = WAIT_S) -> None:
        self._hub = hub
        self._wait_s = wait_s
        self._waiting: dict[str, _Coming] = {}  # by file

    async def transcribe(self, sound: AsyncIterator[bytes], language: str = "") -> AsrTranscript:
        """What is said in a file (WAV, FLAC, Ogg, MP3 …).

        Raises:
            KitsuError: `asr_missing`, `ears_busy`, `file_too_long`, `empty_file`, `ears_timeout`, `ears_cut`,
                `transcript_too_long`; the ears' own code.
        """
        peer = self._hub.peer("asr")
        if peer is None or "transcribe" not in peer.capabilities.features:
            raise KitsuError("asr_missing", NOT_THERE, retryable=True)
        if len(self._waiting) >= MAX_FILES:
            raise KitsuError("ears_busy", f"{MAX_FILES} files are being worked on already.", retryable=True)
        file = new_id()
        coming = self._waiting[file] = _Coming(asyncio.get_running_loop().create_future())
        try:
            async with asyncio.timeout(self._wait_s):
                await self._give(file, sound, language)
                transcript = await coming.whole
        except TimeoutError:
            raise KitsuError("ears_timeout", "The ears take too long for this file.", retryable=True) from None
        finally:
            del self._waiting[file]
        if transcript.code:
            raise KitsuError(transcript.code, transcript.message)
        return transcript

    def answered(self, message: AsrTranscript) -> None:
        """The ears' word. A refusal may come before the last piece has gone."""
        coming = self._waiting.get(message.file)
        if coming is not None and not coming.whole.done():
            coming.add(message)

    def gone(self) -> None:
        """The ears left, and what they had of files with them."""
        for coming in self._waiting.values():
            if not coming.whole.done():
                coming.fail(KitsuError("asr_missing", NOT_THERE, retryable=True))

    async def _give(self, file: str, sound: AsyncIterator[bytes], language: str) -> None:
        """The last piece is known only when the sound has ended: one is always held back."""
        part, size, held = 0, 0, b""
        async for chunk in sound:
            size += len(chunk)
            if size > MAX_BYTES:
                raise KitsuError("file_too_long", f"At most {MAX_BYTES >> 20} MiB, please.")
            held += chunk
            while len(held) > PIECE_BYTES:
                await self._piece(
                    AsrTranscribe(file=file, part=part, last=False, language=language), held[:PIECE_BYTES]
                )
                part, held = part + 1, held[PIECE_BYTES:]
        if not size:
            raise KitsuError("empty_file", "There is no sound in an empty file.")
        await self._piece(AsrTranscribe(file=file, part=part, last=True, language=language), held)

    async def _piece(self, piece: AsrTranscribe, data: bytes) -> None:
        if self._waiting[piece.file].whole.done():  # refused, or the ears are gone
            return
        await self._hub.send_media("asr", "", 0, encode(piece, data))
