"""IRC lines, the documented ones and hostile ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitsu_twitch.irc import event_of, line_of, parse, removed_of

TAGS = "@badge-info=subscriber/8;badges=vip/1,subscriber/2006;display-name=Ronni;id=b34;room-id=13;user-id=71"
SAID = f"{TAGS} :ronni!ronni@ronni.tmi.twitch.tv PRIVMSG #dallas :Kappa Keepo"


def test_a_line_of_chat() -> None:
    """docs/chat/irc, PRIVMSG."""
    irc = parse(SAID + "\r\n")
    assert irc is not None
    said = line_of(irc)
    assert said is not None
    assert (said.text, said.message_id, said.author.name, said.author.login) == ("Kappa Keepo", "b34", "Ronni", "ronni")
    assert (said.author.role, said.author.sub_tier, said.author.user_id) == ("vip", 2, "71")


def test_tags_are_unescaped() -> None:
    irc = parse("@system-msg=5\\sraiders\\sfrom\\:\\\\x\\n;empty= :tmi.twitch.tv USERNOTICE #dallas")
    assert irc is not None
    assert irc.tags == {"system-msg": "5 raiders from;\\x\n", "empty": ""}


def test_slash_me() -> None:
    irc = parse(SAID.replace("Kappa Keepo", "\x01ACTION waves\x01"))
    assert irc is not None
    said = line_of(irc)
    assert said is not None
    assert said.text == "waves"


def test_shared_chat_makes_viewers() -> None:
    irc = parse(SAID.replace("room-id=13", "room-id=13;source-room-id=14"))
    assert irc is not None
    said = line_of(irc)
    assert said is not None
    assert (said.author.role, said.author.sub_tier) == ("viewer", 0)


@pytest.mark.parametrize(
    ("tags", "kind", "count"),
    [
        ("msg-id=sub;login=ann;msg-param-sub-plan=Prime", "sub", 1),
        ("msg-id=resub;login=ann;msg-param-cumulative-months=6;msg-param-sub-plan=3000", "resub", 6),
        ("msg-id=submysterygift;login=ann;msg-param-mass-gift-count=20;msg-param-sub-plan=1000", "gift", 20),
        ("msg-id=raid;login=ann;msg-param-viewerCount=x", "raid", 1),
    ],
)
def test_events(tags: str, kind: str, count: int) -> None:
    irc = parse(f"@{tags} :tmi.twitch.tv USERNOTICE #dallas :hi")
    assert irc is not None
    event = event_of(irc)
    assert event is not None
    assert (event.kind, event.count) == (kind, count)


@pytest.mark.parametrize("tags", ["msg-id=announcement", "msg-id=subgift;msg-param-community-gift-id=1", "x=1", ""])
def test_what_is_no_event_of_hers(tags: str) -> None:
    irc = parse(f"@{tags} :tmi.twitch.tv USERNOTICE #dallas")
    assert irc is not None
    assert event_of(irc) is None


@pytest.mark.parametrize(
    ("raw", "what", "user_id"),
    [
        ("@target-user-id=8;ban-duration=5 :tmi.twitch.tv CLEARCHAT #dallas :ronni", "author", "8"),
        ("@room-id=1 :tmi.twitch.tv CLEARCHAT #dallas", "all", ""),
        ("@target-msg-id=abc :tmi.twitch.tv CLEARMSG #dallas :HeyGuys", "line", ""),
    ],
)
def test_what_is_taken_back(raw: str, what: str, user_id: str) -> None:
    irc = parse(raw)
    assert irc is not None
    removed = removed_of(irc)
    assert removed is not None
    assert (removed.what, removed.user_id) == (what, user_id)


@pytest.mark.parametrize("raw", ["", "\r\n", "@", "@a=b", ":", ":x", " ", "@ :", "x" * 20_000])
def test_what_is_no_line(raw: str) -> None:
    irc = parse(raw)
    assert irc is None or irc.command


@given(st.text(max_size=300))
def test_any_text_is_read_without_a_crash(text: str) -> None:
    for raw in (text, f"@{text} :x!x PRIVMSG #c :{text}", f":{text} USERNOTICE #c :{text}"):
        irc = parse(raw)
        if irc is not None:
            line_of(irc)
            event_of(irc)
            removed_of(irc)
