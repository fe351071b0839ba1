"""The contract of a recogniser. It lives in a process of its own (`child.py`) and is asked from one thread.

`load()` reads weights; `open()` begins an utterance. `partial()` recognises what was fed so far and may take its time;
`finish()` ends the utterance, and costs little when nothing was fed since the last `partial()`.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct


class Word(Struct, frozen=True):
    """One word; times in s from the utterance's first sample."""

    word: str
    start_s: float = 0.0
    end_s: float = 0.0
    confidence: float = 0.0


class Heard(Struct, frozen=True):
    """What a recogniser understood."""

    text: str = ""
    words: tuple[Word, ...] = ()
    language: str = ""
    confidence: float = 0.0  # 0 to 1; 0: it does not say
    no_speech: float = 0.0  # 0 to 1, that it was no speech at all
    score: float = 0.0  # log-likelihood of the sound given the words, of PocketSphinx's kind; 0: it does not say
    ends: float = 0.0  # 0 to 1, that a sentence ends after these words; 0: it does not say


class Choice(Struct, frozen=True):
    """What an engine is made with: the part of the settings that concerns it."""

    model: str = ""
    folder: str = ""  # of downloaded models
    language: str = "en"
    processor: str = "auto"
    base_url: str = ""
    api_key: str = ""
    read_timeout_s: float = 20.0


class Session(Protocol):
    """One utterance."""

    def feed(self, pcm: bytes) -> None:
        """More of it; s16le, 16 kHz, mono."""

    def partial(self) -> Heard:
        """What was said so far."""

    def finish(self) -> Heard:
        """What was said."""

    def close(self) -> None:
        """Nothing more is wanted. Called once, also after `finish`."""


class Engine(Protocol):
    """One recogniser.

    `partials`: partial results cost nothing but time; else they are asked for at pauses only.
    """

    name: str
    partials: bool

    def __init__(self, choice: Choice) -> None: ...

    def load(self) -> str:
        """Read the model; returns what it is, for people.

        Raises:
            EngineError: `engine_missing`, `model_missing`, `bad_model`.
        """

    def open(self, language: str, hints: Sequence[str]) -> Session:
        """A new utterance. `language`: empty if it shall find out; `hints`: words to spell rightly."""
