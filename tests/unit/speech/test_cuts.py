"""Where segments end."""

import random
import re
import statistics
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitsu.speech import Cuts, RawSegment, SegmentStream
from tests.unit.speech.replies import REPLIES

PLENTY_MS = 60_000.0
SOME_MS = 800.0

FIRST_TOKEN_MS = 150.0
TOKEN_MS = 25.0
FIRST_SOUND_MS = 80.0


def stream(cuts: Cuts) -> SegmentStream:
    return SegmentStream(cuts=cuts, names=("Kitsu",), expressions=frozenset({"smile"}), actions=frozenset())


def tokens(text: str) -> list[str]:
    """Words with the space before them, as real tokenizers make them."""
    return re.findall(r"\s*\S+", text)


def cut(text: str, cuts: Cuts = "natural", buffered_ms: float = 0.0, deltas: list[str] | None = None) -> list[str]:
    speech = stream(cuts)
    segments = [s for delta in deltas or tokens(text) for s in speech.feed(delta, buffered_ms)]
    return [segment.text for segment in (*segments, *speech.finish())]


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("Oh wow, welcome to the stream.", ["Oh wow,", "welcome to the stream."]),
        ("Okay, so here is the plan for today.", ["Okay, so here is the plan", "for today."]),
        ("Hi! How are you? I am fine.", ["Hi! How are you?", "I am fine."]),
        ("My hands shake because I lost.", ["My hands shake because I lost."]),
        ("My poor little hands shake because I lost.", ["My poor little hands shake", "because I lost."]),
        ("We all really just want to go home.", ["We all really just want to go home."]),
        ("What are you all really talking about?", ["What are you all really talking about?"]),
        ("What are you all really talking about today?", ["What are you all really talking", "about today?"]),
        ("It is over — and we won – fine - ok", ["It is over —", "and we won –", "fine - ok"]),
        ("So it goes... and then; it ends: now.", ["So it goes...", "and then;", "it ends:", "now."]),
        ("She said, “Stop!” and he did.", ["She said,", "“Stop!” and he did."]),
        ("One line here\nand another line", ["One line here", "and another line"]),
        ("这是一个很长的句子。这是第二个句子！", ["这是一个很长的句子。", "这是第二个句子！"]),
    ],
)
def test_natural_cuts(text: str, segments: list[str]) -> None:
    assert cut(text) == segments


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("Okay, so here is the plan for today.", ["Okay,", "so here is the", "plan for today."]),
        ("Oh wow, welcome to the stream.", ["Oh wow,", "welcome to the stream."]),
        ("I was with old Mr. Fox that day.", ["I was with old", "Mr. Fox that day."]),
        ("Then I met Mr. Fox again.", ["Then I met Mr. Fox", "again."]),
        ("Hi! How are you?", ["Hi!", "How are you?"]),
    ],
)
def test_eager_cuts(text: str, segments: list[str]) -> None:
    assert cut(text, "eager") == segments


@pytest.mark.parametrize("cuts", ["natural", "eager"])
@pytest.mark.parametrize(
    "whole",
    [
        "1,000,000 fans,",
        "at 10:30 exactly,",
        "version 3.14 now,",
        "see https://a.example/b,c?d=e!f now,",
        "ask Dr. Fox,",
        "say e.g. this,",
        "in the U.S. today,",
        "J. R. Fox said,",
        "on kitsu.example today,",
    ],
)
def test_never_cuts_inside(whole: str, cuts: Cuts) -> None:
    for deltas in (tokens(whole), list(whole), [whole], re.findall(r"\w+|\W", whole)):
        assert cut(whole, cuts, deltas=deltas)[0] == whole


@pytest.mark.parametrize("deltas", [["Oh wow,"], ["Oh", " wow", ","], ["Oh wow, "], list("Oh wow,")])
def test_a_comma_cuts_at_once(deltas: list[str]) -> None:
    speech = stream("natural")
    assert [s.text for delta in deltas for s in speech.feed(delta)] == ["Oh wow,"]


def test_counted_words_wait_for_the_next_token() -> None:
    speech = stream("eager")
    for delta in ("I am", " so", " hap", "py"):
        assert speech.feed(delta) == []
    assert [s.text for s in speech.feed(" to")] == ["I am so happy"]


def test_the_more_sound_is_left_the_longer_the_segments() -> None:
    text = "Well, I was there, as you know, and it was fun, so much fun, honestly. And then we left."
    assert cut(text, buffered_ms=PLENTY_MS) == [text[:-18], "And then we left."]
    assert cut(text, buffered_ms=SOME_MS) == [
        "Well, I was there,",
        "as you know,",
        "and it was fun,",
        "so much fun,",
        "honestly. And then we left.",
    ]


def test_what_was_just_cut_counts_as_sound_to_come() -> None:
    text = "Oh wow, this *really* all came at once 🎉, you see, and it was fun. Yes, it was, really, so much fun."
    assert cut(text, deltas=[text]) == [
        "Oh wow,",
        "this really all came at once,",
        "you see, and it was fun.",
        "Yes, it was, really, so much fun.",
    ]


def test_long_sentences_are_cut_at_their_last_comma() -> None:
    text = "word " * 20 + "comma, " + "more " * 30
    first, second = cut(text, buffered_ms=PLENTY_MS)
    assert first == "word " * 20 + "comma,"
    assert second == ("more " * 30).strip()


def test_no_segment_is_longer_than_200() -> None:
    for text in ("a" * 1000, "word " * 300, "a," * 500, "(" * 300 + "a" * 300, "词" * 500):
        segments = cut(text, buffered_ms=PLENTY_MS)
        assert max(map(len, segments)) <= 200
        assert "".join(segments).replace(" ", "").lstrip("(") == text.replace(" ", "").lstrip("(")


def test_segments_can_be_compared() -> None:
    assert RawSegment("a", "smile") == RawSegment("a", expression="smile", action="", intensity=1.0)


SOME_WORDS = (
    "I we fox stream really and because about to 1,000 3.14 Mr. e.g. don't oh-so https://a.b/c,d Hi! no? yes. well,"
    " so... — café 漢字"
)
WORDS = st.sampled_from(SOME_WORDS.split())


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


@settings(deadline=None)
@given(st.lists(WORDS, max_size=40), st.randoms(use_true_random=False), st.sampled_from(["natural", "eager"]))
def test_nothing_is_lost_or_doubled(words: list[str], chance: random.Random, cuts: Cuts) -> None:
    text = " ".join(words)
    speech = stream(cuts)
    segments, rest = [], text
    while rest:
        size = chance.randint(1, 9)
        segments += speech.feed(rest[:size], chance.choice([0.0, SOME_MS, PLENTY_MS]))
        rest = rest[size:]
    segments += speech.finish()
    assert _letters("".join(s.text for s in segments)) == _letters(text)
    assert all(s.text == s.text.strip() and _letters(s.text) for s in segments)


@settings(deadline=None)
@given(st.lists(WORDS, max_size=40), st.randoms(use_true_random=False), st.sampled_from(["natural", "eager"]))
def test_with_sound_left_any_split_gives_the_same_segments(words: list[str], chance: random.Random, cuts: Cuts) -> None:
    text = " ".join(words)
    deltas, rest = [], text
    while rest:
        size = chance.randint(1, 9)
        deltas.append(rest[:size])
        rest = rest[size:]
    assert cut(text, cuts, PLENTY_MS, deltas) == cut(text, cuts, PLENTY_MS, [text])


@settings(deadline=None)
@given(st.lists(WORDS, max_size=40))
def test_natural_cuts_never_stutter(words: list[str]) -> None:
    for segment in cut(" ".join(words))[:-1]:
        assert len(re.findall(r"\w\S*", segment)) > 1


def _limit(token: int) -> float:
    """First sound if the first segment ends with the `token`-th token (from 1) and nothing else takes time, ms."""
    return FIRST_TOKEN_MS + (token - 1) * TOKEN_MS + FIRST_SOUND_MS


def _first_cut(text: str, cuts: Cuts) -> int:
    speech = stream(cuts)
    deltas = tokens(text)
    return next((n for n, delta in enumerate(deltas, 1) if speech.feed(delta)), len(deltas))


def _ratios(cuts: Cuts, ends: str, words: int) -> list[float]:
    ratios = []
    for text in REPLIES:
        limit = next(n for n, word in enumerate(text.split(), 1) if word[-1] in ends or n >= words)
        ratios.append(_limit(_first_cut(text, cuts)) / _limit(limit))
    return sorted(ratios)


def test_natural_cuts_are_early() -> None:
    ratios = _ratios("natural", ".!?", 1000)
    assert statistics.median(ratios) <= 0.76  # the whole path's target is 0.80
    assert ratios[-1] <= 1.07


def test_eager_cuts_are_at_the_limit() -> None:
    ratios = _ratios("eager", ",;:.!?", 4)
    assert statistics.median(ratios) <= 1.09  # the whole path's target is 1.12
    assert ratios[-1] <= 1.1


def test_a_token_costs_microseconds() -> None:
    costs = []
    for text in REPLIES:
        speech = stream("natural")
        for token in tokens(text):
            begin = time.perf_counter()
            speech.feed(token)
            costs.append(time.perf_counter() - begin)
    assert statistics.median(costs) < 100e-6


HOSTILE = [
    "a",
    "!(",
    "[",
    "<x",
    "*a",
    "`",
    "_",
    "\n",
    "Kitsu ",
    "- ",
    "<think>",
    "[smile]",
    "\u0301",
    "word, and ",
    "😀",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_garbage_takes_linear_time(piece: str) -> None:
    def once(text: str) -> float:
        speech = stream("natural")
        begin = time.process_time()
        speech.feed(text)
        speech.finish()
        return time.process_time() - begin

    def seconds(size: int) -> float:
        return min(once(piece * (size // len(piece))) for _ in range(3))  # the least disturbed one

    assert seconds(80_000) < 40 * max(seconds(5_000), 1e-3)  # 16 times the text; quadratic would be 256 times


def test_garbage_token_by_token() -> None:
    chance = random.Random(7)
    speech = stream("natural")
    alphabet = "ab ,.*[]<>_`~!\n:é😀\u202e"
    begin = time.process_time()
    for _ in range(5_000):
        for segment in speech.feed("".join(chance.choices(alphabet, k=50))):
            assert 0 < len(segment.text) <= 200
    assert time.process_time() - begin < 5
