"""Chat, whatever platform it comes from: lines and events in, replies out. Nothing here is one platform's own."""

from typing import Literal

from kitsu.protocol.approved import Approved, ChatReply
from kitsu.protocol.envelope import Message, Part

AuthorRole = Literal["viewer", "sub", "vip", "mod", "broadcaster", "operator"]

MAX_BATCH = 256

ChatEventKind = Literal["sub", "resub", "gift", "raid", "follow", "reward"]


class Author(Part, frozen=True, kw_only=True):
    """Who wrote a line."""

    name: str  # as it is shown
    role: AuthorRole = "viewer"  # the highest one
    platform: str = "local"
    user_id: str = ""  # the platform's id; empty for local lines
    login: str = ""  # the platform's unique name, lower case; empty where it has none
    sub_tier: int = 0  # 1 to 3; 0: not a subscriber. A mod or vip may be one too


class ChatLine(Part, frozen=True, kw_only=True):
    """One line of chat."""

    author: Author
    text: str
    message_id: str = ""  # the platform's id, for de-duplication and deletion; empty: never a duplicate
    paid: int = 0  # what the line cost its author, in the platform's unit (bits, cents)
    mention: bool = False  # it speaks to her by the platform's own means: @name, or a reply to her


class ChatBatch(Message, frozen=True, kw_only=True, tag="chat.batch"):
    """Lines in the order they came: what a platform app has after 20 ms, or 256 of them."""

    lines: tuple[ChatLine, ...]  # at most 256; the hub drops what is more


class ChatEvent(Message, frozen=True, kw_only=True, tag="chat.event"):
    """Something that viewers did other than write."""

    kind: ChatEventKind
    author: Author | None = None  # None: anonymous
    count: int = 1  # resub: months, gift: subscriptions, raid: viewers
    tier: int = 0  # of subscriptions, 1 to 3
    title: str = ""  # the reward's name
    text: str = ""  # what they wrote with it
    message_id: str = ""  # the platform's id, for de-duplication


class ChatRemoved(Message, frozen=True, kw_only=True, tag="chat.removed"):
    """The platform took lines back: one, all of an author (time-out, ban), or all. Nothing of them may sound."""

    what: Literal["line", "author", "all"]
    platform: str
    message_id: str = ""  # line
    user_id: str = ""  # author


class ChatChannel(Message, frozen=True, kw_only=True, tag="chat.channel"):
    """Where a platform app is, sent when it joins and on change."""

    platform: str
    channel: str
    live: bool | None = None  # None: not known
    writes: bool = False  # whether replies can be sent there
    title: str = ""
    category: str = ""


class ChatSend(Message, frozen=True, kw_only=True, tag="chat.send"):
    """Write this into the platform's chat. Answered by one `chat.sent`."""

    text: Approved[ChatReply]
    kind: Literal["answer", "confirmation"] = "answer"  # confirmations go out during a panic too, and may be merged


class ChatSent(Message, frozen=True, kw_only=True, tag="chat.sent"):
    """What became of a `chat.send` (`parent_id`)."""

    state: Literal["sent", "dropped", "failed"]
    code: str = ""  # why not
    message: str = ""
    latency_ms: float = 0.0  # from receiving the order to the platform's answer
    merged: int = 1  # replies that went out as one message with this one


class ChatShed(Message, frozen=True, kw_only=True, tag="chat.shed"):
    """Lines dropped before anyone judged them, counted. On change, at most once a second."""

    dropped: dict[str, int]  # reason -> count since the hub's start
    waiting: int  # lines in intake now


class ChatCommanded(Message, frozen=True, kw_only=True, tag="chat.commanded"):
    """A command was typed into chat, and this came of it. Holds nothing that a viewer wrote."""

    command: str
    platform: str
    role: AuthorRole
    outcome: Literal["done", "refused", "failed"]
    reason: str = ""  # refused, failed: a code
    latency_ms: float = 0.0  # from the line's arrival to the confirmation
