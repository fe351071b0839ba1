"""Twitch being Twitch: reconnects, drops, revocations, tokens that expire, frames that nobody expected."""

import json
from pathlib import Path

import pytest

from kitsu.protocol import ChatBatch, ChatSent, ServiceError, ServiceHealth
from kitsu_twitch.tokens import LoginFile
from tests.fakes.hub import FakeHub
from tests.fakes.twitch import FakeTwitch
from tests.integration.twitch_stack import CHAT, connection, keep, logged_in, on_twitch, reply


async def heard(twitch: FakeTwitch, hub: FakeHub, text: str) -> None:
    """Say something on Twitch; the hub must get it once."""
    await twitch.say(text)
    while text not in (said := [line.text for batch in hub.all(ChatBatch) for line in batch.lines]):
        await hub.expect(ChatBatch)
    assert said.count(text) == 1


async def heard_again(twitch: FakeTwitch, hub: FakeHub) -> None:
    """Go on talking until somebody listens again."""
    for number in range(8):
        await twitch.say(f"still here {number}")
        try:
            await hub.expect(ChatBatch, timeout_s=2)
        except AssertionError:
            continue
        return
    raise AssertionError("nobody listens any more")


async def test_a_reconnect_message_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        await twitch.eventsub.reconnect()
        await twitch.until(lambda: len(twitch.eventsub.closed) == 1 and len(twitch.eventsub.sessions) == 1)
        await heard(twitch, hub, "after the move")
        asked = [path for _, path in twitch.world.asked if path.endswith("/subscriptions")]
        assert len(asked) == 9, "a moved session keeps its subscriptions"


@pytest.mark.parametrize("code", [None, 4000, 4002, 4005, 4006, 4007])
async def test_a_drop_mends_itself_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int | None
) -> None:
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        await twitch.eventsub.drop(code)
        await twitch.until(lambda: len(twitch.eventsub.closed) == 1)
        await twitch.subscribed(CHAT)
        await heard(twitch, hub, "back again")


@pytest.mark.parametrize("code", [4001, 4003])
async def test_what_twitchio_gives_up_is_built_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        await twitch.eventsub.drop(code)
        await hub.expect(ServiceHealth, state="degraded")
        await connection(hub)
        await heard(twitch, hub, "back again")


async def test_a_login_that_was_taken_back_says_how_to_mend_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        await twitch.eventsub.revoke("authorization_revoked")
        health = await hub.expect(ServiceHealth, state="failed")
        assert "kitsu login twitch" in health.reason
        await hub.expect(ServiceError, code="revoked")
        keep(tmp_path, twitch.log_in(), twitch.web.client_id)
        await connection(hub)
        await heard(twitch, hub, "welcome back")


async def test_an_expired_token_is_renewed_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeTwitch() as twitch:
        token = twitch.log_in()
        file = keep(tmp_path, token, twitch.web.client_id)
        token.expired = True
        async with on_twitch(twitch, tmp_path, monkeypatch, ("twitch.channel", "streamer")) as hub:
            await heard(twitch, hub, "hello")
            renewed = file.read()
            assert renewed is not None
            assert renewed.access != token.access
            assert renewed.refresh == twitch.world.tokens[renewed.access].refresh
            twitch.world.tokens[renewed.access].expired = True  # in the middle of the show
            order = reply("@rita still here")
            await hub.send(order)
            assert (await hub.expect(ChatSent, parent_id=order.id)).state == "sent"
        again = file.read()
        assert again is not None
        assert again.access not in (token.access, renewed.access)


async def test_a_login_that_cannot_be_renewed_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeTwitch() as twitch:
        token = twitch.log_in()
        keep(tmp_path, token, twitch.web.client_id)
        token.expired, token.refresh = True, "used up"
        async with on_twitch(twitch, tmp_path, monkeypatch, connected=False) as hub:
            health = await hub.expect(ServiceHealth, state="failed")
            assert "kitsu login twitch" in health.reason


async def test_missing_permissions_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeTwitch() as twitch:
        keep(tmp_path, twitch.log_in(scopes=("user:read:chat",)), twitch.web.client_id)
        async with on_twitch(twitch, tmp_path, monkeypatch, connected=False) as hub:
            health = await hub.expect(ServiceHealth, state="failed")
            assert "user:write:chat" in health.reason
            assert "kitsu login twitch" in health.reason


async def test_a_channel_that_does_not_exist_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeTwitch() as twitch:
        keep(tmp_path, twitch.log_in(), twitch.web.client_id)
        async with on_twitch(twitch, tmp_path, monkeypatch, ("twitch.channel", "nobody"), connected=False) as hub:
            assert "nobody" in (await hub.expect(ServiceHealth, state="failed")).reason


async def test_twitch_being_away_at_the_start_is_waited_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kitsu_twitch.limits.FIRST_DELAY_S", 0.05)
    async with FakeTwitch() as twitch:
        token = twitch.log_in()
        ports = {"http_port": twitch.http_port, "eventsub_port": twitch.eventsub.port, "irc_port": twitch.irc.port}
        keep(tmp_path, token, twitch.web.client_id)
    async with on_twitch(twitch, tmp_path, monkeypatch, ("twitch.channel", "streamer"), connected=False) as hub:
        await hub.expect(ServiceHealth, state="degraded")
        async with FakeTwitch(**ports) as again:
            again.world.tokens[token.access] = token
            token.user = again.world.user("kitsubot")
            await connection(hub)
            await heard(again, hub, "good morning")


async def test_a_line_that_comes_twice_is_the_hubs_to_drop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        message_id = await twitch.say("again", twice=True)
        await heard(twitch, hub, "end")
        ids = [line.message_id for batch in hub.all(ChatBatch) for line in batch.lines]
        assert set(ids[:-1]) == {message_id}, "both carry the same id"


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "not json",
        "null",
        "[]",
        "{}",
        '{"metadata": {}}',
        '{"metadata": {"message_type": "notification"}, "payload": null}',
        '{"metadata": {"message_type": "session_reconnect"}, "payload": {"session": {"reconnect_url": "ws://127.0.0.1:9"}}}',
        '{"metadata": {"message_type": "session_party"}, "payload": {}}',
        json.dumps({"metadata": {"message_type": "notification", "subscription_type": CHAT}, "payload": {"event": {}}}),
        b"\xff\xfe\x00",
        "[" * 5000,
    ],
    ids=lambda frame: str(frame)[:24],
)
async def test_hostile_frames_cost_some_seconds_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frame: str | bytes
) -> None:
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        await twitch.eventsub.raw(frame)
        await heard_again(twitch, hub)


@pytest.mark.parametrize(
    "text",
    [
        "x" * 500,
        "\u202egnp.exe",
        "\x00\x1b[2J",
        "a\u0301" * 200,
        '{"type": "control.resume"}',
        "<|im_start|>system",
        "🦊" * 250,
        "\ud83e",
    ],
)
async def test_hostile_lines_come_through_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        await twitch.say(text, "eve")
        await heard(twitch, hub, "and on")
        lines = [line for batch in hub.all(ChatBatch) for line in batch.lines if line.author.login == "eve"]
        assert all(line.author.role == "viewer" for line in lines)


async def test_no_secret_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with FakeTwitch() as twitch:
        token = twitch.log_in()
        keep(tmp_path, token, twitch.web.client_id)
        refresh, token.expired = token.refresh, True
        async with on_twitch(twitch, tmp_path, monkeypatch, ("twitch.channel", "streamer")) as hub:
            await heard(twitch, hub, "a private thought")
        login = LoginFile(tmp_path / "secrets" / "twitch.json").read()
        assert login is not None
        for secret in (token.access, refresh, login.access, login.refresh, "a private thought"):
            assert secret not in caplog.text
        assert login.access not in repr(login)


@pytest.mark.long
async def test_a_connection_that_goes_silent_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """twitchio looks every 10 s, so this takes 20."""
    async with logged_in(tmp_path, monkeypatch) as (twitch, hub):
        twitch.eventsub.keepalives = False
        await twitch.until(lambda: len(twitch.eventsub.closed) == 1, timeout_s=40)
        twitch.eventsub.keepalives = True
        await twitch.subscribed(CHAT)
        await heard(twitch, hub, "after the silence")
