"""The body of a chat completion request, written once."""

import msgspec

from kitsu.protocol import Line, PolicyRespond

_encode = msgspec.json.Encoder().encode


class PromptWriter:
    """Everything up to the end of the system prompt is made once and is the same, byte for byte, in every request, so
    that the model's prompt cache stays warm."""

    def __init__(self, model: str, system: str) -> None:
        self._head = b'{"model":%b,"stream":true,"messages":[%b' % (_encode(model), _line("system", system))

    def write(self, request: PolicyRespond) -> bytes:
        """The body for `request`: history oldest first, then the line to answer."""
        lines = b",".join((self._head, *map(_history, request.history), _line("user", request.prompt)))
        limits = b'],"max_tokens":%d,"temperature":%b}' % (request.max_tokens, _encode(request.temperature))
        return lines + limits


def _history(line: Line) -> bytes:
    return _line(line.role, line.text)


def _line(role: str, text: str) -> bytes:
    content = text.encode("utf-8", "replace").decode()  # lone surrogates have no place in JSON
    return b'{"role":"%b","content":%b}' % (role.encode(), _encode(content))
