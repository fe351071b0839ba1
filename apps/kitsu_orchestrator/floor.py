"""Who speaks: while somebody does, she does not begin."""

import asyncio


class Floor:
    """Of one conversation. Nobody holds it for ever: a microphone in front of music must not silence her."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.free.set()
        self._speakers: dict[str, asyncio.TimerHandle] = {}

    def take(self, speaker: str, limit_s: float) -> None:
        """Somebody speaks, for at most so long."""
        if speaker not in self._speakers:
            timer = asyncio.get_running_loop().call_later(limit_s, self.give, speaker)
            self._speakers[speaker] = timer
            self.free.clear()

    def give(self, speaker: str) -> None:
        """They are done."""
        if (timer := self._speakers.pop(speaker, None)) is not None:
            timer.cancel()
        if not self._speakers:
            self.free.set()

    def clear(self) -> None:
        """Whoever speaks: she may begin."""
        for speaker in tuple(self._speakers):
            self.give(speaker)
