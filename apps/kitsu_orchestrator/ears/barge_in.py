"""Does somebody who speaks silence her? At first she only waits: what it was is known later."""

from collections.abc import Callable
from dataclasses import dataclass

from kitsu.protocol import AsrFinal, AsrPartial, PlayoutPause, PlayoutResume
from kitsu_orchestrator.config import TalkSettings
from kitsu_orchestrator.conversation import Conversation
from kitsu_orchestrator.ears.small_words import is_back_channel, words_of
from kitsu_orchestrator.ears.utterance import Utterance
from kitsu_orchestrator.hub import Hub
from kitsu_orchestrator.turn import Turn


@dataclass(slots=True, eq=False)
class Held:
    """A turn that waits, and because of whom."""

    turn: Turn
    by: set[Utterance]


class BargeIn:
    """One strategy for the show: off, on speech, with a minimum of words, or for hosts only.

    `hold` stops the clock where it is, `let_go` starts it again. Several people may speak into her at once: she goes on
    when the last of them has turned out to mean nothing.
    """

    def __init__(self, hub: Hub, settings: TalkSettings, count: Callable[[str], None]) -> None:
        self._hub = hub
        self._settings = settings
        self._count = count
        self._held: dict[str, Held] = {}  # by conversation

    def may(self, utterance: Utterance) -> bool:
        """Whether this speaker may silence her at all."""
        strategy = self._settings.barge_in
        return strategy != "off" and (strategy != "host" or utterance.speaker.role == "host")

    def at_once(self, utterance: Utterance) -> bool:
        """Whether the sound alone does. Sound that is hers in good part must have words first."""
        return self.may(utterance) and self._settings.barge_in != "words" and not self._doubtful(utterance)

    def by_words(self, utterance: Utterance, message: AsrPartial | AsrFinal) -> bool:
        """Whether what was understood does."""
        enough = len(words_of(message.text)) >= self._settings.min_words
        needed = self._settings.barge_in == "words" or self._doubtful(utterance)
        return self.may(utterance) and (enough or not needed) and not is_back_channel(message.text)

    def hold(self, utterance: Utterance, conversation: Conversation) -> None:
        """She waits."""
        turn = conversation.current
        if utterance.holds or turn is None or turn.over or turn.job.clock != "live":
            return
        utterance.holds = True
        held = self._held.get(utterance.conv)
        if held is not None and held.turn is turn:
            held.by.add(utterance)
            return
        self._held[utterance.conv] = Held(turn, {utterance})
        limit_ms = self._settings.wait_s * 1000
        if self._hub.send("playout", PlayoutPause(conv=utterance.conv, gen=turn.gen, limit_ms=limit_ms)):
            turn.story.step("turn.paused", utterance.speaker.role)
            self._count("paused")

    def let_go(self, utterance: Utterance) -> None:
        """She goes on, unless somebody else speaks."""
        held = self._held.get(utterance.conv)
        if not utterance.holds or held is None:
            return
        utterance.holds = False
        held.by.discard(utterance)
        if held.by:
            return
        del self._held[utterance.conv]
        self._hub.send("playout", PlayoutResume(conv=utterance.conv))
        if not held.turn.over:
            held.turn.story.step("turn.resumed")
            self._count("resumed")

    def cut(self, conv: str) -> None:
        """What waited has ended for good.

        If it had sounded, its flush has ended the pause; if not, nothing else would: the next turn must not wait.
        """
        held = self._held.pop(conv, None)
        if held is None:
            return
        self._hub.send("playout", PlayoutResume(conv=conv))
        for utterance in held.by:
            utterance.holds = False

    def _doubtful(self, utterance: Utterance) -> bool:
        return utterance.echo > self._settings.echo_share
