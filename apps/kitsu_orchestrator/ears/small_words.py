"""Back-channels: what listeners say while they listen on. They want no answer, and nobody to be silent."""

import re

_HUMS = "hm hmm hmmm mhm mhmm mm mmm mmhm mmhmm uhhuh uh um eh er ah aha ähm äh hä oh ooh ach"
_ASSENT = (
    "ok okay okey yeah yep yup yes ya ja jap jo jup genau stimmt klar gut right sure true cool nice wow alright "
    "good great fine indeed exactly absolutely totally interesting spannend echt wirklich really achso ach so "
    "vale sí si claro oui d'accord haha hahaha hehe lol"
)
_SMALL = frozenset(f"{_HUMS} {_ASSENT}".split())
_MOST_WORDS = 3


def is_back_channel(text: str) -> bool:
    """ "mhm", "okay, yeah", "ja genau"."""
    words = words_of(text)
    return bool(words) and len(words) <= _MOST_WORDS and all(word in _SMALL for word in words)


def words_of(text: str) -> list[str]:
    """In lower case, without signs; "uh-huh" is one word."""
    joined = re.sub(r"(?<=\w)-(?=\w)", "", text.casefold())
    return re.findall(r"[^\W_]+(?:'[^\W_]+)?", joined)


def same_words(one: str, other: str) -> bool:
    """Whether they say the same, whatever the signs between the words."""
    return words_of(one) == words_of(other)
