"""Lines that people send in."""

from typing import Literal

from kitsu.protocol.envelope import Message, Part

AuthorRole = Literal["viewer", "sub", "vip", "mod", "broadcaster", "operator"]


class Author(Part, frozen=True, kw_only=True):
    """Who wrote a line."""

    name: str
    role: AuthorRole = "viewer"
    platform: str = "local"
    user_id: str = ""  # the platform's id; empty for local lines


class ChatMessage(Message, frozen=True, kw_only=True, tag="chat.message"):
    """One line of chat. Platform apps send it; the REST door makes it for local lines."""

    author: Author
    text: str
    message_id: str = ""  # the platform's id, for de-duplication; empty: never a duplicate


class ChatShed(Message, frozen=True, kw_only=True, tag="chat.shed"):
    """Lines dropped before anyone judged them, counted. On change, at most once a second."""

    dropped: dict[str, int]  # reason -> count since the hub's start
    waiting: int  # lines in intake now
