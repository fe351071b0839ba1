"""A language model of fixed speed: `/v1/chat/completions` (SSE or whole) and `/v1/models`, OpenAI's protocol.

The first token comes `first_token_ms` after the request, then one every `token_ms`; a token is a word with its space.
Journal: req {id, user, messages}, tok {id, i}, end {id, n} or gone {id, i}.
"""

import argparse
import asyncio
import itertools
import json
import time
from pathlib import Path
from typing import Any

from bench.http_server import Answer, GoneError, serve, until
from bench.journal import Journal
from bench.replies import reply_to, tokens
from bench.speeds import Speeds


def last_user_text(messages: list[dict[str, Any]]) -> str:
    """What the user said last; a list of content parts counts as their text."""
    for message in reversed(messages):
        if message.get("role") == "user":
            content = message.get("content") or ""
            return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)
    return ""


class MockModel:
    """The handler of the mock's server."""

    def __init__(self, speeds: Speeds, journal: Journal) -> None:
        self._speeds = speeds
        self._journal = journal
        self._ids = itertools.count(1)

    async def handle(self, path: str, body: bytes, answer: Answer) -> None:
        """One request."""
        arrived = time.perf_counter()
        if path.endswith("/models"):
            await answer.begin()
            await answer.chunk(json.dumps({"object": "list", "data": [{"id": "mock", "object": "model"}]}).encode())
        elif path.endswith("/chat/completions"):
            await self._complete(arrived, body, answer)

    async def _complete(self, arrived: float, body: bytes, answer: Answer) -> None:
        try:
            request = json.loads(body)
            messages = list(request["messages"])
        except (ValueError, KeyError, TypeError):
            await answer.begin(400)
            await answer.chunk(b'{"error": {"message": "no chat completion request"}}')
            return
        number = next(self._ids)
        user = last_user_text(messages)
        words = tokens(reply_to(user))
        if request.get("max_tokens") == 1:  # somebody warms up
            words = words[:1]
        self._journal.note("req", arrived, id=number, user=user[-160:], messages=len(messages))
        if request.get("stream"):
            await self._stream(arrived, number, words, answer)
        else:
            await self._whole(arrived, number, words, answer)

    async def _whole(self, arrived: float, number: int, words: list[str], answer: Answer) -> None:
        await until(self._due(arrived, len(words)))
        await answer.begin()
        message = {"role": "assistant", "content": "".join(words)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        await answer.chunk(json.dumps(_envelope(number, "chat.completion", choice)).encode())
        self._journal.note("end", id=number, n=len(words))

    async def _stream(self, arrived: float, number: int, words: list[str], answer: Answer) -> None:
        index = 0
        try:
            await answer.begin(200, "text/event-stream")
            for index, word in enumerate(words, 1):
                await until(self._due(arrived, index))
                at = time.perf_counter()
                await answer.chunk(_event(number, {"content": word} | ({"role": "assistant"} if index == 1 else {})))
                self._journal.note("tok", at, id=number, i=index)
            await answer.chunk(_event(number, {}, "stop"))
            await answer.chunk(b"data: [DONE]\n\n")
            self._journal.note("end", id=number, n=len(words))
        except (GoneError, ConnectionError):
            self._journal.note("gone", id=number, i=index)
            raise

    def _due(self, arrived: float, index: int) -> float:
        return arrived + (self._speeds.first_token_ms + (index - 1) * self._speeds.token_ms) / 1000


def _event(number: int, delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps(_envelope(number, "chat.completion.chunk", choice)).encode() + b"\n\n"


def _envelope(number: int, kind: str, choice: dict[str, Any]) -> dict[str, Any]:
    return {"id": f"mock-{number}", "object": kind, "created": 0, "model": "mock", "choices": [choice]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--journal", type=Path)
    arguments = parser.parse_args()
    with Journal(arguments.journal) as journal:
        asyncio.run(serve(MockModel(Speeds(), journal).handle, arguments.port))


if __name__ == "__main__":
    main()
