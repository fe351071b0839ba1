"""A control door on a real socket, before a fake orchestrator."""

import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from kitsu.config import home, read, read_secret
from kitsu.worker import Process
from kitsu_control.worker import ControlWorker
from tests.fakes.hub import furnish, running
from tests.fakes.orchestrator import FakeOrchestrator


@dataclass
class FakeDoor:
    """Where it is, and what opens it."""

    port: int
    token: str
    folder: Path
    worker: ControlWorker

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    @property
    def overlay_key(self) -> str:
        return read_secret(self.folder / "secrets" / "overlay_key")

    def client(self, **headers: str) -> httpx.AsyncClient:
        """A browser on our own page."""
        return httpx.AsyncClient(base_url=self.url, headers={"origin": self.url} | headers, trust_env=False)

    async def sign_in(self, client: httpx.AsyncClient) -> None:
        """Make a link and use it."""
        link = (await client.post("/auth/link", headers=self.bearer)).json()["url"]
        answer = await client.post("/auth/session", json={"key": link.partition("#k=")[2]})
        assert answer.status_code == 204, answer.text

    def socket(self, path: str, client: httpx.AsyncClient | None = None, **headers: str) -> connect:
        """A websocket of our own page, with the client's cookies."""
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items()) if client else ""
        given = {"Origin": self.url} | ({"Cookie": cookies} if cookies else {}) | headers
        return connect(
            f"ws://127.0.0.1:{self.port}{path}", additional_headers=given, compression=None, proxy=None, max_queue=None
        )


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def open_door(
    orchestrator: FakeOrchestrator,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    build: Path | None = None,
    launcher_port: int = 0,
    settings: Iterable[tuple[str, object]] = (),
) -> AsyncIterator[FakeDoor]:
    """A running door that has joined the hub. `build`: the folder of the pages (default: none are built)."""
    port = free_port()
    ports = [("network.control_port", port), ("network.launcher_port", launcher_port or free_port())]
    furnish(folder, orchestrator.port, monkeypatch, [*ports, *settings])
    worker = ControlWorker(Process("control"), build or folder / "build")
    async with running(worker):
        await orchestrator.joins()
        yield FakeDoor(port, read_secret(home().token_file), folder, worker)
    read.cache_clear()


async def hello(socket: ClientConnection, text: str) -> str | bytes:
    """Say hello, get the answer."""
    await socket.send(text)
    return await socket.recv()
