"""Stage directions: `[smile]`, `[wave:0.5]`, `[smile, wave]`."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Literal

MAX_UNKNOWN = 100  # distinct names that are counted
MAX_NAME = 40  # code points of a counted name

Kind = Literal["expression", "action"]

_TAG = re.compile(r"\s*([\w -]+?)\s*(?::\s*([0-9.]{1,6})\s*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tag:
    """One known stage direction."""

    kind: Kind
    name: str
    intensity: float = 1.0  # 0..1


class TagParser:
    """Knows the character's vocabulary; counts what is not in it."""

    def __init__(self, expressions: frozenset[str], actions: frozenset[str]) -> None:
        self._expressions = expressions
        self._actions = actions
        self.unknown: Counter[str] = Counter()

    def knows(self, content: str) -> bool:
        """Whether what stood between two brackets holds a known direction."""
        return any(self._kind(_read(part)[0]) for part in content.split(","))

    def parse(self, content: str) -> list[Tag]:
        """The known directions in what stood between two brackets; all others are counted in `unknown`."""
        tags = []
        for part in content.split(","):
            name, intensity = _read(part)
            kind = self._kind(name)
            if kind:
                tags.append(Tag(kind, name, intensity))
            else:
                self.count(name)
        return tags

    def _kind(self, name: str) -> Kind | None:
        if name in self._expressions:
            return "expression"
        return "action" if name in self._actions else None

    def count(self, name: str) -> None:
        """Note an unknown direction."""
        name = name[:MAX_NAME]
        if name in self.unknown or len(self.unknown) < MAX_UNKNOWN:
            self.unknown[name] += 1


def _read(part: str) -> tuple[str, float]:
    """Name and intensity of one direction."""
    match = _TAG.fullmatch(part)
    if match is None:
        return part.strip().lower(), 1.0
    try:
        intensity = min(1.0, float(match[2])) if match[2] else 1.0
    except ValueError:  # "1.2.3"
        intensity = 1.0
    return match[1].lower(), intensity
