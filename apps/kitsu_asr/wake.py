"""Was she spoken to? Recognisers write her name as they please."""

import re
from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

ALIKE = 0.75
HEARD_AS = {
    "kitsu": ("kit su", "kit sue", "kit soo", "kids you", "kids who", "kids to", "keeps you", "kit zoo", "kitsune")
}
"""How recognisers wrote the name when two synthesisers said it."""
_WORDS_DEEP = 4  # her name comes early, or last


def addressed(text: str, names: Sequence[str]) -> bool:
    """Whether the text begins (or ends) with one of the names, nearly."""
    words = re.findall(r"[\w']+", text.casefold())
    wanted = {form for name in names for form in (name.casefold(), *HEARD_AS.get(name.casefold(), ()))}
    return any(_names(words, form.split()) for form in wanted if form)


def _names(words: Sequence[str], form: Sequence[str]) -> bool:
    size = len(form)
    places = {*range(min(_WORDS_DEEP, len(words))), len(words) - size}
    return any(_alike(" ".join(words[at : at + size]), " ".join(form)) for at in places if 0 <= at <= len(words) - size)


def _alike(said: str, name: str) -> bool:
    if len(name) < 4:
        return said == name
    return Levenshtein.normalized_similarity(said, name) >= ALIKE and said[0] == name[0]
