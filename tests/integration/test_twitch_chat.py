"""Chat in, by EventSub and without a login; replies out by Helix."""

import asyncio
from pathlib import Path

import pytest

from kitsu.protocol import (
    ChatBatch,
    ChatChannel,
    ChatEvent,
    ChatLine,
    ChatRemoved,
    ChatSent,
    ControlPanic,
    ControlResume,
    Panic,
    PanicConfirmed,
    ServiceError,
    ServiceHealth,
    ShowLevels,
)
from kitsu_twitch.worker import HOW_TO
from tests.fakes.hub import FakeHub
from tests.fakes.twitch import FakeTwitch, events
from tests.integration.twitch_stack import CHAT, connection, logged_in, on_twitch, reply


async def line(hub: FakeHub, text: str) -> ChatLine:
    """The line with this text."""
    while True:
        found = [line for batch in hub.all(ChatBatch) for line in batch.lines if line.text == text]
        if found:
            return found[0]
        await hub.expect(ChatBatch)


async def event_of(hub: FakeHub, kind: str) -> ChatEvent:
    """The next event, which is of this kind."""
    event = await hub.expect(ChatEvent)
    assert event.kind == kind
    return event


async def test_a_line_comes_with_its_author_role_and_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        twitch.world.user("mia", badges=[("moderator", "1"), ("subscriber", "3012")])
        message_id = await twitch.say("hello there", "mia")
        said = await line(hub, "hello there")
        author = said.author
        assert (author.name, author.login, author.role, author.sub_tier) == ("Mia", "mia", "mod", 3)
        assert (author.platform, author.user_id) == ("twitch", twitch.world.user("mia").id)
        assert (said.message_id, said.paid, said.mention) == (message_id, 0, False)


async def test_roles_come_from_the_badges_of_this_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        for login, badge in (("val", "vip"), ("sue", "subscriber"), ("flo", "founder"), ("lee", "lead_moderator")):
            twitch.world.user(login, badges=[(badge, "1")])
            await twitch.say(login, login)
        assert (await line(hub, "val")).author.role == "vip"
        assert (await line(hub, "sue")).author.role == "sub"
        assert (await line(hub, "flo")).author.role == "sub"
        assert (await line(hub, "lee")).author.role == "mod"
        await twitch.say("from next door", "lee", source=twitch.world.user("partner"))
        assert (await line(hub, "from next door")).author.role == "viewer"


async def test_cheers_mentions_and_answers_to_her_are_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        me = twitch.world.user("kitsubot")
        await twitch.say("Cheer100 nice", bits=100)
        await twitch.say("@kitsubot hi", mentioned=me)
        await twitch.say("same to you", reply_to=me)
        assert (await line(hub, "Cheer100 nice")).paid == 100
        assert (await line(hub, "@kitsubot hi")).mention
        assert (await line(hub, "same to you")).mention


async def test_a_flood_comes_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        for number in range(300):
            await twitch.say(f"line {number}", f"user{number}")
        await line(hub, "line 299")
        batches = hub.all(ChatBatch)
        lines = [line.text for batch in batches for line in batch.lines]
        assert lines == [f"line {number}" for number in range(300)], "all of them, in order"
        assert len(batches) < 150
        assert max(len(batch.lines) for batch in batches) <= 256


async def test_events_are_neutral(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with logged_in(tmp_path, monkeypatch, login="streamer") as (twitch, hub):
        await twitch.subscribed(CHAT, "channel.follow", "channel.channel_points_custom_reward_redemption.add")
        await twitch.notice("sub", events.sub(tier=2))
        assert (await event_of(hub, "sub")).tier == 2
        await twitch.notice("resub", events.resub(14), text="still here")
        event = await event_of(hub, "resub")
        assert (event.count, event.text, event.author and event.author.login) == (14, "still here", "rita")
        await twitch.notice("community_sub_gift", events.community_gift(5))
        await twitch.notice("sub_gift", events.gift(twitch.world.user("bob"), community="c1"))
        await twitch.notice("sub_gift", events.gift(twitch.world.user("bob")))
        assert (await event_of(hub, "gift")).count == 5
        assert (await event_of(hub, "gift")).count == 1
        await twitch.raid("partner", 42)
        assert (await event_of(hub, "raid")).count == 42
        await twitch.follow("fred")
        assert (await event_of(hub, "follow")).author is not None
        await twitch.redeem("rita", "Hydrate!", "water please")
        event = await event_of(hub, "reward")
        assert (event.title, event.text) == ("Hydrate!", "water please")
        assert [event.kind for event in hub.all(ChatEvent)].count("gift") == 2
        assert [event.kind for event in hub.all(ChatEvent)].count("follow") == 1


async def test_the_line_of_a_reward_comes_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with logged_in(tmp_path, monkeypatch, login="streamer") as (twitch, hub):
        await twitch.subscribed("channel.channel_points_custom_reward_redemption.add")
        await twitch.say("water please", reward_id="r1")
        await twitch.say("after it")
        await line(hub, "after it")
        assert "water please" not in [line.text for batch in hub.all(ChatBatch) for line in batch.lines]


async def test_what_is_taken_back_comes_after_what_was_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        message_id = await twitch.say("oops")
        await twitch.delete(message_id)
        await twitch.ban("troll", seconds=600)
        await twitch.clear()
        removed = await hub.expect(ChatRemoved, what="line")
        assert removed.message_id == message_id
        assert (await hub.expect(ChatRemoved, what="author")).user_id == twitch.world.user("troll").id
        await hub.expect(ChatRemoved, what="all")
        order = [type(frame.message) for frame in hub.frames]
        assert order.index(ChatBatch) < order.index(ChatRemoved)


async def test_known_bots_and_herself_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        for login in ("nightbot", "StreamElements".lower(), "kitsubot"):
            await twitch.say("buy my followers", login)
        await twitch.say("me")
        await line(hub, "me")
        assert [line.text for batch in hub.all(ChatBatch) for line in batch.lines] == ["me"]


async def test_a_streamer_who_lends_her_their_account_is_still_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with logged_in(tmp_path, monkeypatch, login="streamer") as (twitch, hub):
        await hub.send(reply("@rita hello"))
        await twitch.sent(1)
        await twitch.say("!ai mute", "streamer")
        assert (await line(hub, "!ai mute")).author.role == "broadcaster"
        assert [line.text for batch in hub.all(ChatBatch) for line in batch.lines] == ["!ai mute"]


async def test_where_she_is_and_whether_the_stream_is_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        place = await hub.expect(ChatChannel)
        assert (place.channel, place.live, place.writes) == ("streamer", True, True)
        assert (place.title, place.category) == ("Cozy evening", "Just Chatting")
        await twitch.stream(online=False)
        await hub.expect(ChatChannel, live=False)
        await twitch.retitle("Bedtime", "Art")
        await hub.expect(ChatChannel, title="Bedtime", category="Art")


async def test_that_the_stream_is_off_is_asked_when_nobody_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kitsu_twitch.link.ASK_EVERY_S", 0.05)
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        await hub.expect(ChatChannel, live=True)
        twitch.world.live = False
        await hub.expect(ChatChannel, live=False)


async def test_a_reply_is_written_and_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        order = reply("@rita hello there")
        await hub.send(order)
        sent = await hub.expect(ChatSent, parent_id=order.id)
        assert (sent.state, sent.turn_id, sent.merged) == ("sent", "t1", 1)
        assert sent.latency_ms > 0
        (message,) = twitch.world.messages
        assert message["message"] == "@rita hello there"
        assert message["broadcaster_id"] == twitch.world.channel.id


@pytest.mark.parametrize("turn", ["t2", ""])
async def test_without_the_gates_seal_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turn: str
) -> None:
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        sealed = reply("@rita something else")
        forged = type(sealed)(turn_id=turn, text=sealed.text)
        await hub.send(forged)
        assert (await hub.expect(ChatSent, parent_id=forged.id)).code == "bad_seal"
        await hub.expect(ServiceError, code="bad_seal")
        await hub.send(reply("@rita fine"))
        assert await twitch.sent(1) == ["@rita fine"]


async def test_panic_takes_back_what_waits_and_lets_confirmations_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        await hub.send(ControlPanic(panic=Panic(panic_id="p1", pressed_at=1, by="chat:mod")))
        confirmed = await hub.expect(PanicConfirmed, panic_id="p1")
        assert confirmed.exit == "twitch"
        silenced = reply("@rita so I was saying")
        await hub.send(silenced)
        assert (await hub.expect(ChatSent, parent_id=silenced.id)).code == "panic"
        await hub.send(reply("@mia everything is silent", kind="confirmation"))
        await twitch.sent(1)
        await hub.send(ControlResume(levels=ShowLevels(mode="live", panic=None)))
        await hub.send(reply("@rita hello again"))
        assert await twitch.sent(2) == ["@mia everything is silent", "@rita hello again"]


async def test_too_many_requests_are_waited_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kitsu_twitch.limits.FIRST_DELAY_S", 0.01)
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        twitch.web.failures.extend([429, 429])
        order = reply("@rita at last")
        await hub.send(order)
        assert (await hub.expect(ChatSent, parent_id=order.id)).state == "sent"
        asked = [path for method, path in twitch.world.asked if path == "/helix/chat/messages"]
        assert len(asked) == 3


async def test_what_twitch_does_not_take_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        twitch.web.drop_reason = {"code": "msg_duplicate", "message": "You said that already."}
        order = reply("@rita hello")
        await hub.send(order)
        sent = await hub.expect(ChatSent, parent_id=order.id)
        assert (sent.state, sent.code) == ("failed", "message_rejected")
        assert "msg_duplicate" in sent.message


async def test_a_moderator_may_write_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        twitch.world.user("kitsubot", badges=[("moderator", "1")])
        for number in range(30):
            await hub.send(reply(f"@rita {number}"))
        assert len(await twitch.sent(30)) == 30


async def test_without_a_login_she_reads_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        FakeTwitch() as twitch,
        on_twitch(twitch, tmp_path, monkeypatch, ("twitch.channel", "Streamer")) as hub,
    ):
        place = await hub.expect(ChatChannel)
        assert (place.writes, place.live) == (False, None)
        twitch.world.user("mia", badges=[("moderator", "1")])
        await twitch.say("hi: from; IRC", "mia", bits=50)
        said = await line(hub, "hi: from; IRC")
        assert (said.author.role, said.author.login, said.author.name, said.paid) == ("mod", "mia", "Mia", 50)
        order = reply("@mia hello")
        await hub.send(order)
        assert (await hub.expect(ChatSent, parent_id=order.id)).code == "read_only"
        assert not [said for said in twitch.irc.said if said.startswith(("PASS", "PRIVMSG"))]


async def test_without_a_login_events_and_bans_come_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        FakeTwitch() as twitch,
        on_twitch(twitch, tmp_path, monkeypatch, ("twitch.channel", "streamer")) as hub,
    ):
        rita = twitch.world.user("rita")
        await twitch.irc.usernotice(
            rita, "resub", "still here", msg_param_cumulative_months=7, msg_param_sub_plan="2000"
        )
        event = await event_of(hub, "resub")
        assert (event.count, event.tier, event.text) == (7, 2, "still here")
        await twitch.irc.usernotice(rita, "raid", **{"msg-param-viewerCount": 12})
        assert (await event_of(hub, "raid")).count == 12
        message_id = await twitch.say("oops")
        await twitch.delete(message_id)
        assert (await hub.expect(ChatRemoved, what="line")).message_id == message_id
        await twitch.ban("troll")
        assert (await hub.expect(ChatRemoved, what="author")).user_id == twitch.world.user("troll").id
        await twitch.irc.line("PING :tmi.twitch.tv")
        await twitch.irc.heard("PONG :tmi.twitch.tv")
        await twitch.irc.drop()
        await hub.expect(ServiceHealth, state="degraded")
        await connection(hub)


async def test_not_configured_is_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeTwitch() as twitch, on_twitch(twitch, tmp_path, monkeypatch, connected=False) as hub:
        health = await hub.expect(ServiceHealth, reason=HOW_TO)
        assert (health.state, health.capabilities.note.partition(":")[0]) == ("ok", "not configured")
        assert "not_configured" in health.capabilities.features, "no exit that a panic waits for"
        assert "kitsu login twitch" in health.capabilities.note
        order = reply("@rita hello")
        await hub.send(order)
        assert (await hub.expect(ChatSent, parent_id=order.id)).state == "failed"
        assert twitch.world.asked == []


async def test_lines_that_nobody_listens_to_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        await hub.drop()
        await hub.joins(2)
        await hub.expect(ChatChannel)
        await asyncio.gather(*(twitch.say(f"line {number}") for number in range(5)))
        await line(hub, "line 4")
