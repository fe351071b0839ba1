"""Between a turn and everybody else, until the turn is committed."""

from collections.abc import Callable

from kitsu.protocol import STAGE, Message, TurnEnded, TurnStarted
from kitsu_orchestrator.studio import Studio
from kitsu_orchestrator.verdicts import Judged


class Curtain:
    """What a turn tells and does while it is down waits; a turn that is thrown away behind it leaves no trace."""

    def __init__(self, studio: Studio) -> None:
        self.up = False
        self._studio = studio
        self._messages: list[Message] = []
        self._acts: list[Callable[[], None]] = []

    def rise(self) -> None:
        """Everybody sees the turn from now on: first what waited, in order."""
        self.up = True
        for message in self._messages:
            self.tell(message)
        self._messages.clear()
        for act in self._acts:
            act()
        self._acts.clear()

    def tell(self, message: Message) -> None:
        """To the pages, and to overlay and OBS what they show."""
        if not self.up:
            self._messages.append(message)
            return
        self._studio.publish(message)
        if isinstance(message, TurnStarted | TurnEnded):
            self._studio.hub.send("control", message)
        if isinstance(message, TurnStarted) and message.conv == STAGE:
            self._studio.hub.send("obs", message)

    def notice(self, code: str, message: str) -> None:
        """What the operator must know at once. Never holds viewer text."""
        self.tell(self._studio.notice(code, message))

    def note(self, judged: Judged) -> None:
        """For the record of verdicts."""
        self.once_up(lambda: self._studio.note(judged))

    def once_up(self, act: Callable[[], None]) -> None:
        """Do something that leaves a trace."""
        if self.up:
            act()
        else:
            self._acts.append(act)
