"""A hub for one worker at a time: accepts hello, keeps what it gets, sends what the test wants.

async with FakeHub() as hub, joined(PolicyWorker, hub, tmp_path, monkeypatch):
    await hub.send(PolicyRespond(conv="stage", turn_id="t1", prompt="hi"))
    finished = await hub.expect(PolicyFinished)
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from kitsu.config import make_secret, read
from kitsu.protocol import Frame, Hello, HelloAccepted, HelloRefused, Message, ServiceHealth, ShowLevels, decode, encode
from kitsu.worker import Process, Worker

MessageT = TypeVar("MessageT", bound=Message)
SEAL_KEY = bytes(range(32))
NO_OLLAMA = "http://127.0.0.1:9"  # so that a test's brain does not find the one of this machine
ON_AIR = ShowLevels(mode="live", panic=None)


class FakeHub:
    """Set `levels`, `gens`, `seal_key`, `refuse` before the worker joins."""

    def __init__(self) -> None:
        self.levels = ON_AIR
        self.gens: dict[str, int] = {}
        self.seal_key = SEAL_KEY.hex()
        self.refuse: tuple[str, str] | None = None  # code and message of hello.refused
        self.hellos: list[Hello] = []
        self.frames: list[Frame] = []  # everything after hello, in order of arrival
        self.port = 0
        self._server: Server
        self._socket: ServerConnection | None = None
        self._changed = asyncio.Condition()
        self._taken: set[int] = set()  # indexes in `frames` that `expect` gave out

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Listen, again on the same port if it did before."""
        self._server = await serve(self._serve, "127.0.0.1", self.port, compression=None, ping_interval=None)
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def close(self) -> None:
        """As when the hub's process ends."""
        self._server.close()
        await self._server.wait_closed()

    async def send(self, message: Message, payload: bytes | None = None) -> None:
        """Send to the worker that joined last (waits for one)."""
        await self.send_raw(encode(message, payload))

    async def send_raw(self, frame: str | bytes) -> None:
        """Send any frame, broken ones too."""
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(lambda: self._socket is not None)
        assert self._socket is not None
        await self._socket.send(frame)

    async def joins(self, count: int = 1) -> None:
        """Wait until `count` hellos were accepted in all, and the last one is still connected."""
        async with asyncio.timeout(15), self._changed:
            await self._changed.wait_for(lambda: len(self.hellos) >= count and self._socket is not None)

    async def drop(self) -> None:
        """Close the connection; the worker is expected to come back."""
        if self._socket is not None:
            await self._socket.close(1012)

    def forget(self) -> None:
        """`expect` gives out nothing of what came so far."""
        self._taken.update(range(len(self.frames)))

    async def expect(self, kind: type[MessageT], *, timeout_s: float = 15.0, **fields: Any) -> MessageT:
        """The next message of `kind` with these field values that was not given out before."""
        frame = await self.expect_frame(kind, timeout_s=timeout_s, **fields)
        assert isinstance(frame.message, kind)
        return frame.message

    async def expect_frame(self, kind: type[Message], *, timeout_s: float = 15.0, **fields: Any) -> Frame:
        """Like `expect`, with the payload."""

        def find() -> int | None:
            for index, frame in enumerate(self.frames):
                fits = all(getattr(frame.message, name, None) == value for name, value in fields.items())
                if index not in self._taken and isinstance(frame.message, kind) and fits:
                    return index
            return None

        async with self._changed:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait_for(lambda: find() is not None)
            except TimeoutError:
                raise AssertionError(f"no {kind.__name__} {fields} came; got {self._summary()}") from None
        index = find()
        assert index is not None
        self._taken.add(index)
        return self.frames[index]

    def all(self, kind: type[MessageT], **fields: Any) -> list[MessageT]:
        """Every message of `kind` so far, given out or not."""
        return [
            frame.message
            for frame in self.frames
            if isinstance(frame.message, kind)
            and all(getattr(frame.message, name, None) == value for name, value in fields.items())
        ]

    def _summary(self) -> list[str]:
        return [type(frame.message).__name__ for frame in self.frames if not isinstance(frame.message, ServiceHealth)][
            -20:
        ]

    async def _serve(self, socket: ServerConnection) -> None:
        try:
            hello = decode(await socket.recv()).message
            assert isinstance(hello, Hello), f"first message was {hello}"
            if self.refuse:
                await socket.send(encode(HelloRefused(code=self.refuse[0], message=self.refuse[1])))
                return
            await socket.send(
                encode(HelloAccepted(session="test", levels=self.levels, gens=self.gens, seal_key=self.seal_key))
            )
            await self._note(lambda: self._accept(hello, socket))
            async for data in socket:
                frame = decode(data)
                await self._note(lambda frame=frame: self.frames.append(frame))
        except ConnectionClosed:
            pass
        finally:
            if self._socket is socket:
                self._socket = None

    def _accept(self, hello: Hello, socket: ServerConnection) -> None:
        self.hellos.append(hello)
        self._socket = socket

    async def _note(self, change: Any) -> None:
        async with self._changed:
            change()
            self._changed.notify_all()


def furnish(
    folder: Path, port: int, monkeypatch: pytest.MonkeyPatch, settings: Iterable[tuple[str, object]] = ()
) -> None:
    """Make `folder` the home of a show whose hub listens on `port`.

    `settings`: pairs like `("tts.engine", "espeak")`.
    """
    for name in [name for name in os.environ if name.upper().startswith("KITSU")]:
        monkeypatch.delenv(name)
    configs = folder / "configs"
    configs.mkdir(parents=True, exist_ok=True)
    (configs / "kitsu.yaml").touch()
    monkeypatch.setenv("KITSU_HOME", str(folder))
    monkeypatch.setenv("KITSU__POLICY__OLLAMA_URL", NO_OLLAMA)
    monkeypatch.setenv("KITSU__NETWORK__ORCHESTRATOR_PORT", str(port))
    for path, value in settings:
        section, _, key = path.partition(".")
        monkeypatch.setenv(f"KITSU__{section}__{key}".upper(), str(value))
    make_secret(folder / "secrets" / "token")
    read.cache_clear()


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[Worker]:
    """Run a worker until the block ends; an error that ends the worker is raised here."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(worker.run())
        yield worker
        task.cancel()


@asynccontextmanager
async def joined(
    kind: type[Worker],
    hub: FakeHub,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: Iterable[tuple[str, object]] = (),
) -> AsyncIterator[Worker]:
    """A worker of `kind` that has joined `hub`, with `folder` as its home."""
    furnish(folder, hub.port, monkeypatch, settings)
    async with running(kind(Process(kind.role))) as worker:
        await hub.joins()
        yield worker
    read.cache_clear()
