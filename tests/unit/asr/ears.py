"""A recogniser that hears what a test tells it, and a listener around it."""

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from kitsu.protocol import Message, Speaker
from kitsu_asr.config import AsrSettings
from kitsu_asr.echo import Reference
from kitsu_asr.engine import Heard
from kitsu_asr.grammar import Command, Vocabulary
from kitsu_asr.listener import Listener
from kitsu_asr.messages import News
from kitsu_asr.pcm import Samples
from kitsu_asr.source import Known, Source
from tests.fakes.speech import silence

MessageT = TypeVar("MessageT", bound=Message)


class LoudVad:
    """Whatever is not silent is speech."""

    def speech(self, frame: Samples) -> bool:
        return bool(np.max(np.abs(frame)) > 0.01)


class ScriptedEars:
    """Implements `kitsu_asr.listener.Ears`. `says` is the text of every result."""

    def __init__(self) -> None:
        self.partials = True
        self.engine = "scripted"
        self.ready = True
        self.says = Heard("we play tonight", language="en", confidence=0.9)
        self.command: Command | None = None
        self.asked: list[tuple[str, str]] = []
        self.opened_with: dict[str, Any] = {}
        self.sound: dict[str, bytes] = {}

    def open(self, utterance: str, language: str, hints: tuple[str, ...], *, commands: bool) -> bool:
        self.opened_with = {"language": language, "hints": hints, "commands": commands}
        if self.ready:
            self.sound[utterance] = b""
        return self.ready

    def feed(self, utterance: str, pcm: bytes) -> None:
        if utterance in self.sound:
            self.sound[utterance] += pcm

    def partial(self, utterance: str) -> bool:
        if utterance in self.sound:
            self.asked.append(("partial", utterance))
        return utterance in self.sound

    def finish(self, utterance: str) -> bool:
        if utterance in self.sound:
            self.asked.append(("finish", utterance))
        return utterance in self.sound

    def drop(self, utterance: str) -> None:
        self.asked.append(("drop", utterance))


class Stage:
    """A listener in virtual time; every question is answered at once."""

    def __init__(self, *, role: str = "host", reference: Reference | None = None, **settings: Any) -> None:
        self.ears = ScriptedEars()
        self.messages: list[Message] = []
        self.now_s = 50.0
        self.known = Known(names=("Kitsu",), vocabulary=Vocabulary(("Gaming",), "kitsu emergency stop"))
        speaker = Speaker(name="Robin", role=role)  # type: ignore[arg-type]
        source = Source("mic", "browser", "stage", "a microphone", speaker)
        made = AsrSettings(enabled=True, auto_gain=False, **settings)
        self.listener = Listener(source, made, self.ears, LoudVad(), self.known, self.messages.append, reference)
        self.answers = True

    def hear(self, sound: Samples) -> None:
        for at in range(0, len(sound), 320):
            self.now_s += 0.02
            self.listener.feed(sound[at : at + 320], self.now_s)
            if self.answers:
                self.answer()

    def answer(self) -> None:
        """All that was asked."""
        asked, self.ears.asked = self.ears.asked, []
        for what, utterance in asked:
            if what == "partial":
                self.listener.news(News("partial", utterance, self.ears.says), self.now_s)
            elif what == "finish":
                self.listener.news(News("final", utterance, self.ears.says, self.ears.command), self.now_s)

    def speak(self, seconds: float = 1.0) -> None:
        self.hear(np.full(int(seconds * 16_000), 0.1, np.float32))

    def pause(self, seconds: float) -> None:
        self.hear(silence(seconds))

    def all(self, kind: type[MessageT]) -> list[MessageT]:
        return [message for message in self.messages if isinstance(message, kind)]

    def types(self) -> Sequence[str]:
        return [type(message).__name__ for message in self.messages]
