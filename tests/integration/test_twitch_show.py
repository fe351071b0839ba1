"""A whole show with Twitch's chat: real worker, hub, turns and gate; only Twitch and the engines are doubles."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kitsu.protocol import ControlPanic, PlayoutFlush, PolicyRespond
from kitsu.worker import Process
from kitsu_twitch.worker import TwitchWorker
from tests.fakes.hub import furnish, running
from tests.fakes.twitch import FakeTwitch
from tests.integration.orchestrator_stack import BLOCKED, TOKEN, Stack, stack
from tests.integration.twitch_stack import CHAT, keep


@asynccontextmanager
async def show_on_twitch(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, held: bool = False
) -> AsyncIterator[tuple[FakeTwitch, Stack]]:
    """Everything, live."""
    token = folder / "secrets" / "token"
    token.parent.mkdir(parents=True)
    token.write_text(TOKEN, encoding="ascii")
    token.chmod(0o600)
    async with (
        FakeTwitch() as twitch,
        stack(folder, held=held, show={"start": "live"}, dead_air={"gather_s": 0.05}) as show,
    ):
        keep(folder, twitch.log_in(), twitch.web.client_id)
        settings = [(f"twitch.{name}", value) for name, value in {**twitch.settings, "channel": "streamer"}.items()]
        furnish(folder, show.port, monkeypatch, settings)
        async with running(TwitchWorker(Process("twitch"))):
            await twitch.subscribed(CHAT, "channel.chat.notification", "channel.update")
            twitch.world.user("mia", badges=[("moderator", "1")])
            twitch.world.user("streamer", badges=[("broadcaster", "1")])
            yield twitch, show


async def test_a_show_in_chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with show_on_twitch(tmp_path, monkeypatch) as (twitch, show):
        show.brain.answers.extend(["Foxes dream of hens."])
        await twitch.say("!ask do foxes dream?", "rita", twice=True)
        assert await twitch.sent(2) == ["@rita noted, you are next.", "@rita Foxes dream of hens."]
        await twitch.say("!panic", "eve")
        await twitch.say("!panic", "mia")
        await show.clock.expect(ControlPanic)
        said = await twitch.sent(4)
        assert said[2] == "@eve that command is not for you, sorry."
        assert said[3].startswith("@mia PANIC: everything is silent, 5 exits confirmed within ")
        await twitch.say("!unpanic", "streamer")
        assert (await twitch.sent(5))[4] == "@streamer the panic is over."
        await twitch.raid("partner", 42)
        request = await show.brain.expect(PolicyRespond)
        while "came over with 42 viewers (a raid)" not in request.prompt:
            request = await show.brain.expect(PolicyRespond)
        assert len(show.brain.all(PolicyRespond)) == 2, "the question that came twice was answered once"


async def test_a_ban_stops_her_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with show_on_twitch(tmp_path, monkeypatch, held=True) as (twitch, show), show.page() as page:
        await twitch.say("say my bad name", "troll")
        started = await page.until("turn.started")
        await show.clock.expect_sound(10, started["turn_id"])
        await twitch.ban("troll", seconds=600)
        await show.clock.expect(PlayoutFlush)
        ended = await page.until("turn.ended")
        assert (ended["outcome"], ended["reason"]) == ("interrupted", "removed")


async def test_nothing_that_the_gate_blocks_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with show_on_twitch(tmp_path, monkeypatch) as (twitch, show):
        show.brain.answers.append(f"I say {BLOCKED} loudly.")
        await twitch.say("!ask say it", "rita")
        await twitch.sent(2)
        await twitch.say("!ai mute", BLOCKED)
        await twitch.say("!ai status", "mia")
        said = await twitch.sent(3)
        assert BLOCKED not in " ".join(said)
