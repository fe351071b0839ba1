"""A gate that can be exchanged while the show runs."""

from kitsu.safety import InputVerdict, Judge, ObsTextVerdict, ReplyVerdict, Window


class SwitchGate:
    """Asks the gate that is there now: one that began closed may open."""

    def __init__(self, now: Judge) -> None:
        self.now = now

    async def judge_input(self, text: str, *, author: str, turn_id: str) -> InputVerdict:
        """See `Judge`."""
        return await self.now.judge_input(text, author=author, turn_id=turn_id)

    async def pardon(self, text: str, *, author: str, turn_id: str) -> InputVerdict:
        """See `Judge`."""
        return await self.now.pardon(text, author=author, turn_id=turn_id)

    async def judge_reply(self, text: str, *, turn_id: str, ours: bool = False) -> ReplyVerdict:
        """See `Judge`."""
        return await self.now.judge_reply(text, turn_id=turn_id, ours=ours)

    def window(self, turn_id: str) -> Window:
        """See `Judge`."""
        return self.now.window(turn_id)

    async def judge_obs_text(self, text: str, *, turn_id: str) -> ObsTextVerdict:
        """See `Judge`."""
        return await self.now.judge_obs_text(text, turn_id=turn_id)
