"""What is being said, from its first sound until it is known what it was."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from kitsu.protocol import AsrCommand, AsrDropped, AsrFinal, AsrPartial, AsrSpeech, Author, Speaker
from kitsu_orchestrator.lines import MAX_CODE_POINTS, Job
from kitsu_orchestrator.replies import MICROPHONE

RUNNING_LIMIT = 64  # the ears have eight microphones; what is more is not theirs
REMEMBERED_LIMIT = 512

AsrNews = AsrSpeech | AsrPartial | AsrFinal | AsrCommand | AsrDropped
Key = tuple[str, str, str]  # conversation, source, utterance


@dataclass(slots=True, eq=False)
class Utterance:
    """One of them."""

    key: Key
    conv: str
    speaker: Speaker
    source_id: str = ""
    echo: float = 0.0
    over_her: bool = False  # she was speaking when it began
    holds: bool = False  # she waits because of it
    guesses: int = 0
    guessed: str = ""  # what a turn was begun for
    guess_id: str = ""  # that turn
    guessed_on: str = ""  # why: the pause, or words that stayed the same
    last_text: str = ""  # the last partial result

    @property
    def name(self) -> str:
        return "/".join(self.key)


@dataclass(slots=True)
class Utterances:
    """Those that run, and the ids of the last ones that ended: no end counts twice."""

    _running: OrderedDict[Key, Utterance] = field(default_factory=OrderedDict)
    _ended: OrderedDict[Key, None] = field(default_factory=OrderedDict)

    def __iter__(self) -> Iterator[Utterance]:
        return iter(tuple(self._running.values()))

    def has(self, message: AsrNews) -> bool:
        """Whether it runs."""
        return key_of(message) in self._running

    def has_ended(self, message: AsrNews) -> bool:
        """Whether it is over already."""
        return key_of(message) in self._ended

    def of(self, message: AsrNews) -> Utterance:
        """The one that a message is about, begun if need be."""
        key = key_of(message)
        found = self._running.get(key)
        if found is None:
            found = Utterance(key, message.conv, message.speaker, message.source_id)
            self._running[key] = found
        return found

    def overdue(self) -> Utterance | None:
        """The oldest one, when there are too many."""
        return next(iter(self._running.values())) if len(self._running) > RUNNING_LIMIT else None

    def end(self, utterance: Utterance) -> None:
        """It is over."""
        self._running.pop(utterance.key, None)
        self._ended[utterance.key] = None
        if len(self._ended) > REMEMBERED_LIMIT:
            self._ended.popitem(last=False)


def key_of(message: AsrNews) -> Key:
    return message.conv, message.source_id[:64], message.utterance[:64]


def line_of(utterance: Utterance, text: str, endpoint_ms: float) -> Job:
    """The line that somebody says. `endpoint_ms`: from its last sample to the words."""
    author, text = author_of(utterance.speaker), text.strip()[:MAX_CODE_POINTS]
    return Job(text=text, author=author, conv=utterance.conv, spoken=True, endpoint_ms=endpoint_ms)


def author_of(speaker: Speaker) -> Author:
    """Who speaks into a microphone, as the author of a line. The host is whose show it is."""
    host = speaker.role == "host"
    name = "".join(filter(str.isprintable, speaker.name)).strip()[:80]
    return Author(
        name=name or ("host" if host else "guest"), role="broadcaster" if host else "vip", platform=MICROPHONE
    )
