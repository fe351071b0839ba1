"""Whole files: their pieces are put together, and a recogniser of their own reads them, away from those who speak."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec

from kitsu.protocol import AsrTranscribe, AsrTranscript, WordTime
from kitsu.worker.child import stop_child
from kitsu_asr.engine import Choice
from kitsu_asr.messages import News, Order
from kitsu_asr.recogniser import LINE_LIMIT, STOP_S, load, start

MAX_FILES = 4  # at once
MAX_BYTES = 64 << 20  # of one
PIECES_S = 30.0  # the next piece comes within that, or the file is forgotten
WORK_S = 1800.0
WORDS_BYTES = 256 << 10  # of words in one message
TEXT_BYTES = 512 << 10  # more is no hour of speech
Answer = Callable[[AsrTranscript], None]
assert LINE_LIMIT >= 1 << 20  # an hour's words in one line


@dataclass
class _File:
    data: bytearray = field(default_factory=bytearray)
    parts: int = 0
    since: float = 0.0


class FilesDesk:
    """`names`: engines in order; the next one is taken when one cannot be loaded."""

    def __init__(self, names: tuple[str, ...], choose: Callable[[str], Choice], answer: Answer) -> None:
        self._names = names
        self._choose = choose
        self._answer = answer
        self._coming: dict[str, _File] = {}
        self._turnstile = asyncio.Lock()  # one at a time: each has a model in memory
        self._working = 0

    def take(self, piece: AsrTranscribe, payload: memoryview) -> bytes | None:
        """One piece; the whole file when it was the last. Refused files are answered here."""
        now = time.monotonic()
        self._coming = {name: file for name, file in self._coming.items() if now - file.since < PIECES_S}
        if piece.file not in self._coming and len(self._coming) + self._working >= MAX_FILES:
            self._refuse(piece, "ears_busy", f"{MAX_FILES} files are being worked on already")
            return None
        file = self._coming.setdefault(piece.file, _File())
        if piece.part != file.parts or len(file.data) + len(payload) > MAX_BYTES:
            del self._coming[piece.file]
            too_long = piece.part == file.parts
            code = "file_too_long" if too_long else "bad_sound_file"
            self._refuse(piece, code, "the file is too large" if too_long else "a piece of the file is missing")
            return None
        file.data += payload
        file.parts, file.since = file.parts + 1, now
        return bytes(self._coming.pop(piece.file).data) if piece.last else None

    async def work(self, piece: AsrTranscribe, data: bytes, hints: tuple[str, ...]) -> None:
        """Recognise it and answer."""
        began = time.perf_counter()
        self._working += 1
        try:
            async with self._turnstile, asyncio.timeout(WORK_S):
                engine, news = await self._recognise(data, piece.language, hints)
        except TimeoutError:
            engine, news = "", News("error", code="ears_timeout", message="the file takes too long")
        finally:
            self._working -= 1
        heard = news.heard
        if heard is None:
            self._refuse(piece, news.code or "ears_failed", news.message)
            return
        words = tuple(
            WordTime(
                word=word.word,
                start_ms=round(word.start_s * 1000),
                end_ms=round(word.end_s * 1000),
                confidence=round(word.confidence, 3),
            )
            for word in heard.words
        )
        transcript = AsrTranscript(
            parent_id=piece.id,
            conv=piece.conv,
            file=piece.file,
            text=heard.text,
            language=heard.language,
            confidence=round(heard.confidence, 3),
            words=words,
            duration_ms=round(news.duration_s * 1000),
            took_ms=round((time.perf_counter() - began) * 1000, 1),
            engine=engine,
        )
        if len(msgspec.json.encode(heard.text)) > TEXT_BYTES:
            self._refuse(piece, "transcript_too_long", "there are more words than anybody can say in an hour")
            return
        for part in in_parts(transcript):
            self._answer(part)

    async def _recognise(self, data: bytes, language: str, hints: tuple[str, ...]) -> tuple[str, News]:
        process = await start()
        try:
            news = News("error", code="engine_missing", message="no recogniser is installed")
            for name in self._names:
                choice = self._choose(name)
                news = await load(process, name, choice, commands=False)
                if news.kind == "loaded":
                    order = Order("file", bytes=len(data), language=language or choice.language, hints=hints)
                    return name, await _ask(process, order, data)
            return "", news
        finally:
            await stop_child(process, STOP_S)

    def _refuse(self, piece: AsrTranscribe, code: str, message: str) -> None:
        self._answer(AsrTranscript(parent_id=piece.id, conv=piece.conv, file=piece.file, code=code, message=message))


def in_parts(transcript: AsrTranscript) -> Iterator[AsrTranscript]:
    """An hour's words are more than one message may hold."""
    number, words, size = 0, list[WordTime](), 0
    for word in transcript.words:
        size += len(msgspec.json.encode(word)) + 1
        if words and size > WORDS_BYTES:
            yield AsrTranscript(
                parent_id=transcript.parent_id,
                conv=transcript.conv,
                file=transcript.file,
                part=number,
                last=False,
                words=tuple(words),
            )
            number, words, size = number + 1, [], len(msgspec.json.encode(word)) + 1
        words.append(word)
    yield msgspec.structs.replace(transcript, part=number, words=tuple(words))


async def _ask(process: asyncio.subprocess.Process, order: Order, data: bytes) -> News:
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(msgspec.json.encode(order) + b"\n" + data)
        await process.stdin.drain()
        return msgspec.json.decode(await process.stdout.readline(), type=News)
    except (OSError, ValueError, msgspec.MsgspecError):
        return News("error", code="ears_cut", message="the recogniser ended at this file", retryable=True)
