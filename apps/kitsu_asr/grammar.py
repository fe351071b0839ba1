"""The host's spoken commands: the grammar that is listened with, and what a sentence of it means."""

import re
from collections.abc import Sequence

from msgspec import Struct

from kitsu.protocol.asr import VoiceCommand

CALLS = ("kitsu", "hey kitsu")
SAYINGS: dict[str, tuple[VoiceCommand, str]] = {
    "mute": ("mute", ""),
    "be quiet": ("mute", ""),
    "unmute": ("unmute", ""),
    "speak again": ("unmute", ""),
    "skip": ("skip", ""),
    "skip that": ("skip", ""),
}
SPELLED = {"kitsu": "K IH T S UW", "unmute": "AH N M Y UW T"}
"""Words that the dictionary lacks."""
ALSO = {"unmute": tuple(f"{vowel} N M Y UW T" for vowel in ("EH", "AA", "AO", "ER", "IH"))}
"""How they are said besides. Without these two "unmute" of five are taken for "mute"; with them one of seven."""
_LETTERS = {
    "sh": "SH", "ch": "CH", "th": "TH", "ph": "F", "ck": "K", "ng": "NG", "qu": "K W", "oo": "UW", "ee": "IY",
    "ea": "IY", "ou": "AW", "ai": "EY", "ay": "EY", "oa": "OW", "ow": "OW", "er": "ER", "ar": "AA R", "or": "AO R",
    "a": "AE", "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH", "j": "JH", "k": "K",
    "l": "L", "m": "M", "n": "N", "o": "AA", "p": "P", "q": "K", "r": "R", "s": "S", "t": "T", "u": "AH", "v": "V",
    "w": "W", "x": "K S", "y": "IY", "z": "Z",
    "0": "Z IH R OW", "1": "W AH N", "2": "T UW", "3": "TH R IY", "4": "F AO R", "5": "F AY V", "6": "S IH K S",
    "7": "S EH V AH N", "8": "EY T", "9": "N AY N",
}  # fmt: skip


class Vocabulary(Struct, frozen=True):
    """What the grammar is made of besides the fixed sayings."""

    scenes: tuple[str, ...] = ()
    panic: str = ""


class Command(Struct, frozen=True):
    """A sentence of the grammar, understood."""

    command: VoiceCommand
    argument: str = ""
    text: str = ""
    confidence: float = 0.0  # 0: the grammar does not say


def sayings(vocabulary: Vocabulary) -> dict[str, tuple[VoiceCommand, str]]:
    """Everything that can be said, and what it means."""
    table = dict(SAYINGS)
    for scene in vocabulary.scenes:
        spoken = _spoken(scene)
        if spoken:
            table[f"scene {spoken}"] = table[f"switch to {spoken}"] = ("scene", scene)
    if panic := _spoken(vocabulary.panic):
        table[panic] = ("panic", "")
    return table


def meaning(text: str, vocabulary: Vocabulary) -> Command | None:
    """Of a whole sentence, however a recogniser writes it; None when it is no command."""
    spoken = _spoken(text)
    table = sayings(vocabulary)
    for call in sorted(CALLS, key=len, reverse=True):
        if spoken not in table:
            spoken = spoken.removeprefix(f"{call} ")
    found = table.get(spoken)
    return Command(found[0], found[1], spoken) if found else None


def jsgf(vocabulary: Vocabulary) -> str:
    """The grammar: a command, with her name before it or not."""
    calls = " | ".join(CALLS)
    spoken = " | ".join(f"( {saying} )" for saying in sayings(vocabulary))
    return f"#JSGF V1.0;\ngrammar commands;\npublic <top> = [ {calls} ] ( {spoken} );\n"


def words(vocabulary: Vocabulary) -> Sequence[str]:
    """All words of the grammar."""
    return sorted({word for text in (*sayings(vocabulary), *CALLS) for word in text.split()})


def phones_of(word: str) -> str:
    """How a word that no dictionary knows is most likely said: good enough for the names of scenes."""
    if word in SPELLED:
        return SPELLED[word]
    spelled = re.sub(r"(.)\1+", r"\1", word) if not word.isdigit() else word
    parts = re.findall("|".join(_LETTERS), spelled)
    return " ".join(_LETTERS[part] for part in parts) or "AH"


def _spoken(text: str) -> str:
    """As the grammar writes it: lower case, letters and digits of English, single spaces."""
    text = text.casefold().replace("-", " ").replace("_", " ")
    return " ".join(re.sub(r"[^a-z0-9' ]", "", text).split())[:120]
