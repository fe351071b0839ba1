"""Text: what is stable, complete, addressed, or was never spoken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitsu_asr.agreement import Agreement
from kitsu_asr.complete import SURELY, Completeness, complete, how_complete
from kitsu_asr.engine import Heard
from kitsu_asr.guards import phantom
from kitsu_asr.wake import addressed


def test_what_two_results_agree_on_is_stable_but_for_the_last_words() -> None:
    agreement = Agreement()
    assert agreement.add("what game are") == ("what game are", 0)
    assert agreement.add("what game are we to") == ("what game are we to", len("what game are"))
    assert agreement.add("what aim are we two play") == ("what game are we two play", len("what game are"))
    shown, stable = agreement.add("What game are we to play tonight", whole=True)
    assert shown[:stable] == "what game are"
    shown, stable = agreement.add("What game are we to play tonight", whole=True)
    assert shown == "what game are we to play tonight"
    assert stable == len(shown)


WORDS = st.lists(st.sampled_from(["a", "b", "B.", "c"]), max_size=6).map(" ".join)


@given(st.lists(st.tuples(WORDS, st.booleans()), max_size=12), WORDS)
def test_the_stable_part_is_never_retracted(results: list[tuple[str, bool]], final: str) -> None:
    agreement = Agreement()
    promised = ""
    for text, whole in results:
        shown, stable = agreement.add(text, whole=whole)
        assert shown.startswith(promised)
        assert stable >= len(promised)
        promised = shown[:stable]
    assert agreement.keep(final).startswith(promised)


@pytest.mark.parametrize(
    ("text", "language", "finished"),
    [
        ("we play tonight", "en", True),
        ("we play tonight and", "en", False),
        ("We play tonight.", "en", True),
        ("We play tonight, and", "en", False),
        ("Well...", "en", False),
        ("I think,", "en", False),
        ("the", "en", False),
        ("wir spielen heute", "de", True),
        ("wir spielen heute und", "de", False),
        ("und", "en", True),
        ("今日は遊びます。", "ja", True),
        ("", "en", False),
    ],
)
def test_a_finished_sentence(text: str, language: str, finished: bool) -> None:
    assert complete(text, language) is finished


@pytest.mark.parametrize(
    ("text", "ends", "found"),
    [
        ("we play tonight", 0.0, "maybe"),
        ("we play tonight", SURELY, "finished"),
        ("We play tonight.", 0.0, "finished"),
        ("we play tonight and", 0.9, "unfinished"),
        ("Well...", 0.9, "unfinished"),
        ("", 0.9, "unfinished"),
    ],
)
def test_how_surely_a_sentence_is_finished(text: str, ends: float, found: Completeness) -> None:
    assert how_complete(text, "en", ends) == found


@pytest.mark.parametrize(
    ("text", "is_for_her"),
    [
        ("Kitsu, what do you think?", True),
        ("hey kitsu what time is it", True),
        ("kit sue what time is it", True),
        ("What do you think, Kitsu?", True),
        ("kitzu come here", True),
        ("the kitchen is on fire", False),
        ("I told my friend that we love kitsu because she is funny", False),
        ("", False),
        ("quit", False),
    ],
)
def test_her_name(text: str, is_for_her: bool) -> None:
    assert addressed(text, ["Kitsu"]) is is_for_her


@pytest.mark.parametrize(
    ("heard", "voiced_ms", "invented"),
    [
        (Heard("Thanks for watching!", confidence=0.4, no_speech=0.7), 900, True),
        (Heard("Thank you.", confidence=0.4, no_speech=0.1), 300, True),
        (Heard("Thank you.", confidence=0.95, no_speech=0.01), 600, False),
        (Heard("Untertitel der Amara.org-Community", confidence=0.99, no_speech=0.0), 2000, True),
        (Heard("no no no no no no no no", confidence=0.9), 3000, True),
        (Heard("I love you. " * 12, confidence=0.9), 20_000, True),
        (Heard("one two three four five six seven eight nine ten", confidence=0.9), 300, True),
        (Heard("what game are we going to play", confidence=0.9), 1500, False),
        (Heard("what game are we going to play"), 1500, False),
        (Heard("hm", confidence=0.2, no_speech=0.8), 400, True),
        (Heard("..."), 400, True),
        (Heard(""), 400, True),
    ],
)
def test_words_that_nobody_said(heard: Heard, voiced_ms: float, invented: bool) -> None:
    assert phantom(heard, voiced_ms) is invented
