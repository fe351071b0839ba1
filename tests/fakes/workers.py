"""Scripted workers that speak the real wire to a real hub: one small class a role.

async with FakeBrain(port, token) as brain, FakeVoice(port, token) as voice, FakeClock(port, token) as clock:
    brain.answers.append("Hello there, friend.")
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Self, TypedDict, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from kitsu.protocol import (
    Capabilities,
    ControlPanic,
    Frame,
    Hello,
    HelloAccepted,
    Message,
    PanicConfirmed,
    PolicyCancel,
    PolicyDelta,
    PolicyFinished,
    PolicyRespond,
    Role,
    ServiceHealth,
    TtsAudio,
    TtsCancel,
    TtsFailed,
    TtsFinished,
    TtsSynthesize,
    checked,
    decode,
    encode,
)

MessageT = TypeVar("MessageT", bound=Message)
RATE_HZ = 8000
PATIENCE_S = 5.0


class Ids(TypedDict):
    """What an answer carries over from its request."""

    conv: str
    turn_id: str
    gen: int


def ids(message: Message) -> Ids:
    """The envelope of an answer to `message`."""
    return Ids(conv=message.conv, turn_id=message.turn_id, gen=message.gen)


class FakeWorker:
    """Joins, keeps what it gets, sends what the test wants. Subclasses answer in `react`."""

    role: ClassVar[Role]
    exit: ClassVar[str] = ""  # what it confirms in a panic

    def __init__(self, port: int, token: str, *, max_parallel: int = 4) -> None:
        self.port = port
        self.token = token
        self.capabilities = Capabilities(engine=f"fake_{self.role}", max_parallel=max_parallel)
        self.confirms = True
        self.frames: list[Frame] = []
        self.accepted: HelloAccepted
        self.closed = asyncio.Event()
        self._changed = asyncio.Condition()
        self._taken: set[int] = set()
        self._socket: ClientConnection
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.join()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.leave()

    async def join(self) -> None:
        """Say hello and be taken in. A worker that left may join again: that is a restart."""
        self.closed.clear()
        self._socket = await connect(
            f"ws://127.0.0.1:{self.port}/hub", compression=None, ping_interval=None, proxy=None, max_queue=None
        )
        hello = Hello(role=self.role, name=self.role, token=self.token, capabilities=self.capabilities)
        await self._socket.send(encode(hello))
        answer = decode(await self._socket.recv()).message
        assert isinstance(answer, HelloAccepted), answer
        self.accepted = answer
        self.begin()
        self._reader = asyncio.create_task(self._read())
        await self.send(ServiceHealth(state="ok", capabilities=self.capabilities))

    async def leave(self) -> None:
        """Close the connection politely."""
        await self._socket.close()
        if self._reader is not None:
            await self._reader

    async def kill(self) -> None:
        """Be gone as after a kill -9."""
        self._socket.transport.abort()
        await self.closed.wait()

    async def settle(self) -> None:
        """Wait until the hub has read everything that was sent: an order of its own comes back the same way."""
        await (await self._socket.ping())

    async def send(self, message: Message, payload: bytes | None = None) -> None:
        await self.send_raw(encode(message, payload))

    async def send_raw(self, frame: str | bytes) -> None:
        """Any frame, broken ones too."""
        await self._socket.send(frame)

    async def expect(self, kind: type[MessageT], **fields: Any) -> MessageT:
        """The next message of `kind` with these field values that was not given out before."""

        def find() -> int | None:
            return next((i for i, f in enumerate(self.frames) if i not in self._taken and fits(f, kind, fields)), None)

        async with self._changed:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await self._changed.wait_for(lambda: find() is not None)
            except TimeoutError:
                got = [type(frame.message).__name__ for frame in self.frames][-20:]
                raise AssertionError(f"{self.role}: no {kind.__name__} {fields} came; got {got}") from None
        index = find()
        assert index is not None
        self._taken.add(index)
        message = self.frames[index].message
        assert isinstance(message, kind)
        return message

    def all(self, kind: type[MessageT], **fields: Any) -> list[MessageT]:
        """Every message of `kind` so far."""
        return [f.message for f in self.frames if isinstance(f.message, kind) and fits(f, kind, fields)]

    def begin(self) -> None:
        """A connection begins."""

    async def react(self, message: Message, payload: memoryview | None) -> None:
        """Answer one message."""

    async def confirm(self, panic: ControlPanic) -> None:
        if self.confirms and self.exit:
            await self.send(PanicConfirmed(panic_id=panic.panic.panic_id, exit=self.exit, latency_ms=0.1))

    async def _read(self) -> None:
        try:
            async for data in self._socket:
                frame = decode(data)
                async with self._changed:
                    self.frames.append(frame)
                    self._changed.notify_all()
                if isinstance(frame.message, ControlPanic):
                    await self.confirm(frame.message)
                await self.react(*frame)
                async with self._changed:
                    self._changed.notify_all()
        except ConnectionClosed:
            pass
        finally:
            self.closed.set()


class FakeBrain(FakeWorker):
    """Answers with `answers`, word by word; a test that clears `auto` sends the words itself."""

    role: ClassVar[Role] = "policy"
    exit: ClassVar[str] = "brain"
    usual = "Hello there, nice to see you."

    def __init__(self, port: int, token: str, *, max_parallel: int = 4) -> None:
        super().__init__(port, token, max_parallel=max_parallel)
        self.answers: deque[str] = deque()
        self.auto = True
        self.script: Callable[[PolicyRespond], Iterable[str]] = self._next_answer

    async def react(self, message: Message, payload: memoryview | None) -> None:
        if isinstance(message, PolicyRespond) and self.auto:
            for word in self.script(message):
                await self.say(message, word)
            await self.finish(message)
        elif isinstance(message, PolicyCancel):
            await self.send(
                PolicyFinished(conv=message.conv, turn_id=message.turn_id, reason="cancelled", engine="fake_policy")
            )

    async def say(self, request: Message, text: str) -> None:
        """One delta."""
        await self.send(PolicyDelta(**ids(request), text=text))

    async def finish(self, request: Message, reason: Any = "stop") -> None:
        """The end of the answer."""
        await self.send(PolicyFinished(**ids(request), reason=reason, engine="fake_policy"))

    def _next_answer(self, request: PolicyRespond) -> Iterable[str]:
        text = self.answers.popleft() if self.answers else self.usual
        return (word + " " for word in text.split())


class FakeVoice(FakeWorker):
    """Checks the seal, then sends `ms_per_char` of sound; a test that clears `auto` sends it itself."""

    role: ClassVar[Role] = "tts"
    exit: ClassVar[str] = "voice"

    def __init__(self, port: int, token: str, *, max_parallel: int = 4) -> None:
        super().__init__(port, token, max_parallel=max_parallel)
        self.auto = True
        self.ms_per_char = 10.0
        self.chunk_ms = 40.0
        self.spoken: list[str] = []

    async def react(self, message: Message, payload: memoryview | None) -> None:
        if isinstance(message, TtsSynthesize):
            key = bytes.fromhex(self.accepted.seal_key)
            self.spoken.append(checked(message.speech, key, "speech", message.turn_id))
            if self.auto:
                await self.speak(message)

    async def speak(self, request: TtsSynthesize) -> None:
        """The whole segment at once."""
        left = len(request.speech.text) * self.ms_per_char
        at = 0.0
        while left > at:
            await self.chunk(request, min(self.chunk_ms, left - at), at)
            at += self.chunk_ms
        await self.finish(request, left)

    async def chunk(self, request: TtsSynthesize, ms: float, at_ms: float = 0.0) -> None:
        """A piece of sound."""
        samples = round(ms * RATE_HZ / 1000)
        audio = TtsAudio(
            **ids(request),
            segment=request.segment,
            chunk=round(at_ms / self.chunk_ms),
            position=round(at_ms * RATE_HZ / 1000),
            rate_hz=RATE_HZ,
        )
        await self.send(audio, b"\x01\x02" * samples)

    async def finish(self, request: TtsSynthesize, ms: float) -> None:
        """The end of the segment."""
        await self.send(
            TtsFinished(
                **ids(request),
                segment=request.segment,
                reason="done",
                samples=round(ms * RATE_HZ / 1000),
                rate_hz=RATE_HZ,
                engine="fake_tts",
            )
        )

    async def fail(self, request: TtsSynthesize, *, retryable: bool = True) -> None:
        """The segment cannot be said."""
        await self.send(
            TtsFailed(
                **ids(request), segment=request.segment, code="engine_broke", message="broken", retryable=retryable
            )
        )

    def cancelled(self) -> list[TtsCancel]:
        return self.all(TtsCancel)


def fits(frame: Frame, kind: type[Message], fields: dict[str, Any]) -> bool:
    """Whether a frame is what a test waits for."""
    return isinstance(frame.message, kind) and all(
        getattr(frame.message, name, None) == value for name, value in fields.items()
    )
