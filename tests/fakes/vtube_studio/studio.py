"""The program: its socket, its model, and what its user does."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Literal, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.fakes.vtube_studio.errors import ApiError, ErrorID
from tests.fakes.vtube_studio.hotkeys import EVERY_FRAMES, FRAME_S, Hotkeys
from tests.fakes.vtube_studio.model import Hotkey, Model, fox
from tests.fakes.vtube_studio.parameters import Parameters
from tests.fakes.vtube_studio.session import Session, envelope

PATIENCE_S = 5.0
Click = Literal["allow", "deny", "hold"]


class FakeVTubeStudio:
    """Set `popup`, `allowed` and `model` as the user would; look at `requests`, `injections`, `value`, `active`."""

    def __init__(self, port: int = 0, now: Callable[[], float] = time.monotonic) -> None:
        self.port = port
        self.now = now
        self.version = "1.31.6"
        self.model: Model | None = fox()
        self.popup: Click = "allow"
        self.asked: list[str] = []  # pop-ups so far
        self.allowed = True  # the user's switch "Allow Plugin API access"
        self.tokens: dict[str, tuple[str, str]] = {}
        self.parameters = Parameters(now)
        self.hotkeys = Hotkeys(now, self._run_hotkey)
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.injections: deque[tuple[float, dict[str, float]]] = deque(maxlen=100_000)
        self.triggered: list[str] = []  # names of hotkeys that were executed
        self.sessions: set[Session] = set()
        self.instead: deque[str | bytes] = deque()  # frames that are sent in place of the next answers
        self.before: deque[str] = deque()  # frames that are sent just before the next answers
        self._clicked: asyncio.Future[bool] | None = None
        self._changed = asyncio.Condition()
        self._server: Server | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._counter = 0
        self._queue_runs = True
        self._sending: set[asyncio.Task[None]] = set()
        self._awake = asyncio.Event()
        self._awake.set()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Start the program; the same port again after a `close`."""
        self._server = await serve(self._serve, "127.0.0.1", self.port, compression=None, ping_interval=None)
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        self._ticking = asyncio.create_task(self._tick())

    async def close(self) -> None:
        """End the program. Tokens stay: they are in its configuration."""
        if self._ticking is not None and self._server is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
            for session in tuple(self.sessions):
                session.socket.transport.abort()
            self._server.close()
            await self._server.wait_closed()
        self._ticking = self._server = None

    # What tests look at

    def value(self, name: str) -> float:
        """What a parameter is now."""
        return self.parameters.value(name)

    def active(self) -> set[str]:
        """Expressions that show, without their ending."""
        model = self.model
        return {file.removesuffix(".exp3.json") for file, on in model.expressions.items() if on} if model else set()

    async def until(self, true: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
        """Wait for something to become true; looked at after every request and every frame."""
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(true)

    @property
    def asking(self) -> bool:
        """Whether the pop-up is open."""
        return self._clicked is not None

    # What its user does

    async def click(self, *, allow: bool) -> None:
        """Answer the pop-up that is held open."""
        await self.until(lambda: self._clicked is not None)
        assert self._clicked is not None
        self._clicked.set_result(allow)

    async def ask_user(self, plugin: str) -> bool:
        """README, "Authentication" and error 51: one pop-up at a time."""
        if self._clicked is not None:
            raise ApiError(ErrorID.TokenRequestCurrentlyOngoing, "A token request is already being shown to the user.")
        self.asked.append(plugin)
        if self.popup != "hold":
            return self.popup == "allow"
        self._clicked = asyncio.get_running_loop().create_future()
        await self._notify()
        try:
            return await self._clicked
        finally:
            self._clicked = None

    def freeze(self) -> None:
        """The program hangs: its socket stays, nothing answers."""
        self._awake.clear()

    def thaw(self) -> None:
        """It goes on where it was."""
        self._awake.set()

    def freeze_queue(self) -> None:
        """Hotkeys are queued, but their turn does not come."""
        self._queue_runs = False

    def revoke(self) -> None:
        """README, "Authentication": tokens are void, and running sessions get error 50 from now on."""
        for name, _developer in self.tokens.values():
            self.parameters.forget(name)
        self.tokens.clear()
        for session in self.sessions:
            session.revoked = session.authenticated

    async def load(self, model: Model | None) -> None:
        """Events/README, "Model loaded/unloaded": an event when the old one goes, and one when the new one is there."""
        if self.model is not None:
            await self._model_event(self.model, loaded=False)
        self.hotkeys.clear()
        self.model = model
        if model is not None:
            await self._model_event(model, loaded=True)
        await self._notify()

    async def press(self, name: str) -> None:
        """The user presses a hotkey of the model."""
        assert self.model is not None
        key = self.model.hotkey(name)
        assert key is not None
        self._run_hotkey(key, "")
        await self._notify()

    # Inside

    async def _model_event(self, model: Model, *, loaded: bool) -> None:
        data = {"modelLoaded": loaded, "modelName": model.name, "modelID": model.id}
        for session in tuple(self.sessions):
            only = (session.events.get("ModelLoadedEvent") or {}).get("modelID")
            if not only or model.id in only:
                await self._push(session, "ModelLoadedEvent", data)

    async def _push(self, session: Session, name: str, data: dict[str, Any]) -> None:
        if name in session.events and not session.revoked and self._awake.is_set():
            with suppress(ConnectionClosed):
                await session.socket.send(envelope(name, "", data))

    def _run_hotkey(self, key: Hotkey, plugin: str) -> None:
        """Events/README, "Hotkey triggered"; what the hotkey does to expressions."""
        model = self.model
        assert model is not None
        self.triggered.append(key.name)
        if key.type == "ToggleExpression" and key.file in model.expressions:
            model.expressions[key.file] = not model.expressions[key.file]
        elif key.type == "RemoveAllExpressions":
            model.expressions = dict.fromkeys(model.expressions, False)
        data = {
            "hotkeyID": key.id,
            "hotkeyName": key.name,
            "hotkeyAction": key.type,
            "hotkeyFile": key.file,
            "hotkeyTriggeredByAPI": bool(plugin),
            "modelID": model.id,
            "modelName": model.name,
            "isLive2DItem": False,
        }
        for session in tuple(self.sessions):
            config = session.events.get("HotkeyTriggeredEvent") or {}
            only = config.get("onlyForAction")
            if (only and only != key.type) or (plugin and config.get("ignoreHotkeysTriggeredByAPI")):
                continue
            self._later(self._push(session, "HotkeyTriggeredEvent", data))

    def _later(self, sending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(sending)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _tick(self) -> None:
        """Every five frames a hotkey; every second the test event (Events/README, "Test event")."""
        next_test = self.now() + 1.0
        while True:
            await asyncio.sleep(EVERY_FRAMES * FRAME_S)
            await self._awake.wait()
            if self.model is not None and self._queue_runs:
                self.hotkeys.step()
            if self.now() >= next_test:
                next_test += 1.0
                self._counter += 1
                for session in tuple(self.sessions):
                    text = (session.events.get("TestEvent") or {}).get("testMessageForEvent", "")
                    await self._push(session, "TestEvent", {"yourTestMessage": text, "counter": self._counter})
            await self._notify()

    async def _serve(self, socket: ServerConnection) -> None:
        """Each request is answered when it is done: one that waits for a click holds up no other."""
        session = Session(self, socket)
        self.sessions.add(session)
        try:
            async with asyncio.TaskGroup() as group:
                answers = [group.create_task(self._answer(session, frame)) async for frame in socket]
                for answer in answers:
                    answer.cancel()  # nobody is left to hear it
        except* ConnectionClosed:
            pass
        finally:
            self.sessions.discard(session)  # Events/README: its subscriptions end with it
            await self._notify()

    async def _answer(self, session: Session, frame: str | bytes) -> None:
        await self._awake.wait()
        answer: str | bytes = await session.answer(frame)
        if self.before:
            await session.socket.send(self.before.popleft())
        if self.instead:
            answer = self.instead.popleft()
        await session.socket.send(answer)
        await self._notify()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()
