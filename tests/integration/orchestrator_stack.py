"""The real orchestrator on a real socket, in this process, with scripted workers on the real wire.

async with stack(tmp_path) as show:
    turn = await show.chat("hello")
    assert turn["outcome"] == "spoken"
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from kitsu.characters import Character, load_character
from kitsu.config import CHECKOUT, Home, PolicySettings, SafetySettings, ShowSettings
from kitsu.listening import bind
from kitsu.safety import Gate, Judge, RuleSet
from kitsu.worker import Process
from kitsu_orchestrator.app import Orchestrator, Settings
from kitsu_orchestrator.config import ChatSettings, DeadAirSettings, IntakeSettings, TalkSettings, TurnSettings
from kitsu_orchestrator.show import Show
from tests.fakes.clock import FakeClock, FakeDoor
from tests.fakes.workers import FakeBrain, FakeVoice

KEY = bytes(range(32))
TOKEN = "t" * 43
BLOCKED = "zorbly"
"""A word that the default gate blocks at both stages."""


@cache
def kitsu() -> Character:
    """The real character."""
    return load_character("kitsu", CHECKOUT / "configs" / "characters")


def gate(*words: str) -> Gate:
    """A gate that blocks these words, and nothing else; patient, since a test machine may be busy."""
    return Gate(RuleSet(()).with_terms(words or [BLOCKED]), KEY, budget_ms=2000)


@dataclass
class Page:
    """One open page stream."""

    socket: ClientConnection
    frames: list[dict[str, Any]] = field(default_factory=list)

    async def next(self) -> dict[str, Any]:
        """The next frame."""
        async with asyncio.timeout(5):
            frame: dict[str, Any] = json.loads(await self.socket.recv())
        self.frames.append(frame)
        return frame

    async def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The next frame of a type with these field values."""
        while True:
            frame = await self.next()
            if frame["type"] == kind and all(frame.get(name) == value for name, value in fields.items()):
                return frame

    def types(self) -> list[str]:
        """What came so far, services aside."""
        return [frame["type"] for frame in self.frames if frame["type"] != "service.changed"]


@dataclass
class Stack:
    """A running show."""

    port: int
    orchestrator: Orchestrator
    http: httpx.AsyncClient
    brain: FakeBrain
    voice: FakeVoice
    clock: FakeClock
    door: FakeDoor

    @property
    def show(self) -> Show:
        return self.orchestrator.show

    async def chat(self, text: str, **body: Any) -> dict[str, Any]:
        """A line, and what became of it."""
        return await self.post("/chat", {"text": text, "wait": True, "timeout_s": 8, **body})

    async def send(self, text: str, **body: Any) -> str:
        """A line; its turn's id."""
        answer = await self.post("/chat", {"text": text, **body}, status=202)
        return str(answer["turn_id"])

    async def post(self, path: str, body: Any = None, *, status: int = 200) -> dict[str, Any]:
        """A request that must be answered with `status`."""
        answer = await self.http.post(path, json=body)
        assert answer.status_code == status, answer.text
        data: dict[str, Any] = answer.json()
        return data

    async def get(self, path: str) -> Any:
        """A request that must be answered with 200."""
        answer = await self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ended(self, turn_id: str) -> dict[str, Any]:
        """A turn once it has ended."""
        jobs = [conversation.waiting.find(turn_id) for conversation in self.show.conversations.values()]
        running = self.show.find(turn_id)
        job = running.job if running else next(filter(None, jobs), None)
        if job is not None:
            await asyncio.wait_for(asyncio.shield(job.done), 8)
        turn: dict[str, Any] = await self.get(f"/turns/{turn_id}")
        return turn

    @asynccontextmanager
    async def page(self) -> AsyncIterator[Page]:
        """An open page."""
        headers = {"authorization": f"Bearer {TOKEN}"}
        url = f"ws://127.0.0.1:{self.port}/stream"
        async with connect(url, additional_headers=headers, compression=None, proxy=None, max_queue=None) as socket:
            yield Page(socket)


def place(folder: Path) -> Home:
    """A home in `folder`."""
    where = Home(root=folder, logs=folder / "logs", configs=CHECKOUT / "configs")
    where.make()
    return where


@asynccontextmanager
async def serving(
    folder: Path, *, judge: Judge | None = None, character: Character | None = None, **settings: Any
) -> AsyncIterator[tuple[Orchestrator, int]]:
    """The orchestrator alone. `settings`: sections as dicts; `keeper`: of rules that change."""
    chosen = Settings(
        ShowSettings(**settings.get("show", {})),
        TurnSettings(**{"worker_grace_s": 0.3, **settings.get("turn", {})}),
        IntakeSettings(**settings.get("intake", {})),
        PolicySettings(**settings.get("policy", {})),
        ChatSettings(**settings.get("chat", {})),
        DeadAirSettings(**settings.get("dead_air", {})),
        SafetySettings(**settings.get("safety", {})),
        TalkSettings(**settings.get("talk", {})),
    )
    orchestrator = Orchestrator(
        place(folder),
        chosen,
        character or kitsu(),
        judge or gate(),
        KEY,
        TOKEN,
        "http://127.0.0.1:9",
        settings.get("pronunciation", {}),
        settings.get("keeper"),
        settings.get("this_show"),
    )
    process = Process("orchestrator")
    listener = bind("127.0.0.1", 0, "network.orchestrator_port")
    port = listener.getsockname()[1]
    async with asyncio.TaskGroup() as group:
        group.create_task(orchestrator.run(listener, process))
        try:
            yield orchestrator, port
        finally:
            process.stopping.set()


@asynccontextmanager
async def stack(folder: Path, *, held: bool = False, **settings: Any) -> AsyncIterator[Stack]:
    """The orchestrator with all four workers. `held`: nothing is heard before `clock.hear`."""
    async with AsyncExitStack() as exits:
        orchestrator, port = await exits.enter_async_context(serving(folder, **settings))
        http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"authorization": f"Bearer {TOKEN}"},
            trust_env=False,
            timeout=10,
        )
        await exits.enter_async_context(http)
        workers = (
            FakeBrain(port, TOKEN),
            FakeVoice(port, TOKEN),
            FakeClock(port, TOKEN, held=held),
            FakeDoor(port, TOKEN),
        )
        for worker in workers:
            await exits.enter_async_context(worker)
        yield Stack(port, orchestrator, http, *workers)
