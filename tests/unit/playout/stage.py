"""A player in virtual time, with everything that comes out of it kept."""

from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from kitsu.protocol import (
    STAGE,
    Approved,
    Caption,
    HelloAccepted,
    Message,
    Panic,
    PlayoutCaption,
    PlayoutClose,
    PlayoutFinished,
    PlayoutFlush,
    PlayoutFrame,
    PlayoutOpen,
    ShowLevels,
    SinkOpened,
    SinkPosition,
    TtsAudio,
    TtsFinished,
    Viseme,
    WordMark,
)
from kitsu.protocol.approved import seal
from kitsu.protocol.playout import Clock, SinkKind
from kitsu_playout.config import PlayoutSettings
from kitsu_playout.mixer import Samples
from kitsu_playout.player import Player
from kitsu_playout.turn import Turn

KEY = bytes(range(32))
RATE_HZ = 48_000
MessageT = TypeVar("MessageT", bound=Message)


def tone(seconds: float, level: int = 8_000) -> bytes:
    """A constant: every lost or doubled sample, every hole and every fade shows."""
    return np.full(round(seconds * RATE_HZ), level, "<i2").tobytes()


def sealed(text: str, turn: str = "t1", key: bytes = KEY) -> Approved[Caption]:
    return Approved(text=text, surface="caption", turn_id=turn, seal=seal(key, text, "caption", turn))


@dataclass
class Stage:
    """Time stands still unless `run` moves it."""

    settings: PlayoutSettings = field(default_factory=PlayoutSettings)
    time: float = 100.0
    sent: list[tuple[float, Message]] = field(default_factory=list)
    frames: list[tuple[float, PlayoutFrame, Samples]] = field(default_factory=list)
    kept: dict[str, list[Samples]] = field(default_factory=dict)
    wavs: dict[str, Samples] = field(default_factory=dict)  # as cut at the end
    finished: list[PlayoutFinished] = field(default_factory=list)
    panics: list[tuple[Panic, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    silences: list[tuple[float, str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.player = Player(self.settings, self, lambda: self.time)

    @classmethod
    def on_air(cls, settings: PlayoutSettings | None = None) -> "Stage":
        stage = cls(settings or PlayoutSettings())
        stage.join()
        return stage

    # Exits

    def send(self, message: Message) -> None:
        self.sent.append((self.time, message))

    def frame(self, frame: PlayoutFrame, samples: Samples) -> None:
        self.frames.append((self.time, frame, samples))

    def played(self, turn: Turn, samples: Samples) -> None:
        self.kept.setdefault(turn.turn_id, []).append(samples)

    def ended(self, finished: PlayoutFinished, samples: int) -> None:
        kept = self.kept.pop(finished.turn_id, [])
        self.wavs[finished.turn_id] = np.concatenate([*kept, np.zeros(0, np.int16)])[:samples]
        self.finished.append(finished)

    def silence(self, conv: str, gen: int) -> float:
        self.silences.append((self.time, conv, gen))
        return 0.0

    def silent(self, panic: Panic, latency_s: float) -> None:
        self.panics.append((panic, latency_s))

    def refused(self, code: str, message: str) -> None:
        self.errors.append(code)

    # the hub

    def join(self, levels: ShowLevels | None = None, gens: dict[str, int] | None = None) -> None:
        levels = levels or ShowLevels(mode="live", panic=None)
        self.player.join(HelloAccepted(session="s", levels=levels, gens=gens or {}, seal_key=KEY.hex()))

    def give(self, message: Message, payload: bytes | None = None) -> None:
        self.player.handle(message, None if payload is None else memoryview(payload))

    def open(self, turn: str = "t1", *, gen: int = 0, clock: Clock = "live", conv: str = STAGE) -> None:
        self.give(PlayoutOpen(conv=conv, turn_id=turn, gen=gen, clock=clock))

    def caption(self, segment: int, text: str, turn: str = "t1", *, gen: int = 0, conv: str = STAGE) -> None:
        self.give(PlayoutCaption(conv=conv, turn_id=turn, gen=gen, segment=segment, caption=sealed(text, turn)))

    def audio(
        self,
        segment: int,
        pcm: bytes,
        turn: str = "t1",
        *,
        position: int = 0,
        gen: int = 0,
        rate_hz: int = RATE_HZ,
        words: tuple[WordMark, ...] = (),
        visemes: tuple[Viseme, ...] = (),
        gain_db: float = 0.0,
        conv: str = STAGE,
    ) -> None:
        self.give(
            TtsAudio(
                conv=conv, turn_id=turn, gen=gen, segment=segment, chunk=0, position=position, rate_hz=rate_hz,
                words=words, visemes=visemes, gain_db=gain_db,
            ),
            pcm,
        )  # fmt: skip

    def spoken(self, segment: int, samples: int, turn: str = "t1", *, gen: int = 0, conv: str = STAGE) -> None:
        self.give(
            TtsFinished(
                conv=conv, turn_id=turn, gen=gen, segment=segment, reason="done", samples=samples, rate_hz=RATE_HZ,
                engine="x",
            )
        )  # fmt: skip

    def close(self, segments: int, turn: str = "t1", *, gen: int = 0, conv: str = STAGE) -> None:
        self.give(PlayoutClose(conv=conv, turn_id=turn, gen=gen, segments=segments))

    def say(
        self, segment: int, text: str, seconds: float, turn: str = "t1", *, gen: int = 0, conv: str = STAGE
    ) -> None:
        """A whole segment at once, its words evenly spaced."""
        pcm = tone(seconds)
        words, at = [], 0
        for word in text.split():
            start = text.index(word, at)
            at = start + len(word)
            words.append(WordMark(at=round(start / len(text) * len(pcm) / 2), start=start, end=at))
        self.caption(segment, text, turn, gen=gen, conv=conv)
        self.audio(segment, pcm, turn, gen=gen, words=tuple(words), conv=conv)
        self.spoken(segment, len(pcm) // 2, turn, gen=gen, conv=conv)

    def flush(self, gen: int, conv: str = STAGE) -> None:
        self.give(PlayoutFlush(conv=conv, gen=gen, reason="skip"))

    def panic(self, pressed_at: int = 1000, panic_id: str = "p1") -> Panic:
        return Panic(panic_id=panic_id, pressed_at=pressed_at, by="test")

    def sink(self, name: str = "o1", kind: SinkKind = "overlay", conv: str = STAGE) -> None:
        self.give(SinkOpened(conv=conv, sink=name, kind=kind))

    def position(self, position: int, name: str = "o1", state: str = "running", conv: str = STAGE) -> None:
        self.give(SinkPosition(conv=conv, sink=name, position=position, state=state))  # type: ignore[arg-type]

    # time

    def run(self, seconds: float) -> None:
        """Let time pass; the player is called when it asked to be."""
        end = self.time + seconds
        for _ in range(100_000):
            delay = self.player.tick()
            assert delay is not None
            if self.time + delay > end:
                break
            self.time += delay
        else:
            raise AssertionError("the player never sleeps")
        self.time = end
        self.player.tick()

    def all(self, kind: type[MessageT]) -> list[MessageT]:
        return [message for _, message in self.sent if isinstance(message, kind)]

    def heard_sound(self) -> Samples:
        """What went to the sinks, in order."""
        return np.concatenate([samples for _, _, samples in self.frames])
