"""Orders that a worker answers: the answer finds who waits for it by `parent_id`."""

import asyncio
from typing import Generic, TypeVar

from kitsu.errors import KitsuError
from kitsu.protocol import Message, Role
from kitsu_orchestrator.hub import Hub

AnswerT = TypeVar("AnswerT", bound=Message)


class Asking(Generic[AnswerT]):
    """Orders to one role.

    Args:
        missing: raised when the worker is not there, or goes before it answers.
        late: raised when it does not answer within `timeout_s`.
    """

    def __init__(self, hub: Hub, role: Role, timeout_s: float, *, missing: KitsuError, late: KitsuError) -> None:
        self._hub = hub
        self._role = role
        self._timeout_s = timeout_s
        self._missing = missing
        self._late = late
        self._waiting: dict[str, asyncio.Future[AnswerT]] = {}

    async def ask(self, order: Message) -> AnswerT:
        """Send it and wait.

        Raises:
            KitsuError: `missing` or `late`.
        """
        answer = self._waiting[order.id] = asyncio.get_running_loop().create_future()
        try:
            if not self._hub.send(self._role, order):
                raise _again(self._missing)
            async with asyncio.timeout(self._timeout_s):
                said: AnswerT = await answer
                return said
        except TimeoutError:
            raise _again(self._late) from None
        finally:
            del self._waiting[order.id]

    def answered(self, message: AnswerT) -> None:
        """The worker's word; one that nobody waits for is let go."""
        waiting = self._waiting.get(message.parent_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(message)

    def gone(self) -> None:
        """The worker left: nobody waits any longer."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(_again(self._missing))


def _again(error: KitsuError) -> KitsuError:
    """A fresh one: raised exceptions keep their tracebacks."""
    return KitsuError(error.code, error.message, retryable=error.retryable)
