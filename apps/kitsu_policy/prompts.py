"""The body of a chat completion request, written once."""

from typing import Any

import msgspec

from kitsu.errors import EngineError
from kitsu.protocol import Line, PolicyRespond

_encode = msgspec.json.Encoder().encode


class PromptWriter:
    """Everything up to the end of the system prompt is made once and is the same, byte for byte, in every request, so
    that the model's prompt cache stays warm."""

    def __init__(self, model: str, system: str) -> None:
        self._head = b'{"model":%b,"stream":true,"messages":[%b' % (_encode(model), _line("system", system))

    def write(self, request: PolicyRespond) -> bytes:
        """The body for `request`: history oldest first, then the line to answer.

        Raises:
            EngineError: `bad_schema`.
        """
        lines = b",".join((self._head, *map(_history, request.history), _line("user", request.prompt)))
        limits = b'],"max_tokens":%d,"temperature":%b' % (request.max_tokens, _encode(request.temperature))
        return lines + limits + _response_format(request) + b"}"


def parsed_schema(request: PolicyRespond) -> dict[str, Any] | None:
    """The JSON schema that the answer must fit; None for free text.

    Raises:
        EngineError: `bad_schema`.
    """
    if not request.schema:
        return None
    try:
        return msgspec.json.decode(request.schema, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise EngineError("bad_schema", "the answer's form is asked for by something that is no JSON schema") from None


def encodable(text: str) -> str:
    """`text` without lone surrogates, which have no place in JSON."""
    return text.encode("utf-8", "replace").decode()


def _response_format(request: PolicyRespond) -> bytes:
    schema = parsed_schema(request)
    if schema is None:
        return b""
    wanted = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
    return b',"response_format":%b' % _encode(wanted)


def _history(line: Line) -> bytes:
    return _line(line.role, line.text)


def _line(role: str, text: str) -> bytes:
    return b'{"role":"%b","content":%b}' % (role.encode(), _encode(encodable(text)))
