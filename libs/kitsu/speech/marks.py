"""What a punctuation mark at the end of a word means."""

import re
from enum import IntEnum

from kitsu.speech.wordlists import ABBREVIATIONS

MARKS = ",;:.!?…—–、。！？，；："
_MARKS = frozenset(MARKS)
CLOSERS = "\"'”’»)"
_OPENERS = "\"'“‘«(¿¡"
_SPOKEN = re.compile(r"[^\W_]")
_EMOTICON = re.compile(r"[:;=]['^-]?[)(DPpOo3c/|>]+|[xX]D+|:[a-z0-9_+-]{1,32}:|[\^>TtoOuU-][_.]+[\^<TtoOuU-]|\^\^|><")
_ADDRESS = re.compile(r"https?:|www\.|@\w|[\w-]+(?:\.[\w-]+)+/", re.IGNORECASE)
_DASHES = ("-", "–", "—")
_JOINING = re.compile(r"[-–—&+=/€$£%°]+[,.;:!?]*")


class Pause(IntEnum):
    """What follows a word."""

    NONE = 0
    OPEN = 1  # the next character decides
    BREATH = 2
    END = 3  # of a sentence


def is_spoken(word: str) -> bool:
    """Whether a voice has something to say for `word`."""
    return _SPOKEN.search(word) is not None and _EMOTICON.fullmatch(word) is None


def joins(word: str) -> bool:
    """Whether a `word` without letters shapes how its neighbours are spoken: a dash, a currency."""
    return _JOINING.fullmatch(word) is not None


def is_mark(word: str) -> bool:
    """Whether `word` is punctuation that lost its word, as in "Hello 😀!"."""
    return _MARKS.issuperset(word)


def pause_after(word: str, follows: str) -> Pause:
    """The pause after `word`, a run without white space.

    Args:
        follows: the next character; empty if it has not come yet.
    """
    bare = word.rstrip(CLOSERS)
    if bare in _DASHES:
        return Pause.BREATH if follows.isspace() else Pause.NONE
    if bare[-1:] not in _MARKS:
        return Pause.NONE
    if follows and (follows in _MARKS or follows in CLOSERS):
        return Pause.NONE  # the last mark decides
    if not is_spoken(bare):
        return Pause.NONE
    spaced = not follows or follows.isspace()
    if _ADDRESS.match(word) and not (follows and spaced):
        return Pause.OPEN if spaced else Pause.NONE
    match bare[-1]:
        case "。" | "！" | "？":
            return Pause.END
        case "、" | "，" | "；" | "：" | "—":
            return Pause.BREATH
        case "!" | "?":
            return Pause.END
        case ",":
            return _in_number(bare, follows, Pause.BREATH)
        case "–":
            return _in_number(bare, follows, Pause.BREATH)
        case ";" | ":" | "…":
            return _spaced(follows, Pause.BREATH)
        case _:
            return _spaced(follows, _full_stop(bare))


def _in_number(word: str, follows: str, otherwise: Pause) -> Pause:
    if not word[-2:-1].isdigit():
        return otherwise
    if not follows:
        return Pause.OPEN
    return Pause.NONE if follows.isdigit() else otherwise


def _spaced(follows: str, then: Pause) -> Pause:
    if not follows:
        return Pause.OPEN
    return then if follows.isspace() else Pause.NONE


def _full_stop(word: str) -> Pause:
    if word.endswith(".."):
        return Pause.BREATH
    stem = word[:-1].lstrip(_OPENERS)
    abbreviated = "." in stem or (len(stem) == 1 and stem.isalpha() and stem != "I") or stem.lower() in ABBREVIATIONS
    return Pause.NONE if abbreviated else Pause.END
