"""Sound files for the ears: in pieces, one after the other, answered with one transcript."""

import asyncio
from collections.abc import AsyncIterator

from kitsu.errors import KitsuError
from kitsu.protocol import AsrTranscribe, AsrTranscript, encode, new_id
from kitsu_orchestrator.ears.desk import NOT_THERE
from kitsu_orchestrator.hub import Hub

PIECE_BYTES = 512 << 10
MAX_BYTES = 64 << 20
MAX_FILES = 4  # at once
WAIT_S = 1800.0


class Files:
    """Transcripts that somebody waits for."""

    def __init__(self, hub: Hub, wait_s: float = WAIT_S) -> None:
        self._hub = hub
        self._wait_s = wait_s
        self._waiting: dict[str, asyncio.Future[AsrTranscript]] = {}  # by file

    async def transcribe(self, sound: AsyncIterator[bytes], language: str = "") -> AsrTranscript:
        """What is said in a file (WAV, FLAC, Ogg, MP3 …).

        Raises:
            KitsuError: `asr_missing`, `ears_busy`, `file_too_long`, `empty_file`, `ears_timeout`; the ears' own code.
        """
        peer = self._hub.peer("asr")
        if peer is None or "transcribe" not in peer.capabilities.features:
            raise KitsuError("asr_missing", NOT_THERE, retryable=True)
        if len(self._waiting) >= MAX_FILES:
            raise KitsuError("ears_busy", f"{MAX_FILES} files are being worked on already.", retryable=True)
        file = new_id()
        answer: asyncio.Future[AsrTranscript] = asyncio.get_running_loop().create_future()
        self._waiting[file] = answer
        try:
            async with asyncio.timeout(self._wait_s):
                await self._give(file, sound, language)
                transcript = await answer
        except TimeoutError:
            raise KitsuError("ears_timeout", "The ears take too long for this file.", retryable=True) from None
        finally:
            del self._waiting[file]
        if transcript.code:
            raise KitsuError(transcript.code, transcript.message)
        return transcript

    def answered(self, message: AsrTranscript) -> None:
        """The ears' word. A refusal may come before the last piece has gone."""
        waiting = self._waiting.get(message.file)
        if waiting is not None and not waiting.done():
            waiting.set_result(message)

    def gone(self) -> None:
        """The ears left, and what they had of files with them."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(KitsuError("asr_missing", NOT_THERE, retryable=True))

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
        if self._waiting[piece.file].done():  # refused, or the ears are gone
            return
        await self._hub.send_media("asr", "", 0, encode(piece, data))
