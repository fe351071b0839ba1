"""Subscriptions, gifts, raids, follows and rewards as lines for her; many at once are one line."""

import asyncio
from collections.abc import Callable

from kitsu.protocol import Author, ChatEvent
from kitsu_orchestrator.config import ChatSettings
from kitsu_orchestrator.crowd import AuthorKey, author_key
from kitsu_orchestrator.lines import Job

MOST_TOGETHER = 200  # events of one kind in one line; more are thanked next time
NAMED = 3
NOBODY = "somebody"


class Thanks:
    """Waits a moment for more of the same, then hands one job to `offer`."""

    def __init__(self, settings: ChatSettings, offer: Callable[[Job], None]) -> None:
        self._settings = settings
        self._offer = offer
        self._waiting: dict[tuple[str, str], list[ChatEvent]] = {}  # platform, kind

    def add(self, platform: str, event: ChatEvent) -> None:
        """One event."""
        if not self._settings.thanks:
            return
        place = (platform, event.kind)
        known = self._waiting.setdefault(place, [])
        if not known:
            asyncio.get_running_loop().call_later(self._settings.thanks_after_s, self._say, place)
        if len(known) < MOST_TOGETHER:
            known.append(event)

    def forget(self, who: AuthorKey) -> None:
        """Somebody was banned meanwhile."""
        for place, events in self._waiting.items():
            self._waiting[place] = [
                event for event in events if event.author is None or author_key(event.author) != who
            ]

    def _say(self, place: tuple[str, str]) -> None:
        events = self._waiting.pop(place, [])
        if not events:
            return
        lone = events[0] if len(events) == 1 else None
        author = (lone.author if lone else None) or Author(name="chat", platform=place[0])
        job = Job(text=told(events), author=author, message_id=lone.message_id if lone else "")
        job.paid = int(events[0].kind in ("sub", "resub", "gift"))
        self._offer(job)


def told(events: list[ChatEvent]) -> str:
    """Events of one kind in one English sentence, for the model."""
    first = events[0]
    if len(events) == 1:
        text = f" They write: {first.text}" if first.text else ""
        return f"{_who(first)} {_did(first)}.{text}"
    names = [_who(event) for event in events if event.author is not None]
    shown = ", ".join(dict.fromkeys(names[:NAMED])) or NOBODY
    others = len(events) - min(NAMED, len(names))
    return f"{shown}{f' and {others} others' if others else ''} {_did_together(events)}."


def _who(event: ChatEvent) -> str:
    return event.author.name if event.author is not None else NOBODY


def _did(event: ChatEvent) -> str:
    tier = f" (tier {event.tier})" if event.tier > 1 else ""
    match event.kind:
        case "sub":
            return f"just subscribed{tier}"
        case "resub":
            return f"has been subscribed for {event.count} months now{tier}"
        case "gift":
            return f"gifts {event.count} subscription{'s' if event.count != 1 else ''}{tier}"
        case "raid":
            return f"raids the stream with {event.count} viewers"
        case "follow":
            return "follows now"
        case "reward":
            return f"redeemed the reward {event.title!r}"


def _did_together(events: list[ChatEvent]) -> str:
    match events[0].kind:
        case "sub" | "resub":
            return "subscribed"
        case "gift":
            return f"gift {sum(event.count for event in events)} subscriptions"
        case "raid":
            return f"raid the stream with {sum(event.count for event in events)} viewers"
        case "follow":
            return "follow now"
        case "reward":
            return "redeemed rewards"
