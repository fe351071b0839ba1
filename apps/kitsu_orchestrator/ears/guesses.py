"""Turns that are begun before it is certain what somebody says: kept when they do say it, else dropped."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from kitsu.protocol import AsrPartial
from kitsu_orchestrator.config import TalkSettings
from kitsu_orchestrator.conversation import Conversation
from kitsu_orchestrator.ears.small_words import is_back_channel, same_words
from kitsu_orchestrator.ears.utterance import Utterance, line_of
from kitsu_orchestrator.lines import Job
from kitsu_orchestrator.turn import Turn

if TYPE_CHECKING:
    from kitsu_orchestrator.show import Show

GUESSES = 3  # for one utterance; the last one is for the pause
FEWEST_WORDS = 3  # of a guess while somebody still speaks: "so" is said twice alike before any question

Why = Literal["pause", "stable"]


class Guesses:
    """At most one a conversation, counted in `count` as a whole and, when it was the words alone, as `stable`."""

    def __init__(self, show: "Show", settings: TalkSettings, count: Callable[[str], None]) -> None:
        self._show = show
        self._settings = settings
        self._count = count

    def heard(self, utterance: Utterance, message: AsrPartial) -> None:
        """More is known of what they say; another text than was guessed at ends the guess."""
        if utterance.guessed and not same_words(utterance.guessed, message.text):
            self.retract(utterance)

    def consider(self, utterance: Utterance, conversation: Conversation, message: AsrPartial) -> None:
        """Begin one, if this may be all that they say."""
        why = self._why(utterance, message)
        utterance.last_text = message.text
        if why is not None and self._may(utterance, conversation, message.text, why):
            self._begin(utterance, conversation, message.text, why)

    def keep(self, utterance: Utterance, conversation: Conversation, text: str, endpoint_ms: float) -> Job | None:
        """The words are certain. Returns the line, if its answer was begun already and goes on."""
        guess = conversation.guess
        if guess is None or not self._is_of(utterance, guess) or not same_words(utterance.guessed, text):
            return None
        guess.story.endpoint_ms = endpoint_ms
        if not conversation.keep_guess():
            return None
        self._end(utterance, "kept")
        return guess.job

    def retract(self, utterance: Utterance) -> None:
        """What was guessed is not what is said."""
        if not utterance.guessed:
            return
        conversation = self._show.conversations.get(utterance.conv)
        if conversation is not None and conversation.guess is not None and self._is_of(utterance, conversation.guess):
            conversation.drop_guess()
        self._end(utterance, "dropped")

    def _why(self, utterance: Utterance, message: AsrPartial) -> Why | None:
        """What speaks for this being all of it.

        In the pause after a finished sentence: that. After anything else in a pause, and while somebody still speaks:
        that the result before it was the same.
        """
        if message.settled and message.complete:
            return "pause"
        again = same_words(utterance.last_text, message.text)
        in_time = message.settled or (message.complete and len(message.text.split()) >= FEWEST_WORDS)
        return "stable" if self._settings.preemptive == "stable" and again and in_time else None

    def _may(self, utterance: Utterance, conversation: Conversation, text: str, why: Why) -> bool:
        left = GUESSES - utterance.guesses - (why == "stable")
        if self._settings.preemptive == "off" or utterance.guessed or left <= 0:
            return False
        if conversation.guess is not None or self._show.levels.now.panic is not None:
            return False
        if utterance.over_her and is_back_channel(text):
            return False
        turn = conversation.current
        return (turn is None or turn.over or utterance.holds) and any(map(str.isalnum, text))

    def _begin(self, utterance: Utterance, conversation: Conversation, text: str, why: Why) -> None:
        job = line_of(utterance, text, 0.0)
        utterance.guessed, utterance.guess_id, utterance.guessed_on = text, job.turn_id, why
        utterance.guesses += 1
        conversation.begin_guess(job)
        self._tally(utterance, "started")

    def _end(self, utterance: Utterance, how: str) -> None:
        utterance.guessed = ""
        self._tally(utterance, how)

    def _tally(self, utterance: Utterance, how: str) -> None:
        self._count(f"guesses_{how}")
        if utterance.guessed_on == "stable":
            self._count(f"stable_guesses_{how}")

    def _is_of(self, utterance: Utterance, guess: Turn) -> bool:
        return bool(utterance.guessed) and guess.job.turn_id == utterance.guess_id
