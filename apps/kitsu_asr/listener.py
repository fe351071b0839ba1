"""One source's ears: frames in, messages out. Knows no socket, device or process, and time is given to it."""

from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np
from msgspec.structs import replace

from kitsu.protocol import EARS_RATE_HZ, DropReason, ListenMode, Message, SourceState
from kitsu_asr.complete import Completeness, complete, how_complete
from kitsu_asr.config import AsrSettings
from kitsu_asr.echo import Reference
from kitsu_asr.endpoint import Change, Endpointer, Limits
from kitsu_asr.engine import Heard
from kitsu_asr.front import Front
from kitsu_asr.grammar import Command, meaning
from kitsu_asr.guards import phantom
from kitsu_asr.messages import News
from kitsu_asr.pcm import Frames, Samples, to_s16
from kitsu_asr.source import Known, Source
from kitsu_asr.telling import Teller
from kitsu_asr.utterance import Utterance
from kitsu_asr.vad import FRAME, Vad
from kitsu_asr.wake import addressed

FRAME_MS = FRAME / EARS_RATE_HZ * 1000
FRAME_S = FRAME_MS / 1000
PREROLL = 15  # frames before the onset that the recogniser gets too: the first consonant is no voice yet
RESYNC_S = 0.08
MAX_ECHO = 0.85  # an utterance that was hers to such a part is hers


class Ears(Protocol):
    """The recogniser, as far as a listener uses it."""

    partials: bool
    engine: str

    def open(self, utterance: str, language: str, hints: tuple[str, ...], *, commands: bool) -> bool: ...
    def feed(self, utterance: str, pcm: bytes) -> None: ...
    def partial(self, utterance: str) -> bool: ...
    def finish(self, utterance: str) -> bool: ...
    def drop(self, utterance: str) -> None: ...


class Listener:
    """Args:
    send: takes messages, in order.
    reference: what `source.conv` is given to hear; None: no echo guard.
    """

    def __init__(
        self,
        source: Source,
        settings: AsrSettings,
        ears: Ears,
        vad: Vad,
        known: Known,
        send: Callable[[Message], None],
        reference: Reference | None = None,
    ) -> None:
        self.source = source
        self.mode: ListenMode = settings.mode
        self.muted = False
        self._settings = settings
        self._ears = ears
        self._known = known
        self._send = send
        self._pressed = False
        self._frames = Frames(FRAME)
        self._front = Front(settings, vad, reference)
        self._tell = Teller(source)
        limits = Limits(settings.onset_ms, settings.min_speech_ms, settings.max_utterance_s * 1000)
        self._endpoints = Endpointer(limits, FRAME_MS, settings.hangover_ms)
        self._before: deque[Samples] = deque(maxlen=PREROLL)
        self._now_ms = 0.0
        self._offset_s: float | None = None  # wall time of the stream's first sample
        self._wall_s = 0.0
        self._speaking: Utterance | None = None
        self._finishing: dict[str, Utterance] = {}

    @property
    def busy(self) -> bool:
        """An utterance runs, or is being recognised."""
        return self._speaking is not None or bool(self._finishing)

    @property
    def listening(self) -> bool:
        """Whether what is said now counts."""
        closed = self.muted or self.mode == "off" or (self.mode == "push_to_talk" and not self._pressed)
        return not closed

    def state(self) -> SourceState:
        source = self.source
        return SourceState(
            source_id=source.source_id,
            kind=source.kind,
            conv=source.conv,
            label=source.label,
            state="listening" if self.listening else "waiting",
            mode=self.mode,
            speaker=source.speaker,
            level_dbfs=round(self._front.level_dbfs, 1),
        )

    def feed(self, samples: Samples, now_s: float) -> None:
        """More sound, the last of which was heard at `now_s`."""
        self._wall_s = now_s
        for frame in self._frames.feed(samples):
            self._frame(frame)
            self._now_ms += FRAME_MS
        began_s = now_s - self._now_ms / 1000
        if self._offset_s is None or abs(began_s - self._offset_s) > RESYNC_S:
            self._offset_s = began_s

    def silence(self, count: float, now_s: float) -> None:
        """The source is silent, or gives nothing any more."""
        self.feed(np.zeros(int(count), np.float32), now_s)

    def listen(self, mode: ListenMode) -> None:
        """From now on."""
        self.mode, self._pressed = mode, False
        self._close_unless_listening("muted")

    def mute(self, muted: bool) -> None:
        """Closed ears drop what is being said."""
        self.muted = muted
        self._close_unless_listening("muted")

    def press(self, pressed: bool) -> None:
        """The talk key. Up ends the utterance at once."""
        self._pressed = pressed
        if self.mode == "push_to_talk" and not pressed:
            for change in self._endpoints.finish():
                self._changed(change)

    def drop(self, reason: DropReason) -> None:
        """Forget everything that is being said or recognised."""
        running = [*self._finishing.values(), *([self._speaking] if self._speaking else [])]
        self._finishing.clear()
        self._speaking = None
        list(self._endpoints.finish())
        for utterance in running:
            self._ears.drop(utterance.id)
            self._drop(utterance, reason)

    def news(self, news: News, now_s: float) -> bool:
        """The recogniser's word. False: it is of another source."""
        utterance = self._finishing.get(news.id)
        if utterance is None and self._speaking is not None and self._speaking.id == news.id:
            utterance = self._speaking
        if utterance is None:
            return False
        match news.kind:
            case "partial" if news.heard is not None:
                self._partial(utterance, news)
            case "final" if news.heard is not None:
                self._finishing.pop(news.id, None)
                self._final(utterance, news.heard, news.command, now_s)
            case _:
                self._finishing.pop(news.id, None)
                if utterance is self._speaking:
                    self._speaking = None
                    list(self._endpoints.finish())
                self._drop(utterance, "failed")
        return True

    # how

    def _frame(self, raw: Samples) -> None:
        at_s = None if self._offset_s is None else self._offset_s + self._now_ms / 1000
        sound = self._front.feed(raw, at_s, listening=self.listening)
        if self._speaking is not None and sound.speech:
            self._speaking.voiced(raw, sound.echo, FRAME_MS)
        self._give(sound.frame)
        for change in self._endpoints.feed(sound.speech):
            self._changed(change)
        self._ask()

    def _give(self, frame: Samples) -> None:
        utterance = self._speaking
        if utterance is None:
            self._before.append(frame)
        elif self._endpoints.paused:
            utterance.hold(frame)
        else:
            self._ears.feed(utterance.id, to_s16(frame))

    def _changed(self, change: Change) -> None:
        if change.what == "started":
            self._started(change)
            return
        utterance = self._speaking
        if utterance is None:
            return
        utterance.end_ms = self._endpoints.ended_ms
        match change.what:
            case "paused":
                self._paused(utterance, change)
            case "resumed":
                self._endpoints.patience_ms = self._settings.hangover_ms
                self._ears.feed(utterance.id, utterance.release())
                self._send(self._tell.speech(utterance, change))
            case "ended":
                self._ended(utterance, change)
            case "dropped":
                self._speaking = None
                self._ears.drop(utterance.id)
                self._drop(utterance, "too_short")

    def _started(self, change: Change) -> None:
        utterance = self._speaking = Utterance(change.at_ms)
        utterance.addressed = self.mode == "push_to_talk"
        settings, speaker = self._settings, self.source.speaker
        self._endpoints.patience_ms = (
            settings.max_utterance_s * 1000 if self.mode == "push_to_talk" else settings.hangover_ms
        )
        commands = settings.commands and speaker.role == "host"
        utterance.opened = self._ears.open(utterance.id, settings.language, self._known.hints, commands=commands)
        utterance.first_ms = self._now_ms + FRAME_MS - len(self._before) * FRAME_MS
        for frame in self._before:
            self._ears.feed(utterance.id, to_s16(frame))
        voiced = list(self._before)[-max(1, round((change.now_ms - change.at_ms) / FRAME_MS)) :]
        for frame in voiced:
            utterance.voiced(frame, 0.0, FRAME_MS)
        self._before.clear()
        self._send(self._tell.speech(utterance, change))

    def _paused(self, utterance: Utterance, change: Change) -> None:
        self._send(self._tell.speech(utterance, change))
        if self._ears.partial(utterance.id):
            utterance.asked.append(True)
            utterance.asked_at_ms = self._now_ms

    def _ask(self) -> None:
        """A partial result now and then; never one more than can be made."""
        utterance = self._speaking
        if utterance is None or utterance.asked or self._endpoints.paused or not self._ears.partials:
            return
        every_ms = max(self._settings.partial_ms, 2 * utterance.took_ms)
        if self._now_ms - utterance.asked_at_ms >= every_ms and self._ears.partial(utterance.id):
            utterance.asked.append(False)
            utterance.asked_at_ms = self._now_ms

    def _ended(self, utterance: Utterance, change: Change) -> None:
        self._speaking = None
        utterance.silence_ms = change.now_ms - utterance.end_ms
        utterance.last_voiced_s = self._wall_s - utterance.silence_ms / 1000
        if self._ears.finish(utterance.id):
            self._finishing[utterance.id] = utterance
        else:
            self._drop(utterance, "failed")

    def _partial(self, utterance: Utterance, news: News) -> None:
        assert news.heard is not None
        whole = utterance.asked.popleft() if utterance.asked else False
        settled = whole and self._endpoints.paused and utterance is self._speaking
        utterance.took_ms = news.took_ms
        utterance.language = news.heard.language or utterance.language
        text, stable = utterance.agreement.add(news.heard.text, whole=settled)
        finished = complete(text, utterance.language)
        if settled and text and self.mode != "push_to_talk":
            self._endpoints.patience_ms = self._patience_ms(how_complete(text, utterance.language, news.heard.ends))
        if not text:
            return
        self._send(self._tell.partial(utterance, text, stable, settled=settled, finished=finished))

    def _patience_ms(self, completeness: Completeness) -> float:
        settings = self._settings
        match completeness:
            case "finished":
                return min(settings.finished_ms, settings.hangover_ms)
            case "maybe":
                return settings.hangover_ms
            case "unfinished":
                return settings.unfinished_ms

    def _final(self, utterance: Utterance, heard: Heard, command: Command | None, now_s: float) -> None:
        is_host = self.source.speaker.role == "host"
        if command is None and is_host and self._settings.commands:
            command = meaning(heard.text, self._known.vocabulary)
            command = replace(command, confidence=heard.confidence) if command else None
        endpoint_ms = round(max(0.0, now_s - utterance.last_voiced_s) * 1000, 1)
        if command is not None:
            self._send(self._tell.command(utterance, command, endpoint_ms))
            return
        reason = self._doubt(utterance, heard)
        if reason is not None:
            self._drop(utterance, reason)
            return
        self._send(self._tell.final(utterance, heard, endpoint_ms, self._ears.engine))

    def _doubt(self, utterance: Utterance, heard: Heard) -> DropReason | None:
        if not heard.text:
            return "nothing"
        if utterance.echo > MAX_ECHO:
            return "echo"
        if phantom(heard, utterance.voiced_ms):
            return "phantom"
        utterance.addressed = utterance.addressed or addressed(heard.text, self._known.names)
        return "not_addressed" if self.mode == "wake_word" and not utterance.addressed else None

    def _drop(self, utterance: Utterance, reason: DropReason) -> None:
        self._send(self._tell.dropped(utterance, reason))

    def _close_unless_listening(self, reason: DropReason) -> None:
        if not self.listening:
            self.drop(reason)
