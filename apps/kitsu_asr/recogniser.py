"""The child process with the recogniser, seen from the worker: orders in, news out; started anew when it dies."""

import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

import msgspec

from kitsu.telemetry import log
from kitsu.worker.child import child_stderr, stop_child
from kitsu_asr.engine import Choice
from kitsu_asr.grammar import Vocabulary
from kitsu_asr.messages import News, Order

LOAD_S = 120.0  # large models on slow disks
STOP_S = 2.0
ANSWER_S = 30.0  # a final that takes longer: it hangs
LINE_LIMIT = 4 << 20
FULL_BYTES = 8 << 20  # 4 minutes of sound that it did not read: it hangs
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 15.0
COMMAND = (sys.executable, "-m", "kitsu_asr.child")

State = Literal["loading", "ready", "failed"]


class Recogniser:
    """Keeps a recogniser running.

    Args:
        names: engines in order; the next one takes over when one cannot be loaded.
        choose: what an engine is made with.
        on_news: told of partial results, finals and errors of utterances.
        on_change: called when `state` or `trouble` has changed.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        choose: Callable[[str], Choice],
        *,
        commands: bool,
        on_news: Callable[[News], None],
        on_change: Callable[[], None],
    ) -> None:
        self.state: State = "loading"
        self.engine = ""
        self.note = ""
        self.partials = False
        self.trouble = ""
        self.settled = asyncio.Event()  # it is ready, or it is clear that it will not be
        self._wanted = asyncio.Event()
        self._waiting: list[tuple[Order, bytes]] = []  # until it has been loaded
        self._waiting_bytes = 0
        self._names = names
        self._choose = choose
        self._commands = commands
        self._on_news = on_news
        self._on_change = on_change
        self._vocabulary = Vocabulary()
        self._process: asyncio.subprocess.Process | None = None
        self._open: dict[str, float] = {}  # utterances; when their final was asked for, 0: not yet
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(News)

    async def run(self) -> None:
        """Until cancelled. Nothing is loaded before `wake`."""
        await self._wanted.wait()
        pause_s = FIRST_PAUSE_S
        try:
            while True:
                began = time.monotonic()
                await self._live()
                self._lose()
                pause_s = FIRST_PAUSE_S if time.monotonic() - began > LONGEST_PAUSE_S else pause_s
                await asyncio.sleep(pause_s)
                pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
        finally:
            await self._stop()

    def wake(self) -> None:
        """There is somebody to listen to: read the model."""
        self._wanted.set()

    def prepare(self, vocabulary: Vocabulary) -> None:
        """Other commands from the next utterance on."""
        self._vocabulary = vocabulary
        if self.state == "ready":
            self._send(Order("prepare", vocabulary=vocabulary))

    def open(self, utterance: str, language: str, hints: tuple[str, ...], *, commands: bool) -> bool:
        """A new utterance; False: there is nobody to listen to it. One that comes while a model is read waits."""
        if self.state == "failed":
            return False
        self._open[utterance] = 0.0
        self._send(Order("open", utterance, language=language, hints=hints, commands=commands))
        return True

    def feed(self, utterance: str, pcm: bytes) -> None:
        """More sound."""
        if utterance in self._open and pcm:
            self._send(Order("feed", utterance, bytes=len(pcm)), pcm)

    def partial(self, utterance: str) -> bool:
        """What was said so far? Answered by news, unless the end comes first."""
        if utterance in self._open:
            self._send(Order("partial", utterance))
        return utterance in self._open

    def finish(self, utterance: str) -> bool:
        """That was all. Answered by news."""
        if utterance not in self._open:
            return False
        self._open[utterance] = time.monotonic()
        self._send(Order("finish", utterance))
        return True

    def drop(self, utterance: str) -> None:
        """Nobody wants to know any more."""
        if self._open.pop(utterance, None) is not None:
            self._send(Order("drop", utterance))

    # how

    def _send(self, order: Order, payload: bytes = b"") -> None:
        if self.state == "loading":
            self._wait(order, payload)
        else:
            self._write(order, payload)

    def _wait(self, order: Order, payload: bytes) -> None:
        """Keep it until the model is read; what is too much is let go with its utterance."""
        self._waiting_bytes += len(payload)
        if self._waiting_bytes <= FULL_BYTES:
            self._waiting.append((order, payload))
        elif self._open.pop(order.id, None) is not None:
            self._give_up(order.id, "ears_busy", "the recogniser is not loaded yet")

    def _flush(self) -> None:
        """What has waited."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        self._open = {utterance: time.monotonic() if since else 0.0 for utterance, since in self._open.items()}
        for order, payload in waiting:
            self._write(order, payload)

    def _write(self, order: Order, payload: bytes) -> None:
        if self._process is None or self._process.stdin is None or self._process.stdin.is_closing():
            return
        stdin = self._process.stdin
        stdin.write(self._encoder.encode(order) + b"\n" + payload)
        if stdin.transport.get_write_buffer_size() > FULL_BYTES:
            self._kill("it reads no more")

    async def _live(self) -> None:
        """One run of the child, until it ends."""
        self._process = process = await start()
        try:
            if await self._load(process):
                self._write(Order("prepare", vocabulary=self._vocabulary), b"")
                self._flush()
                async with asyncio.TaskGroup() as group:
                    guard = group.create_task(self._guard())
                    await self._listen(process)
                    guard.cancel()
        except (ValueError, msgspec.MsgspecError, OSError) as error:
            log.warning("recogniser.bad_news", error=type(error).__name__)
        finally:
            await self._stop()

    async def _load(self, process: asyncio.subprocess.Process) -> bool:
        first = ""
        for name in self._names:
            news = await load(process, name, self._choose(name), commands=self._commands)
            if news.kind == "loaded":
                self.engine, self.note, self.partials = name, news.note, news.partials
                self._change("ready", f"{first} Listening with {name} meanwhile." if first else "")
                return True
            log.warning("recogniser.not_loaded", engine=name, code=news.code)
            first = first or news.message
            if news.code == "ears_failed" and process.returncode is not None:
                break
        self._change("failed", first or "the recogniser's process ended")
        return False

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        while line := await process.stdout.readline():
            news = self._decoder.decode(line)
            if news.kind in ("final", "error") and self._open.pop(news.id, None) is None and news.id:
                continue  # dropped meanwhile
            if news.kind == "partial" and news.id not in self._open:
                continue
            self._on_news(news)

    async def _guard(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            asked = [since for since in self._open.values() if since]
            if asked and time.monotonic() - min(asked) > ANSWER_S:
                self._kill(f"no answer within {ANSWER_S:g} s")

    def _lose(self) -> None:
        """It is gone: whoever waits is told."""
        if self.state == "ready":
            self._change("loading", "The recogniser's process ended; it is being started again.")
        self._waiting, self._waiting_bytes = [], 0
        for utterance in tuple(self._open):
            del self._open[utterance]
            self._give_up(utterance, "ears_cut", "the recogniser ended")

    def _give_up(self, utterance: str, code: str, message: str) -> None:
        self._on_news(News("error", utterance, code=code, message=message, retryable=True))

    def _change(self, state: State, trouble: str) -> None:
        if (state, trouble) != (self.state, self.trouble):
            self.state, self.trouble = state, trouble
            self.settled.set()
            self._on_change()

    def _kill(self, why: str) -> None:
        log.warning("recogniser.killed", reason=why)
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await stop_child(process, STOP_S)


async def start() -> asyncio.subprocess.Process:
    """A child, not yet loaded."""
    return await asyncio.create_subprocess_exec(
        *COMMAND,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=child_stderr(),
        limit=LINE_LIMIT,
    )


async def load(process: asyncio.subprocess.Process, name: str, choice: Choice, *, commands: bool) -> News:
    """Have it load an engine: `loaded` or an error. One that hangs or dies is an error too."""
    assert process.stdin
    assert process.stdout
    try:
        order = Order("load", engine=name, choice=choice, commands=commands)
        process.stdin.write(msgspec.json.encode(order) + b"\n")
        async with asyncio.timeout(LOAD_S):
            line = await process.stdout.readline()
        return msgspec.json.decode(line, type=News)
    except TimeoutError:
        message = f"{name} was not loaded within {LOAD_S:g} s."
    except (OSError, ValueError, msgspec.MsgspecError):
        message = f"The recogniser {name} ended while it was loaded; kitsu logs asr says why."
    return News("error", code="ears_failed", message=message)
