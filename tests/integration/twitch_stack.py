"""Twitch's worker between the fake Twitch and a fake hub: the real twitchio over real sockets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kitsu.protocol import Approved, ChatReply, ChatSend, ServiceHealth
from kitsu.protocol.approved import seal
from kitsu_twitch.tokens import Login, LoginFile
from kitsu_twitch.worker import TwitchWorker
from tests.fakes.hub import SEAL_KEY, FakeHub, joined
from tests.fakes.twitch import FakeTwitch, Token

CHAT = "channel.chat.message"


def keep(folder: Path, token: Token, client_id: str) -> LoginFile:
    """Put a login where the worker looks for it."""
    (folder / "secrets").mkdir(parents=True, exist_ok=True)
    file = LoginFile(folder / "secrets" / "twitch.json")
    file.write(
        Login(
            client_id=client_id,
            access=token.access,
            refresh=token.refresh,
            user_id=token.user.id,
            login=token.user.login,
            scopes=token.scopes,
        )
    )
    return file


def reply(text: str, turn: str = "t1", **fields: object) -> ChatSend:
    """A reply with the gate's seal."""
    approved = Approved[ChatReply](
        text=text, surface="chat_reply", turn_id=turn, seal=seal(SEAL_KEY, text, "chat_reply", turn)
    )
    return ChatSend(turn_id=turn, text=approved, **fields)  # type: ignore[arg-type]


@asynccontextmanager
async def on_twitch(
    twitch: FakeTwitch,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *settings: tuple[str, object],
    connected: bool = True,
) -> AsyncIterator[FakeHub]:
    """The worker; with `connected` its chat is open."""
    found = [(f"twitch.{name}", value) for name, value in twitch.settings.items()]
    async with FakeHub() as hub, joined(TwitchWorker, hub, folder, monkeypatch, [*found, *settings]):
        if connected:
            await connection(hub)
        yield hub


async def connection(hub: FakeHub) -> ServiceHealth:
    """Wait until the worker says that it is connected."""
    while True:
        health = await hub.expect(ServiceHealth, state="ok")
        if health.capabilities.engine == "twitch":
            return health


@asynccontextmanager
async def logged_in(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *settings: tuple[str, object], login: str = "kitsubot"
) -> AsyncIterator[tuple[FakeTwitch, FakeHub]]:
    """A fake Twitch and the worker, logged in and reading the streamer's chat."""
    async with FakeTwitch() as twitch:
        keep(folder, twitch.log_in(login), twitch.web.client_id)
        chosen = (("twitch.channel", "streamer"), *settings)
        async with on_twitch(twitch, folder, monkeypatch, *chosen) as hub:
            yield twitch, hub
