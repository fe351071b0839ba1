"""Does it read like a finished sentence? Decides how long a pause is waited for."""

import re
from typing import Literal

Completeness = Literal["finished", "maybe", "unfinished"]
SURELY = 0.12
"""Of texts that end after the last words. Measured: whole sentences lie above it, their first halves mostly below."""

_OPEN_ENDS = {
    language: frozenset(words.split())
    for language, words in {
        "en": "a an and as at because but by for from have if in into is it's just like my no not of on or so than "
        "that the their them then they to uh um was we what when where which who will with would you your i'm i",
        "de": "aber als am an auf aus bei bis da dann das dass dem den der des die doch ein eine einem einen einer "
        "eines für hat ich im in ist ja mein mit nach nicht noch ob oder sehr sich sie sind so und vom von war was "
        "weil wenn wer wie wir zu zum zur äh ähm",
        "es": "a al con de del el en la las lo los me mi muy no o para pero por porque que se si su un una y",
        "fr": "à au aux avec ce de des du elle en et euh il je la le les mais ne ou où par pas pour que qui se si un "
        "une",
    }.items()
}
_FINISHED = re.compile(r"[.!?…。！？][\"'”’)]*$")
_HANGING = re.compile(r"(\.\.\.|…|[,;:\-–—])$")


def complete(text: str, language: str) -> bool:
    """True for "we play tonight", False for "we play tonight and". What nothing is known of is finished."""
    text = text.strip()
    if not text:
        return False
    if _HANGING.search(text):
        return False
    if _FINISHED.search(text):
        return True
    last = re.sub(r"[^\w']", "", text.split()[-1].casefold())
    return last not in _OPEN_ENDS.get(language or "en", frozenset())


def how_complete(text: str, language: str, ends: float = 0.0) -> Completeness:
    """`ends`: how often texts end so, by a language model; 0: not known. Then only a mark at the end is certain."""
    if not complete(text, language):
        return "unfinished"
    sure = bool(_FINISHED.search(text.strip())) or ends >= SURELY
    return "finished" if sure else "maybe"
