"""Somebody does something, and the signs that it has happened are waited for."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rehearsal.feed import BY, Event, Feed, Proof, Unexpected, is_of
from rehearsal.rows import Row, Seen
from rehearsal.stage import CAST, Stage

PATIENCE_S = 20.0  # she may have to speak to the end
ALL_S = 180.0  # takes a minute and a half on a busy machine
REPLY = "reply"


@dataclass(frozen=True, slots=True)
class Use:
    """Somebody uses a command, and what is expected of it."""

    who: str
    command: str  # its name in configs/commands.yaml
    argument: str = ""
    reply: str = ""  # regular expression; empty: none has to come
    outcome: Literal["done", "refused", "failed"] = "done"
    reason: str = ""
    typed: str = ""  # instead of the command's own name: an alias

    @property
    def text(self) -> str:
        """As it stands in chat."""
        return f"!{self.typed or self.command} {self.argument}".strip()


class Rehearsal:
    """Collects rows."""

    def __init__(self, stage: Stage, told: Callable[[Row], None] = lambda row: None) -> None:
        self.stage = stage
        self.rows: list[Row] = []
        self._told = told
        self._used: dict[str, float] = {}

    async def use(self, use: Use, *proofs: Proof) -> None:
        """A command. What is refused or fails must leave everything as it was."""
        role = CAST.get(use.who, ("viewer", ""))[0]
        signs = [self._commanded(use, role)]
        if use.reply:
            signs.append(self.replied(use.who, use.reply))
        if use.outcome != "done":
            signs.append(await self._nothing_changed())
        self._used[use.command] = time.monotonic()
        await self.observe(
            use.text,
            f"{use.who} ({role})",
            lambda: self.stage.twitch.say(use.text, use.who),
            *signs,
            *proofs,
            command=use.command,
            role=role,
        )

    async def observe(
        self, what: str, who: str, act: Callable[[], Awaitable[Any]], *proofs: Proof, command: str = "", role: str = ""
    ) -> None:
        """Anything that somebody does: a row of it, whatever comes of it."""
        seen: list[Seen] = []
        began = time.monotonic()
        trouble = ""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await act()
                for proof in proofs:
                    seen.append(await proof())
        except TimeoutError:
            trouble = f"no word within {PATIENCE_S:g} s"
        except Unexpected as error:
            trouble = str(error)
        happened = "; ".join(filter(None, [*(one.what for one in seen), trouble]))
        ms = round((max((one.at for one in seen if one.at), default=time.monotonic()) - began) * 1000, 1)
        by = tuple(dict.fromkeys(one.by for one in seen))
        row = Row(what, who, happened, by, ms, not trouble, command, role)
        self.rows.append(row)
        self._told(row)

    async def cooled(self, command: str, cooldown_s: float) -> None:
        """Wait until a command may be used again."""
        await asyncio.sleep(max(0.0, self._used.get(command, 0.0) + cooldown_s - time.monotonic()))

    def replied(self, who: str, pattern: str = "", *, text_of: Callable[[], str] = str) -> Proof:
        """A message in chat to somebody is like `pattern`, and holds a text that may not be known before.

        Several replies may stand in one message.
        """
        before = len(self.stage.twitch.world.messages)

        async def proof() -> Seen:
            at, text = await self._next_message(who, before, lambda text: bool(re.search(pattern, text)))
            if text_of() not in text:
                raise Unexpected(f"replied: {text}")
            return Seen(REPLY, at, text)

        return proof

    def unanswered(self, who: str) -> Proof:
        """Nothing is written to somebody until now."""
        before = len(self.stage.twitch.world.messages)

        async def proof() -> Seen:
            if found := self._messages(who, before):
                raise Unexpected(f"replied: {found[0][1]}")
            return Seen("no reply", None)

        return proof

    async def _next_message(self, who: str, before: int, fits: Callable[[str], bool]) -> tuple[float, str]:
        def found() -> list[tuple[float, str]]:
            return [(at, text) for at, text in self._messages(who, before) if fits(text)]

        changed = self.stage.twitch.eventsub.changed
        async with changed:
            await changed.wait_for(lambda: bool(found()))
        return found()[0]

    def _messages(self, who: str, before: int) -> list[tuple[float, str]]:
        """What was written to somebody, and when (s, monotonic)."""
        to_them = re.compile(rf"@{who} (.+)", re.DOTALL)
        rows = ((row["at"], to_them.search(row["message"])) for row in self.stage.twitch.world.messages[before:])
        return [(at, match[1]) for at, match in rows if match]

    def _commanded(self, use: Use, role: str) -> Proof:
        feed: Feed = self.stage.feed
        after = len(feed)

        def mine(event: Event) -> bool:
            return is_of(event, "chat.commanded", {"command": use.command, "role": role})

        async def proof() -> Seen:
            at, event = await feed.next(after, mine)
            outcome, reason = event["outcome"], event.get("reason", "")
            words = f"{outcome}: {reason}" if reason else outcome
            if (outcome, reason) != (use.outcome, use.reason):
                raise Unexpected(f"{words}, not {use.outcome} {use.reason}".rstrip())
            return Seen(BY, at, words if use.outcome != "done" else "")

        return proof

    async def _nothing_changed(self) -> Proof:
        before = await self._state()

        async def proof() -> Seen:
            after = await self._state()
            changed = [name for name, value in before.items() if after[name] != value]
            if changed:
                raise Unexpected(f"and yet it changed: {', '.join(changed)}")
            return Seen("all as before", None)

        return proof

    async def _state(self) -> dict[str, Any]:
        status = await self.stage.status()
        voice: dict[str, Any] = next((row["capabilities"] for row in status["services"] if row["role"] == "tts"), {})
        scene = await self.stage.obs.witness.scene() if self.stage.obs else ""
        return {**status["levels"], "voice": voice, "scene": scene}


Act = Callable[[Rehearsal], Awaitable[None]]


async def rehearse(stage: Stage, acts: Sequence[Act], told: Callable[[Row], None] = lambda row: None) -> list[Row]:
    """Play the acts one after the other. One that does not come to its end is the last."""
    rehearsal = Rehearsal(stage, told)
    act = acts[0]
    try:
        async with asyncio.timeout(ALL_S):
            for act in acts:
                await act(rehearsal)
    except TimeoutError:
        await rehearsal.observe(f"the act {act.__name__!r}", "", _no_end)
    return rehearsal.rows


async def _no_end() -> None:
    raise Unexpected(f"it was not at its end when {ALL_S:g} s were over; what followed was not tried")
