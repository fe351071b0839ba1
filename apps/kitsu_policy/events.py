"""Server-sent events of a chat completion, from bytes that may be split anywhere."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from kitsu.errors import EngineError

MAX_LINE_BYTES = 1 << 20
MAX_REASON = 120  # characters of a server's complaint that are passed on
END_OF_STREAM = b"[DONE]"


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []
    error: object = None


_decode = msgspec.json.Decoder(_Chunk).decode


class Event(msgspec.Struct, frozen=True):
    """One event: some text, or the end."""

    text: str = ""
    end: Literal["stop", "length"] | None = None


class EventReader:
    """Takes bytes, gives events. Comments, other fields and empty lines are skipped, as the standard says."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that `data` completes, those before a broken one included.

        Raises:
            EngineError: `model_error` when the server reports one, `bad_stream` when this is no chat completion.
        """
        *lines, self._rest = (self._rest + data if self._rest else data).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield _event(line[5:].strip())
        if len(self._rest) > MAX_LINE_BYTES:
            raise _bad("a line without an end")

    def finish(self) -> Iterator[Event]:
        """The stream is over: a last line may lack its end."""
        return self.feed(b"\n")


def _event(data: bytes) -> Event:
    if data == END_OF_STREAM:
        return Event(end="stop")
    try:
        chunk = _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _bad("an event that is not part of a chat completion") from None
    if chunk.error is not None:
        raise EngineError("model_error", f"the model's server reports: {complaint(data)}", retryable=True)
    if not chunk.choices:
        return Event()
    choice = chunk.choices[0]
    end: Literal["stop", "length"] | None = None
    if choice.finish_reason:
        end = "length" if choice.finish_reason == "length" else "stop"
    return Event(choice.delta.content or "" if choice.delta else "", end)


def _bad(what: str) -> EngineError:
    return EngineError("bad_stream", f"the model's server sent {what}; is policy.base_url an OpenAI-compatible API?")


class _Detail(msgspec.Struct):
    message: str = ""


class _Complaint(msgspec.Struct):
    error: _Detail | str = ""


def complaint(body: bytes) -> str:
    """The server's own message, if it speaks the API's form; never a whole body, which may echo what viewers wrote."""
    try:
        error = msgspec.json.decode(body, type=_Complaint).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "no reason given"
    return (error if isinstance(error, str) else error.message)[:MAX_REASON] or "no reason given"
