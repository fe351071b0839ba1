"""Twitch's chat protocol as far as reading it goes. No I/O.

dev.twitch.tv/docs/chat/irc: RFC 1459 lines with IRCv3 tags; `CAP REQ :twitch.tv/tags twitch.tv/commands`.
"""

from dataclasses import dataclass, field

from kitsu.protocol import Author, ChatEvent, ChatLine, ChatRemoved
from kitsu_twitch.roles import PLATFORM, author_of, tier_of, whole

MAX_LINE = 16_384  # 8191 bytes of tags, and the message
_UNESCAPED = {":": ";", "s": " ", "\\": "\\", "r": "\r", "n": "\n"}


@dataclass(frozen=True, slots=True)
class Irc:
    """One line."""

    command: str
    params: tuple[str, ...] = ()  # the last one without its colon
    tags: dict[str, str] = field(default_factory=dict)
    nick: str = ""


def parse(raw: str) -> Irc | None:
    """A line of the server's; None when it is none."""
    rest = raw.rstrip("\r\n")
    if not rest or len(rest) > MAX_LINE:
        return None
    tags, nick = {}, ""
    if rest.startswith("@"):
        head, _, rest = rest[1:].partition(" ")
        tags = _tags(head)
    rest = rest.lstrip(" ")
    if rest.startswith(":"):
        prefix, _, rest = rest[1:].partition(" ")
        nick = prefix.partition("!")[0]
    middle, colon, trailing = rest.lstrip(" ").partition(" :")
    words = middle.split()
    if not words:
        return None
    return Irc(words[0], (*words[1:], *([trailing] if colon else [])), tags, nick)


def line_of(irc: Irc) -> ChatLine | None:
    """A PRIVMSG as a line of chat."""
    if len(irc.params) < 2 or not irc.nick:
        return None
    text = irc.params[-1]
    if text.startswith("\x01ACTION ") and text.endswith("\x01"):  # `/me waves`
        text = text[8:-1]
    bits = irc.tags.get("bits", "")
    paid = int(bits) if bits.isdecimal() and len(bits) < 9 else 0
    return ChatLine(author=_author(irc, irc.nick), text=whole(text), message_id=irc.tags.get("id", ""), paid=paid)


def event_of(irc: Irc) -> ChatEvent | None:
    """A USERNOTICE as an event; None: nothing that she would speak of."""
    tags = irc.tags
    text = whole(irc.params[-1]) if len(irc.params) > 1 else ""
    author = None if tags.get("login") == "ananonymousgifter" else _author(irc, tags.get("login", ""))
    tier, event_id = tier_of(tags.get("msg-param-sub-plan", "")), tags.get("id", "")
    match tags.get("msg-id"):
        case "sub":
            return ChatEvent(kind="sub", author=author, tier=tier, text=text, message_id=event_id)
        case "resub":
            months = _number(tags, "msg-param-cumulative-months")
            return ChatEvent(kind="resub", author=author, tier=tier, count=months, text=text, message_id=event_id)
        case "submysterygift":
            gifts = _number(tags, "msg-param-mass-gift-count")
            return ChatEvent(kind="gift", author=author, tier=tier, count=gifts, message_id=event_id)
        case "subgift" if not tags.get("msg-param-community-gift-id"):  # others were counted with the whole gift
            return ChatEvent(kind="gift", author=author, tier=tier, message_id=event_id)
        case "raid":
            viewers = _number(tags, "msg-param-viewerCount")
            return ChatEvent(kind="raid", author=author, count=viewers, message_id=event_id)
    return None


def removed_of(irc: Irc) -> ChatRemoved | None:
    """CLEARMSG: one line. CLEARCHAT: all lines of somebody (time-out or ban), or of everybody."""
    if irc.command == "CLEARMSG":
        return ChatRemoved(what="line", platform=PLATFORM, message_id=irc.tags.get("target-msg-id", ""))
    if len(irc.params) > 1:
        return ChatRemoved(what="author", platform=PLATFORM, user_id=irc.tags.get("target-user-id", ""))
    return ChatRemoved(what="all", platform=PLATFORM)


def _author(irc: Irc, login: str) -> Author:
    tags = irc.tags
    badges = [badge.partition("/")[::2] for badge in tags.get("badges", "").split(",") if badge]
    source = tags.get("source-room-id", "")
    foreign = bool(source) and source != tags.get("room-id", "")
    return author_of(tags.get("user-id", ""), login, tags.get("display-name", ""), badges, foreign=foreign)


def _number(tags: dict[str, str], name: str) -> int:
    text = tags.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 9 else 1


def _tags(head: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in head.split(";"))
    return {name: _unescaped(value) for name, _, value in pairs if name}


def _unescaped(value: str) -> str:
    if "\\" not in value:
        return value
    out, chars = [], iter(value)
    for char in chars:
        if char != "\\":
            out.append(char)
        elif (code := next(chars, "")) != "":
            out.append(_UNESCAPED.get(code, code))
    return "".join(out)
