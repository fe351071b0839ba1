"""What a page that opens in the middle of a turn must know to join in."""

from kitsu.protocol import Message, PlayoutCaption, TurnStarted

MAX_TURNS = 4  # playing, next, and two that are about to end
MAX_CAPTIONS = 64  # of one turn


class Picture:
    """The running turns of one conversation."""

    def __init__(self) -> None:
        self._turns: dict[str, list[Message]] = {}

    def add(self, message: TurnStarted | PlayoutCaption) -> None:
        """Keep a message until its turn ends."""
        told = self._turns.setdefault(message.turn_id, [])
        told.append(message)
        del told[1 : len(told) - MAX_CAPTIONS]
        while len(self._turns) > MAX_TURNS:
            del self._turns[next(iter(self._turns))]

    def end(self, turn_id: str) -> bool:
        """The turn is over. Returns whether another one runs."""
        self._turns.pop(turn_id, None)
        return bool(self._turns)

    def messages(self) -> list[Message]:
        """What to send to a page that joins now, in order."""
        return [message for turn in self._turns.values() for message in turn]
