"""What the gate says."""

from dataclasses import dataclass, field
from typing import Protocol

from kitsu.protocol.approved import Approved, AuthorName, Caption, ChatReply, Question, Speech
from kitsu.protocol.obs import ObsText
from kitsu.safety.actions import LETS_THROUGH, Action


@dataclass(frozen=True, slots=True)
class Why:
    """Why a text was let through or not. Holds none of it."""

    rule: str = ""  # empty when nothing was found
    category: str = ""
    view: str = ""  # which way of looking at the text found it, see `kitsu.safety.views`
    ms: float = 0.0  # what the verdict took
    action: Action = "allow"
    start: int = 0  # where in the judged text it was found: code points, end excluded
    end: int = 0
    crisis: bool = False  # whoever wrote it may be at risk

    @property
    def passes(self) -> bool:
        """Whether the text may go on."""
        return self.action in LETS_THROUGH


@dataclass(frozen=True, slots=True)
class InputVerdict:
    """The verdict on a line for her, and on the name of who wrote it."""

    allowed: bool
    text: str  # for the model: NFC, one line, no control or direction signs; empty unless allowed
    author: Approved[AuthorName] | None  # None: blocked or empty; the overlay then shows no name
    question: Approved[Question] | None  # None unless allowed without reserve
    why: Why
    judged: str = field(default="", repr=False)  # what `why` found something in; for the record of verdicts alone
    name_why: Why = Why()


@dataclass(frozen=True, slots=True)
class OutputVerdict:
    """The verdict on one segment of what she would say."""

    allowed: bool
    speech: Approved[Speech] | None
    caption: Approved[Caption] | None
    why: Why
    judged: str = field(default="", repr=False)  # as above


@dataclass(frozen=True, slots=True)
class ReplyVerdict:
    """The verdict on a line for a platform's chat."""

    reply: Approved[ChatReply] | None  # None: blocked
    why: Why
    judged: str = field(default="", repr=False)  # as in `InputVerdict`


@dataclass(frozen=True, slots=True)
class ObsTextVerdict:
    """The verdict on words for a text source of OBS."""

    text: Approved[ObsText] | None  # None: blocked
    why: Why
    judged: str = field(default="", repr=False)


class Window(Protocol):
    """Judges the segments of one turn, in order, and remembers what went before."""

    async def judge(self, text: str, spoken: str | None = None) -> OutputVerdict:
        """One segment, as it is written and as it will be said (None: just so).

        Raises:
            GateError: no verdict; say nothing.
        """
        ...


class Judge(Protocol):
    """A gate, open or closed."""

    async def judge_input(self, text: str, *, author: str, turn_id: str) -> InputVerdict:
        """A line and its author's display name.

        Raises:
            GateError: no verdict; do not answer the line.
        """
        ...

    async def judge_reply(self, text: str, *, turn_id: str, ours: bool = False) -> ReplyVerdict:
        """A line for a platform's chat. `ours`: Kitsu's own written words, for which the rules suffice.

        Raises:
            GateError: no verdict; do not send it.
        """
        ...

    async def pardon(self, text: str, *, author: str, turn_id: str) -> InputVerdict:
        """A line that the operator has read and allowed. The model gets it; the overlay does not show it.

        Raises:
            GateError: no verdict; do not answer the line.
        """
        ...

    def window(self, turn_id: str) -> Window:
        """A fresh window for one turn."""
        ...

    async def judge_obs_text(self, text: str, *, turn_id: str) -> ObsTextVerdict:
        """The operator's words for a text source of OBS, for which the rules suffice.

        Raises:
            GateError: no verdict; do not show them.
        """
        ...
