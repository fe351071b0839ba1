"""What stands where a gate would, when its rules cannot be loaded."""

from kitsu.errors import GateError
from kitsu.safety.verdict import InputVerdict, ObsTextVerdict, OutputVerdict, ReplyVerdict


class ClosedGate:
    """Nothing passes."""

    def __init__(self, reason: GateError) -> None:
        self.reason = reason

    async def judge_input(self, text: str, *, author: str, turn_id: str) -> InputVerdict:
        """Never a verdict.

        Raises:
            GateError: `gate_closed`, always.
        """
        raise self._closed()

    async def judge_obs_text(self, text: str, *, turn_id: str) -> ObsTextVerdict:
        """Never a verdict.

        Raises:
            GateError: `gate_closed`, always.
        """
        raise self._closed()

    async def pardon(self, text: str, *, author: str, turn_id: str) -> InputVerdict:
        """Never a verdict.

        Raises:
            GateError: `gate_closed`, always.
        """
        raise self._closed()

    async def judge_reply(self, text: str, *, turn_id: str, ours: bool = False) -> ReplyVerdict:
        """Never a verdict.

        Raises:
            GateError: `gate_closed`, always.
        """
        raise self._closed()

    def window(self, turn_id: str) -> "ClosedWindow":
        """A window that nothing passes."""
        return ClosedWindow(self._closed())

    def _closed(self) -> GateError:
        return GateError("gate_closed", f"The gate is closed, so she says nothing. {self.reason.message}")


class ClosedWindow:
    """The window of a closed gate."""

    def __init__(self, reason: GateError) -> None:
        self._reason = reason

    async def judge(self, text: str, spoken: str | None = None) -> OutputVerdict:
        """Never a verdict.

        Raises:
            GateError: `gate_closed`, always.
        """
        raise self._reason
