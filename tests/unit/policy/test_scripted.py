"""The demo brain."""

import time
from contextlib import aclosing

import pytest

from kitsu.config import PolicySettings
from kitsu.protocol import Intent, PolicyPrepare, PolicyRespond
from kitsu_policy.engines.scripted import MAX_CONVS, ScriptedBrain, normalised

INTENTS = {
    "greeting": Intent(examples=("hello", "hi", "good morning"), lines=tuple(f"Greeting {n}." for n in range(4))),
    "name": Intent(examples=("who are you", "what is your name"), lines=tuple(f"Name {n}." for n in range(4))),
    "weather": Intent(examples=("what is the weather like", "is it raining"), lines=("Sunny.", "Rainy.")),
    "single": Intent(examples=("say the magic word",), lines=("Please.",)),
    "fallback": Intent(lines=tuple(f"Fallback {n}." for n in range(4))),
}


@pytest.fixture
def brain() -> ScriptedBrain:
    brain = ScriptedBrain(PolicySettings())
    brain.prepare(PolicyPrepare(character="Kitsu", system="", intents=INTENTS))
    return brain


async def say(brain: ScriptedBrain, text: str, conv: str = "stage", max_tokens: int = 220) -> str:
    request = PolicyRespond(conv=conv, prompt=f'viewer: "{text}"', plain=text, max_tokens=max_tokens)
    async with aclosing(brain.answer(request)) as pieces:
        return "".join([piece.text async for piece in pieces])


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("hello", "Greeting"),
        ("HELLO KITSU!!!", "Greeting"),
        ("Hi there", "Greeting"),
        ("helo", "Greeting"),
        ("hello, who are you?", "Name"),
        ("whats your name", "Name"),
        ("who r you", "Name"),
        ("Kitsu, what's your name?", "Name"),
        ("hey what is the weather like today", ("Sunny", "Rainy")),
        ("what is the meaning of life", "Fallback"),
        ("who are those people that you are always talking about", "Fallback"),
        ("explain quantum chromodynamics", "Fallback"),
        ("this thing", "Fallback"),
        ("asdkjh qwe", "Fallback"),
        ("", "Fallback"),
        ("?!", "Fallback"),
        ("kitsu", "Fallback"),
    ],
)
async def test_understands(brain: ScriptedBrain, text: str, intent: str | tuple[str, ...]) -> None:
    assert (await say(brain, text)).startswith(intent)


async def test_never_the_same_line_twice_in_a_row(brain: ScriptedBrain) -> None:
    for text in ("hello", "xyzzy plugh", "is it raining", "say the magic word"):
        last = ""
        for _ in range(60):
            line = await say(brain, text)
            assert line != last
            last = line


async def test_varies(brain: ScriptedBrain) -> None:
    assert len({await say(brain, "hello") for _ in range(60)}) == 4


async def test_conversations_do_not_mix(brain: ScriptedBrain) -> None:
    for number in range(MAX_CONVS + 50):
        await say(brain, "hello", conv=f"page:{number}")
    assert len(brain._said) == MAX_CONVS


async def test_says_at_most_max_tokens(brain: ScriptedBrain) -> None:
    request = PolicyRespond(plain="hello", prompt="", max_tokens=1)
    async with aclosing(brain.answer(request)) as pieces:
        assert [(piece.text, piece.end) async for piece in pieces] == [("Greeting", None), ("", "length")]


async def test_a_character_without_a_fallback_still_answers() -> None:
    brain = ScriptedBrain(PolicySettings())
    brain.prepare(
        PolicyPrepare(character="K", system="", intents={"only": Intent(examples=("hi",), lines=("Hello.",))})
    )
    assert await say(brain, "something else entirely") == "Hello."


async def test_quick_on_hostile_lines(brain: ScriptedBrain) -> None:
    begin = time.process_time()
    for text in ("a" * 1_000_000, "hello " * 100_000, "\u0301" * 1_000_000, "ﷺ" * 10_000):
        assert await say(brain, text)
    assert time.process_time() - begin < 1


def test_normalised() -> None:
    assert normalised("  What's\tYOUR náme?!_ﬁ ") == "what is your name fi"
    assert normalised("The") == "the"
