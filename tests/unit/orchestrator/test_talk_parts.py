"""What the ears' side knows without a show: small words, her own voice, the floor, waiting files."""

import asyncio

import pytest

from kitsu.protocol import Author
from kitsu_orchestrator.config import TalkSettings
from kitsu_orchestrator.crisis import CrisisCare
from kitsu_orchestrator.ears.own_voice import OwnVoice, share
from kitsu_orchestrator.ears.small_words import is_back_channel, same_words, words_of
from kitsu_orchestrator.floor import Floor
from kitsu_orchestrator.lines import Job

SAID = "The fox has eaten all of the pancakes again, and nobody saw it happen."


@pytest.mark.parametrize("text", ["mhm", "Mm-hmm.", "okay", "ja, genau", "Yeah, right!", "aha", "HAHA", "sí, claro"])
def test_back_channels(text: str) -> None:
    assert is_back_channel(text)


@pytest.mark.parametrize(
    "text", ["", "...", "stop", "no", "nein", "okay stop", "yeah but why", "mhm mhm mhm mhm", "wait", "Kitsu", "右"]
)
def test_what_is_more_than_that(text: str) -> None:
    assert not is_back_channel(text)


def test_words_whatever_the_signs() -> None:
    assert words_of("Don't, you — KNOW?") == ["don't", "you", "know"]
    assert same_words("What do we play tonight", "what do we play tonight?")
    assert not same_words("What do we play", "What do we play tonight")
    assert same_words("", "...")


@pytest.mark.parametrize(
    ("text", "echo", "hers"),
    [
        ("all of the pancakes again", 0.5, True),
        ("all of the pan cakes again", 0.5, True),  # recognisers mishear
        ("all of the pancakes again", 0.1, False),  # somebody repeats her
        ("who ate my lunch today then", 0.9, False),
        ("fox", 0.5, False),  # too short to tell
        ("fox", 0.7, True),
        ("", 0.9, False),
        (SAID + " " + SAID, 0.9, False),  # longer than anything of hers
    ],
)
def test_her_own_voice(text: str, echo: float, hers: bool) -> None:
    own = OwnVoice(TalkSettings())
    own.said(SAID)
    assert own.is_hers(text, echo) is hers


def test_what_she_said_long_ago_is_no_echo() -> None:
    now = 100.0
    own = OwnVoice(TalkSettings(echo_s=10), lambda: now)
    own.said(SAID)
    now += 11
    assert not own.is_hers("all of the pancakes again", 0.9)
    assert own.is_hers("all of the pancakes again", 0.9, saying=SAID)


@pytest.mark.parametrize(
    ("given", "taken"), [(float("nan"), 0.0), (float("inf"), 0.0), (-3.0, 0.0), (7.0, 1.0), (0.25, 0.25)]
)
def test_shares(given: float, taken: float) -> None:
    assert share(given) == taken


async def test_the_floor_is_free_when_all_are_done() -> None:
    floor = Floor()
    floor.take("one", 60)
    floor.take("other", 60)
    floor.take("one", 60)
    floor.give("one")
    floor.give("nobody")
    assert not floor.free.is_set()
    floor.give("other")
    assert floor.free.is_set()
    floor.take("one", 60)
    floor.clear()
    assert floor.free.is_set()


async def test_nobody_keeps_the_floor() -> None:
    floor = Floor()
    floor.take("one", 0.01)
    async with asyncio.timeout(5):
        await floor.free.wait()


def test_the_calm_line_of_a_turn_that_never_was_may_be_given_again() -> None:
    care = CrisisCare()
    robin = Author(name="Robin", platform="mic")
    assert care.give(robin, "guess")
    assert not care.give(robin, "another")
    care.take_back("nobody")
    care.take_back("guess")
    assert care.give(robin, "another")


async def test_a_guess_that_was_right_began_before_its_line() -> None:
    job = Job(text="hi", author=Author(name="Robin"))
    story = job.story()
    story.received -= 0.5
    story.mark("first_token_ms")
    story.step("turn.started")
    story.begin_anew()
    story.mark("first_audio_ms")
    assert story.times.first_token_ms == pytest.approx(0, abs=50)
    assert story.times.first_token_ms < story.times.first_audio_ms < 50
    assert story.steps[0].at_ms < story.steps[1].at_ms
