"""From what the ears say to what she does: waits, goes on, answers."""

import re
from collections import Counter
from typing import TYPE_CHECKING

from kitsu.errors import KitsuError
from kitsu.protocol import (
    AsrCommand,
    AsrDropped,
    AsrFinal,
    AsrPartial,
    AsrSpeech,
    EarsState,
    ListenMode,
)
from kitsu.telemetry import Latency
from kitsu_orchestrator.config import TalkSettings
from kitsu_orchestrator.conversation import Conversation
from kitsu_orchestrator.ears.barge_in import BargeIn
from kitsu_orchestrator.ears.guesses import Guesses
from kitsu_orchestrator.ears.own_voice import OwnVoice, share
from kitsu_orchestrator.ears.small_words import is_back_channel
from kitsu_orchestrator.ears.utterance import AsrNews, Utterance, Utterances, line_of
from kitsu_orchestrator.ears.voice_commands import obey
from kitsu_orchestrator.lines import MAX_CODE_POINTS, Job
from kitsu_orchestrator.story import Story

if TYPE_CHECKING:
    from kitsu_orchestrator.show import Show

MAX_ENDPOINT_MS = 60_000.0
CONV = re.compile(r"[a-z0-9][A-Za-z0-9:_.-]{0,79}")


class Talk:
    """Everything that is being said into microphones, in all conversations.

    At the first sound she waits (`BargeIn`); then it is a line, a command, or nothing. Counted in `counts`.
    """

    def __init__(self, show: "Show", settings: TalkSettings) -> None:
        self.counts: Counter[str] = Counter()
        self.endpoint = Latency()  # last sample -> words
        self.reply = Latency()  # words -> her first sound
        self.whole = Latency()  # last sample -> her first sound
        self.state: EarsState | None = None
        self._show = show
        self._settings = settings
        self._utterances = Utterances()
        self._barge_in = BargeIn(show.hub, settings, self._count)
        self._guesses = Guesses(show, settings, self._count)
        self._own: dict[str, OwnVoice] = {}

    def received(self, message: AsrNews) -> Job | None:
        """The ears' word on an utterance. Returns the line that came of it, if one did.

        Raises:
            KitsuError: `too_many_conversations`.
        """
        if not CONV.fullmatch(message.conv) or not message.utterance or self._utterances.has_ended(message):
            self._count("ignored")
            return None
        match message:
            case AsrSpeech(state="started"):
                self._started(message)
            case AsrSpeech():
                pass  # a pause: the words that were said until then come by themselves
            case AsrPartial():
                self._partial(message)
            case AsrFinal():
                return self._final(message)
            case AsrCommand():
                self._command(message)
            case AsrDropped():
                self._count(f"dropped_{message.reason}")
                self._nothing(self._of(message))
        return None

    def ears_lost(self) -> None:
        """Nobody will say how it goes on."""
        for utterance in self._utterances:
            self._nothing(utterance)
        self.state = None

    def ended(self, job: Job, story: Story) -> None:
        """One of her turns is over."""
        self._own_voice(job.conv).said(story.heard_text)
        if story.again:
            self._count("put_back")
        if job.spoken and story.times.first_audio_ms:
            self.reply.add(story.times.first_audio_ms)
            self.whole.add(story.endpoint_ms + story.times.first_audio_ms)

    def latency_ms(self) -> dict[str, float]:
        """For status."""
        return {
            **self.endpoint.summary("endpoint"),
            **self.reply.summary("final_to_audio"),
            **self.whole.summary("speech_to_audio"),
        }

    # how it goes

    def _started(self, message: AsrSpeech) -> None:
        fresh = not self._utterances.has(message)
        utterance = self._of(message)
        utterance.echo = share(message.echo)
        if fresh:
            self._begin(utterance)
        else:
            self._guesses.retract(utterance)  # they go on: what was guessed is not all

    def _begin(self, utterance: Utterance) -> None:
        conversation = self._show.conversations.get(utterance.conv)
        if conversation is None or self._mode(utterance) == "wake_word":
            return  # people may talk to each other; who says her name is heard when they are done
        if self._barge_in.may(utterance):
            conversation.floor.take(utterance.name, self._settings.floor_s)
        if self._barge_in.at_once(utterance):
            self._barge_in.hold(utterance, conversation)

    def _partial(self, message: AsrPartial) -> None:
        utterance = self._of(message)
        conversation = self._show.conversations.get(message.conv)
        self._guesses.heard(utterance, message)
        if conversation is None or self._mode(utterance) == "wake_word" or self._is_hers(utterance, message.text):
            return
        if utterance.over_her and self._barge_in.by_words(utterance, message):
            self._barge_in.hold(utterance, conversation)
        self._guesses.consider(utterance, conversation, message)

    def _final(self, message: AsrFinal) -> Job | None:
        utterance = self._of(message)
        utterance.echo = max(utterance.echo, share(message.echo))
        text = message.text.strip()[:MAX_CODE_POINTS]
        reason = self._no_line(utterance, message, text)
        if reason:
            self._count(reason)
            self._nothing(utterance)
            return None
        endpoint_ms = min(MAX_ENDPOINT_MS, max(0.0, message.endpoint_ms)) if message.endpoint_ms > 0 else 0.0
        if endpoint_ms:
            self.endpoint.add(endpoint_ms)
        try:
            return self._answer(utterance, message, text, endpoint_ms)
        except KitsuError as error:
            self._count(error.code)
            raise
        finally:
            self._nothing(utterance)

    def _no_line(self, utterance: Utterance, message: AsrFinal, text: str) -> str:
        """Why nothing is answered; empty when something is."""
        if not any(map(str.isalnum, text)):
            return "empty"
        if self._mode(utterance) == "wake_word" and not message.addressed:
            return "not_addressed"
        if self._is_hers(utterance, text):
            return "own_voice"
        return "back_channel" if utterance.over_her and is_back_channel(text) else ""

    def _answer(self, utterance: Utterance, message: AsrFinal, text: str, endpoint_ms: float) -> Job:
        conversation = self._show.conversation(utterance.conv)
        speaking = conversation.current is not None and not conversation.current.over
        job = self._guesses.keep(utterance, conversation, text, endpoint_ms)
        if job is not None:
            if speaking:
                self._count("interrupted")
            self._barge_in.cut(conversation.name)
            self._show.dead_air.heard()
        else:
            self._guesses.retract(utterance)
            if utterance.holds or self._barge_in.by_words(utterance, message):
                self._cut(conversation)
            job = line_of(utterance, text, endpoint_ms)
            self._show.offer(job)
        self._count("lines")
        return job

    def _cut(self, conversation: Conversation) -> None:
        if conversation.interrupt("interrupted", "spoken_over"):
            self._count("interrupted")
        self._barge_in.cut(conversation.name)

    def _command(self, message: AsrCommand) -> None:
        utterance = self._of(message)
        self._count("commands" if obey(self._show, message) else "commands_refused")
        self._nothing(utterance)

    def _nothing(self, utterance: Utterance) -> None:
        """The utterance is over, and whoever waited because of it waits no longer."""
        self._guesses.retract(utterance)
        self._utterances.end(utterance)
        self._barge_in.let_go(utterance)
        conversation = self._show.conversations.get(utterance.conv)
        if conversation is not None:
            conversation.floor.give(utterance.name)

    # what is known

    def _of(self, message: AsrNews) -> Utterance:
        """The utterance that a message is about. Tools that hear for us say no more than its end."""
        fresh = not self._utterances.has(message)
        utterance = self._utterances.of(message)
        if fresh:
            if (oldest := self._utterances.overdue()) is not None:
                self._nothing(oldest)
            conversation = self._show.conversations.get(message.conv)
            turn = conversation.current if conversation is not None else None
            utterance.over_her = turn is not None and not turn.over
        return utterance

    def _mode(self, utterance: Utterance) -> ListenMode:
        sources = self.state.sources if self.state is not None else ()
        return next((one.mode for one in sources if one.source_id == utterance.source_id), "open")

    def _is_hers(self, utterance: Utterance, text: str) -> bool:
        conversation = self._show.conversations.get(utterance.conv)
        turn = conversation.current if conversation is not None else None
        saying = turn.story.full_text if turn is not None else ""
        return self._own_voice(utterance.conv).is_hers(text[:MAX_CODE_POINTS], utterance.echo, saying)

    def _own_voice(self, conv: str) -> OwnVoice:
        if conv not in self._own and len(self._own) >= self._show.intake.settings.max_conversations:
            self._own = {name: own for name, own in self._own.items() if name in self._show.conversations}
        return self._own.setdefault(conv, OwnVoice(self._settings))

    def _count(self, what: str) -> None:
        self.counts[what] += 1
