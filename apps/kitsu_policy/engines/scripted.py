"""The demo brain: the character's own lines, chosen by what somebody wrote. No language model, and it says so."""

import random
import re
import unicodedata
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from operator import itemgetter
from typing import ClassVar

from rapidfuzz import fuzz

from kitsu.config import PolicySettings
from kitsu.errors import EngineError
from kitsu.protocol import Intent, PolicyPrepare, PolicyRespond
from kitsu_policy.brain import Brain, Piece

FALLBACK = "fallback"  # the intent for everything that no example resembles
THRESHOLD = 66.0  # of `_likeness`; below it nothing was understood
SAME = 82.0  # of a hundred: two lines that differ by typing errors at most
MAX_CHARS = 300  # of a line that are looked at
MAX_CONVS = 256  # conversations whose last lines are remembered
RECENT = 3  # lines that are not repeated if there are others
CONTAINED = 85.0  # of a hundred: a line holds another one, typing errors aside

_SHORT = {
    "im": "i am",
    "youre": "you are",
    "whats": "what is",
    "hows": "how is",
    "whos": "who is",
    "u": "you",
    "r": "are",
    "ur": "your",
    "pls": "please",
    "plz": "please",
    "thx": "thanks",
    "ty": "thanks",
    "ily": "i love you",
}
_LITTLE = frozenset(("a", "an", "the", "there", "please", "so", "just", "really", "very", "now", "today", "everyone"))
_WORD = re.compile(r"[^\W_]+")
_TOKEN = re.compile(r"\s*\S+")


class ScriptedBrain(Brain):
    """Matches intents by fuzzy comparison; never says the same line twice in a row in a conversation."""

    name: ClassVar[str] = "scripted"
    features: ClassVar[tuple[str, ...]] = ("demo",)

    def __init__(self, settings: PolicySettings) -> None:
        super().__init__(settings)
        self._examples: list[tuple[str, str]] = []  # normalised example, intent
        self._intents: Mapping[str, Intent] = {}
        self._said: OrderedDict[str, deque[str]] = OrderedDict()  # last lines by conversation
        self._chance = random.Random()

    @property
    def note(self) -> str:
        return "demo brain: her own written lines, no language model"

    async def load(self, stack: AsyncExitStack) -> None:
        _likeness("hello", "hello there")

    def prepare(self, order: PolicyPrepare) -> None:
        name = normalised(order.character)
        self._intents = {key: intent for key, intent in order.intents.items() if intent.lines}
        self._examples = [
            (_without(normalised(example), name) or normalised(example), key)
            for key, intent in self._intents.items()
            for example in intent.examples
        ]
        self._name = name

    async def answer(self, request: PolicyRespond) -> AsyncGenerator[Piece, None]:
        if not self._intents:
            raise EngineError("not_prepared", "the demo brain has no lines yet; it waits for the character")
        if request.schema:
            raise EngineError(
                "no_structured_answers", "the demo brain has written lines only; it cannot fill in a form"
            )
        line = self._pick(request.conv, self._understand(request.plain or request.prompt))
        tokens = _TOKEN.findall(line)
        for token in tokens[: request.max_tokens]:
            yield Piece(token)
        yield Piece("", "stop" if len(tokens) <= request.max_tokens else "length")

    def _understand(self, text: str) -> Intent:
        words = normalised(text[:MAX_CHARS])
        words = _without(words, self._name) or words
        scores = ((_likeness(words, example), key) for example, key in self._examples)
        best, intent = max(scores, key=itemgetter(0), default=(0.0, FALLBACK))
        if best < THRESHOLD or intent not in self._intents:
            intent = FALLBACK
        return self._intents.get(intent) or next(iter(self._intents.values()))

    def _pick(self, conv: str, intent: Intent) -> str:
        said = self._said.setdefault(conv, deque(maxlen=RECENT))
        self._said.move_to_end(conv)
        if len(self._said) > MAX_CONVS:
            self._said.popitem(last=False)
        fresh = [line for line in intent.lines if line not in said]
        other = [line for line in self._all_lines(intent) if not said or line != said[-1]]
        line = self._chance.choice(fresh or other or intent.lines)
        said.append(line)
        return line

    def _all_lines(self, intent: Intent) -> tuple[str, ...]:
        """Her lines for it, and for an intent with a single line the fall-back's too."""
        fallback = self._intents.get(FALLBACK)
        return intent.lines if len(intent.lines) > 1 or not fallback else (*intent.lines, *fallback.lines)


def normalised(text: str) -> str:
    """Lower-case words without accents and signs, short forms written out, words that say little left out."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in plain if not unicodedata.combining(char) and char not in "'’")
    words = [_SHORT.get(word, word) for word in _WORD.findall(plain)]
    return " ".join([word for word in words if word not in _LITTLE] or words)


def _without(words: str, name: str) -> str:
    return " ".join(word for word in words.split() if word != name)


def _likeness(text: str, example: str) -> float:
    """0..100: how much `text` says what `example` says.

    Whole lines are compared letter by letter (typing errors). An example inside a longer line needs the same words in
    about the same order, and counts the less, the smaller a part of the line it is.
    """
    whole = fuzz.ratio(text, example)
    if whole >= SAME:
        return float(whole)
    inside = min(fuzz.token_set_ratio(text, example), fuzz.partial_ratio(text, example))
    share = min(1.0, len(example) / max(1, len(text)))
    return inside * (0.2 + 0.8 * share**0.5) if inside >= CONTAINED else 0.0
