"""Shows whose gate knows one word, and what to do with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from kitsu.safety import Actions, Gate, RuleSet, Treatment
from tests.integration.orchestrator_stack import BLOCKED, KEY, Page, Stack, stack


def treating(**treatment: Any) -> Gate:
    """A gate that knows one word and what to do with it."""
    rules = RuleSet(()).with_terms([BLOCKED], category="odd")
    return Gate(rules, KEY, actions=Actions({"odd": Treatment(**treatment)}), budget_ms=2000)


@asynccontextmanager
async def show_with(folder: Path, **treatment: Any) -> AsyncIterator[tuple[Stack, Page]]:
    async with stack(folder, judge=treating(**treatment)) as show, show.page() as page:
        yield show, page


def replaced(show: Stack, **parts: Any) -> None:
    """Another part of the studio."""
    studio = show.show.studio
    for name, part in parts.items():
        object.__setattr__(studio, name, part)
