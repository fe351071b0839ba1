"""Turns that are thought about before it is certain that they come."""

import asyncio
from dataclasses import dataclass

from kitsu.protocol import Line
from kitsu_orchestrator.story import Story
from kitsu_orchestrator.turn import Turn


@dataclass(frozen=True, slots=True, eq=False)
class Ahead:
    """One of them: silent and unseen until it is committed.

    It has a generation of its own, above the conversation's, which begins when it is committed. So what belongs to a
    thrown away run is told from the next run of the same line, and nothing of the turn that sounds becomes stale.
    """

    turn: Turn
    task: asyncio.Task[Story]
    after: Turn | None  # the turn that it follows
    assumed: str  # what of that one is heard, as this one believes

    def builds_on(self, turn: Turn, heard: str) -> bool:
        """Whether it is right about the turn before it."""
        return self.after is turn and self.assumed == heard


def exchange(prompt: str, heard: str) -> list[Line]:
    """What the history keeps of a turn."""
    lines = [Line(role="user", text=prompt)] if prompt else []
    return [*lines, Line(role="assistant", text=heard)] if heard else []
