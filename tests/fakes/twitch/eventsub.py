"""EventSub's websocket (docs/eventsub/handling-websocket-events).

Welcome first; a subscription within the first seconds or 4003; whatever a client sends ends with 4001; keepalives when
nothing else comes; a reconnect message moves a session with its subscriptions to another address.
"""

import asyncio
import json
import uuid
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.fakes.twitch.world import World, now


class EventSub:
    """`keepalives` off: a connection that went silent. `deaf`: new connections get no welcome."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.port = 0
        self.keepalives = True
        self.keepalive_every_s: float | None = None  # None: what the client asked for
        self.subscribe_within_s = 10.0
        self.deaf = False
        self.sessions: dict[str, ServerConnection] = {}
        self.closed: list[int | None] = []  # close codes, in order
        self.queries: list[dict[str, list[str]]] = []
        self.changed = asyncio.Condition()
        self._server: Server

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    async def start(self) -> None:
        self._server = await serve(self._talk, "127.0.0.1", self.port, compression=None, ping_interval=None)
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        for socket in tuple(self.sessions.values()):
            socket.transport.abort()
        self._server.close()
        await self._server.wait_closed()

    async def notify(self, kind: str, event: dict[str, Any], *, message_id: str = "") -> int:
        """Tell everybody who subscribed; returns how many."""
        subscriptions = [row for row in self.world.subscriptions.values() if row["type"] == kind]
        for row in subscriptions:
            metadata = {"subscription_type": kind, "subscription_version": row["version"]}
            payload = {"subscription": row, "event": event}
            await self._send(row["transport"]["session_id"], "notification", payload, message_id, **metadata)
        return len(subscriptions)

    async def reconnect(self) -> None:
        """Ask every session to come to another address. The old one is closed with 4004 when it stays."""
        for session in tuple(self.sessions):
            url = f"{self.url}?reconnect={session}"
            told = {"id": session, "status": "reconnecting", "keepalive_timeout_seconds": None, "reconnect_url": url}
            await self._send(session, "session_reconnect", {"session": {**told, "connected_at": now()}})

    async def revoke(self, status: str, kind: str = "") -> None:
        """Take subscriptions back (all, or one type): `authorization_revoked`, `user_removed`, `version_removed`."""
        for row in [row for row in self.world.subscriptions.values() if kind in ("", row["type"])]:
            row["status"] = status
            del self.world.subscriptions[row["id"]]
            metadata = {"subscription_type": row["type"], "subscription_version": row["version"]}
            await self._send(row["transport"]["session_id"], "revocation", {"subscription": row}, **metadata)

    async def drop(self, code: int | None = None) -> None:
        """End every connection: with a close code, or as a cut cable does."""
        for socket in tuple(self.sessions.values()):
            if code is None:
                socket.transport.abort()
            else:
                await socket.close(code)

    async def raw(self, frame: str | bytes) -> None:
        """Any frame, broken ones too."""
        for socket in tuple(self.sessions.values()):
            await socket.send(frame)

    async def _talk(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        query = parse_qs(urlsplit(socket.request.path).query)
        self.queries.append(query)
        if self.deaf:
            await socket.wait_closed()
            return
        moved = query.get("reconnect", [""])[0]
        session = uuid.uuid4().hex
        every_s = self.keepalive_every_s or min(600, max(10, int(query.get("keepalive_timeout_seconds", ["10"])[0])))
        self.sessions[session] = socket
        if moved:
            self._move(moved, session)
        welcome = {"id": session, "status": "connected", "keepalive_timeout_seconds": round(every_s)}
        about = {**welcome, "reconnect_url": None, "recovery_url": None, "connected_at": now()}
        await self._send(session, "session_welcome", {"session": about})
        tasks = [asyncio.create_task(self._keep_alive(session, every_s)), asyncio.create_task(self._expect(session))]
        await self.note()
        try:
            async for _ in socket:
                await socket.close(4001)  # "client sent inbound traffic"
        except ConnectionClosed:
            pass
        finally:
            for task in tasks:
                task.cancel()
            self.sessions.pop(session, None)
            self._forget(session)
            self.closed.append(socket.close_code)
            await self.note()

    async def _keep_alive(self, session: str, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            if self.keepalives:
                await self._send(session, "session_keepalive", {})

    async def _expect(self, session: str) -> None:
        await asyncio.sleep(self.subscribe_within_s)
        if not any(row["transport"]["session_id"] == session for row in self.world.subscriptions.values()):
            await self.sessions[session].close(4003)  # "connection unused"

    async def _send(self, session: str, kind: str, payload: Any, message_id: str = "", **metadata: str) -> None:
        socket = self.sessions.get(session)
        if socket is None:
            return
        head = {"message_id": message_id or str(uuid.uuid4()), "message_type": kind, "message_timestamp": now()}
        with suppress(ConnectionClosed):
            await socket.send(json.dumps({"metadata": {**head, **metadata}, "payload": payload}))

    def _move(self, old: str, new: str) -> None:
        for row in self.world.subscriptions.values():
            if row["transport"]["session_id"] == old:
                row["transport"]["session_id"] = new

    def _forget(self, session: str) -> None:
        """A closed session's subscriptions are disabled."""
        rows = self.world.subscriptions
        for row in [row for row in rows.values() if row["transport"]["session_id"] == session]:
            del rows[row["id"]]

    async def note(self) -> None:
        """Something changed: wake those who wait for it."""
        async with self.changed:
            self.changed.notify_all()
