"""The questions of `kitsu quickstart`. Enter takes what stands in brackets; a wrong answer is asked again, with why."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass

from kitsu_cli import asking
from kitsu_cli.screen import WIDTH, plain, wrap

_CHANNEL = re.compile(r"[A-Za-z0-9_]{3,25}")
_LINK = re.compile(r"^(https?://)?(www\.)?twitch\.tv/|^@", re.IGNORECASE)


class WrongAnswerError(Exception):
    """The text says what is expected."""


@dataclass(frozen=True, slots=True)
class Question:
    """`read` makes of what was typed what was meant, or raises WrongAnswerError."""

    text: str
    default: str
    read: Callable[[str], str]
    help: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answers:
    """What the person wants."""

    channel: str  # empty: none
    brain: str  # auto | demo | ollama
    voice: str  # built-in | natural
    obs: bool
    vtube_studio: bool


def channel(typed: str) -> str:
    """A Twitch name, also as its address; empty for none."""
    name = _LINK.sub("", typed).strip("/")
    if name.casefold() in ("", "none", "no", "n"):
        return ""
    if not _CHANNEL.fullmatch(name):
        raise WrongAnswerError("a channel's name has 3 to 25 letters, digits and underscores; or type none")
    return name


def one_of(*words: str) -> Callable[[str], str]:
    """One of these words, or how it begins."""

    def read(typed: str) -> str:
        found = [word for word in words if word.startswith(typed.casefold())]
        if len(found) != 1:
            raise WrongAnswerError(f"please type one of: {', '.join(words)}")
        return found[0]

    return read


def ask_all(voices: Question, channel_now: str = "", *, body_now: bool = False) -> Answers:
    """Ask the five; `voices` is the third, because what it offers depends on what can be had.

    `channel_now`, `body_now`: what the settings say about Twitch and VTube Studio already.

    Raises:
        VerbError: INTERRUPTED.
    """
    questions = (
        Question(
            "Your Twitch channel",
            channel_now or "none",
            channel,
            ("Its chat is read by this name alone, nothing to log in. That she writes there too: kitsu login twitch.",),
        ),
        Question(
            "Her brain: auto, demo or ollama",
            "auto",
            one_of("auto", "demo", "ollama"),
            (
                "auto: a model of Ollama where there is one, else the demo brain.",
                "demo: her own written lines, no language model. ollama: nothing but Ollama.",
            ),
        ),
        voices,
        Question("Do you stream with OBS?", "yes", one_of("yes", "no"), ("Her page becomes a browser source there.",)),
        Question(
            "Do you use VTube Studio?",
            "yes" if body_now else "no",
            one_of("yes", "no"),
            ("Mouth and faces of the model there follow her. It asks you once whether Kitsu may: click Allow.",),
        ),
    )
    given = [ask(question, f"{number}/{len(questions)}") for number, question in enumerate(questions, 1)]
    return Answers(given[0], given[1], given[2], given[3] == "yes", given[4] == "yes")


def ask(question: Question, number: str) -> str:
    """One answer, asked for until it can be read."""
    sys.stderr.write(f"\n{number}  {question.text}\n")
    for line in (part for text in question.help for part in wrap(text, WIDTH - 5)):
        sys.stderr.write(f"     {line}\n")
    while True:
        typed = asking.answer(f"     [{question.default}] > ") or question.default
        try:
            return question.read(typed)
        except WrongAnswerError as error:
            sys.stderr.write(f"     {plain(typed)[:40]!r} does not work: {error}\n")
