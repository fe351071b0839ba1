"""What a voice's MODEL_CARD says about its licence."""

import re
from dataclasses import dataclass

from kitsu_cli.screen import plain

UNKNOWN = "not stated by its publisher"
MAX_LINES = 4
MAX_CHARS = 160
_BULLET = re.compile(r"^[\s*#•-]+")
_LICENCE = re.compile(r"\blicen[cs]ed?\b", re.IGNORECASE)
_ORIGIN = re.compile(r"^(dataset|url|source)s?\s*:", re.IGNORECASE)
_RESTRICTED = re.compile(r"\bNC\b|non-?\s?commercial|research (use|purposes) only", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Licence:
    """The card's own words, one line each, and whether they sound as if money may not be made with it."""

    lines: tuple[str, ...]
    restricted: bool


def licence(card: str) -> Licence:
    """The lines of a card that speak of licence and origin; terminal-safe."""
    lines = [_BULLET.sub("", plain(line)).strip()[:MAX_CHARS] for line in card.splitlines()[:200]]
    about = [line for line in lines if _LICENCE.search(line)]
    origin = [line for line in lines if _ORIGIN.match(line) and line not in about]
    if not about:
        about = [f"Licence: {UNKNOWN}"]
    return Licence(tuple([*about, *origin][:MAX_LINES]), any(_RESTRICTED.search(line) for line in about))
