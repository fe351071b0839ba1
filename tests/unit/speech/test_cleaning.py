"""What is spoken of what a model writes."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitsu.speech import SegmentStream

EXPRESSIONS = frozenset({"smile", "angry"})
ACTIONS = frozenset({"wave", "nod"})
PLENTY_MS = 60_000.0


def stream() -> SegmentStream:
    return SegmentStream(cuts="natural", names=("Kitsu",), expressions=EXPRESSIONS, actions=ACTIONS)


def spoken(*deltas: str, buffered_ms: float = PLENTY_MS) -> str:
    speech = stream()
    segments = [segment for delta in deltas for segment in speech.feed(delta, buffered_ms)]
    return " ".join(segment.text for segment in (*segments, *speech.finish()))


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("<think>what do they want?</think>Hello there.", "Hello there."),
        ("<think>a<think>b</think>c</think>Hello there.", "Hello there."),
        ("<thinking>a < b, [smile] ``` </thinking>Hi you.", "Hi you."),
        ("Hello <think>never closed, never said", "Hello"),
        ("Hi </think>there", "Hi there"),
        ("Hello there.<|eot_id|>", "Hello there."),
        ("**Hello** my _dear_ `friend`, ~~not~~ bye", "Hello my dear friend, not bye"),
        ("# Hello\n- one thing\n* two things\n> three things", "Hello one thing two things three things"),
        ("See [my page](https://a.example/b) now", "See my page now"),
        ("Look: ```python\nprint(1)\n``` done", "Look: done"),
        ("Look: ```never closed", "Look:"),
        ("a<br>b <b>bold</b> <3 5 < 6", "a b bold 5 6"),
        ("*waves at you* Hello *giggles* friend", "Hello friend"),
        ("I *really* mean it, *always* did, that *is* so", "I really mean it, always did, that is so"),
        ("Hi there *sighs and", "Hi there"),
        ("* one item and 2 * 3 and 2*3 and f*ck", "one item and 2 3 and 2*3 and f*ck"),
        ("Kitsu: Hello.\nkitsu : And more.\nAssistant: Bye.", "Hello. And more. Bye."),
        ("**Kitsu:** Hello Kitsu: you", "Hello Kitsu: you"),
        ("Kitsu says hello", "Kitsu says hello"),
        ("Kit", "Kit"),
        ("Hello 😀 my 👩‍👩‍👧 friend🎉 yes ♥ → no", "Hello my friend yes no"),
        ("Hello 😀! Oh 🎉, and *waves* ... fine", "Hello! Oh, and... fine"),
        ("Hello :) you :D are xD fun :smile: ok ^_^ T_T bye", "Hello you are fun ok bye"),
        ("To be, or not to be", "To be, or not to be"),
        ("no\u200bbreak, zor\u00adbly, \u202eevil\u202c", "nobreak, zorbly, evil"),
        ("bell\x07 nul\x00 esc\x1b[31m", "bell nul esc"),
        ("tab\tand\r\nline\u2028end\u00a0ok", "tab and line end ok"),
        ("Gruß, señor Æ 漢字 مرحبا नमस्ते", "Gruß, señor Æ 漢字 مرحبا नमस्ते"),
        ("e" + "\u0301" * 500 + "nd", "e" + "\u0301" * 4 + "nd"),
        ("it costs 1,000 €, 5° or 20%", "it costs 1,000 €, 5° or 20%"),
        ("\ud800lone\udfff surrogates", "lone surrogates"),
        ("... !!! ??? --- ' \" *** ___", ""),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_drops_what_nobody_says(raw: str, said: str) -> None:
    assert spoken(raw) == said
    assert spoken(*raw) == said


@pytest.mark.parametrize(
    ("raw", "expression", "action", "intensity"),
    [
        ("[smile] Hello there.", "smile", "", 1.0),
        ("[ Smile ][wave:0.5]Hello there.", "smile", "wave", 0.5),
        ("[smile, wave : 0.25] Hello there.", "smile", "wave", 0.25),
        ("[wave:7] Hello there.", "", "wave", 1.0),
        ("[wave:1.2.3] Hello there.", "", "wave", 1.0),
        ("Hello [nod] there.", "", "nod", 1.0),
        ("[[smile]] Hello there.", "smile", "", 1.0),
        ("Kitsu: [smile] Hello there.", "smile", "", 1.0),
        ("[smile] Kitsu: Hello there.", "smile", "", 1.0),
    ],
)
def test_finds_stage_directions(raw: str, expression: str, action: str, intensity: float) -> None:
    for deltas in ([raw], list(raw)):
        speech = stream()
        segments = [segment for delta in deltas for segment in speech.feed(delta, PLENTY_MS)] + speech.finish()
        assert [(s.text, s.expression, s.action, s.intensity) for s in segments] == [
            ("Hello there.", expression, action, intensity)
        ]
        assert not speech.unknown_tags


def test_a_direction_belongs_to_the_words_that_follow() -> None:
    speech = stream()
    segments = [*speech.feed("[smile] Hello there. [angry][wave] Oh no, [smile] all is well. [nod]"), *speech.finish()]
    assert [(s.text, s.expression, s.action) for s in segments] == [
        ("Hello there.", "smile", ""),
        ("Oh no,", "angry", "wave"),
        ("all is well.", "smile", ""),
    ]


def test_a_second_expression_starts_a_segment() -> None:
    speech = stream()
    segments = [*speech.feed("[smile] I like it [angry] but not you.", PLENTY_MS), *speech.finish()]
    assert [(s.text, s.expression) for s in segments] == [("I like it", "smile"), ("but not you.", "angry")]


def test_unknown_directions_are_stripped_and_counted() -> None:
    speech = stream()
    speech.feed("[Laughs softly] Hello [laughs softly] there [1] you [] and [ho")
    speech.finish()
    assert speech.unknown_tags == {"laughs softly": 2, "1": 1, "": 1, "ho": 1}


def test_counts_of_unknown_directions_are_bounded() -> None:
    speech = stream()
    for number in range(1000):
        speech.feed(f"[{number}{'x' * 50}]")
    assert len(speech.unknown_tags) == 100
    assert max(map(len, speech.unknown_tags)) == 40


def test_what_is_too_long_for_a_direction_is_text() -> None:
    aside = "word " * 20
    assert spoken(f"[{aside} end") == f"{aside} end".replace("  ", " ")


SIGNS = st.sampled_from(
    [
        *"abc xyz ,.!?;:…—'\"()[]<>*_`~|\\#-+\n0123",
        "<think>",
        "</think>",
        "```",
        "**",
        "[smile]",
        "[wave:0.5]",
        "Kitsu:",
        "](",
        "http://",
        "😀",
        "\u202e",
        "\x00",
    ]
)


@settings(deadline=None)
@given(st.lists(SIGNS, max_size=60).map("".join), st.randoms(use_true_random=False))
def test_any_split_says_the_same(text: str, chance: random.Random) -> None:
    deltas, rest = [], text
    while rest:
        size = chance.randint(1, 7)
        deltas.append(rest[:size])
        rest = rest[size:]
    assert spoken(*deltas) == spoken(text)


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_at_all(text: str) -> None:
    assert spoken(*text) == spoken(text)
