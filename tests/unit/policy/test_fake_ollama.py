"""The server that stands for Ollama in these tests takes and refuses what the documented one does."""

import json
from typing import Any

import httpx
import pytest

from tests.fakes.ollama import FakeOllama

LLAMA = "llama3.1:8b"
HI = [{"role": "user", "content": "hi"}]


async def call(ollama: FakeOllama, method: str, path: str, body: Any = None) -> httpx.Response:
    async with httpx.AsyncClient(base_url=ollama.url, trust_env=False) as client:
        content = json.dumps(body) if body is not None and not isinstance(body, str) else body
        return await client.request(method, path, content=content)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        ("POST", "/api/chat", None, 400, "missing request body"),
        ("POST", "/api/chat", "{", 400, "invalid character"),
        ("POST", "/api/chat", {"messages": HI}, 400, "model is required"),
        ("POST", "/api/chat", {"model": "phi", "messages": HI}, 404, "model 'phi' not found"),
        ("POST", "/api/chat", {"model": LLAMA, "messages": HI, "think": True}, 400, "does not support thinking"),
        ("POST", "/api/chat", {"model": LLAMA, "messages": HI, "think": "a lot"}, 400, "invalid think value"),
        ("POST", "/api/chat", {"model": LLAMA, "messages": HI, "keep_alive": "30"}, 400, "invalid duration"),
        ("POST", "/api/chat", {"model": LLAMA, "messages": HI, "format": "xml"}, 500, "invalid format"),
        ("POST", "/api/pull", {}, 400, "model is required"),
        ("GET", "/api/chat", None, 405, "method not allowed"),
        ("POST", "/api/tags", "{}", 405, "method not allowed"),
        ("GET", "/api/nothing", None, 404, "page not found"),
    ],
)
async def test_it_refuses(method: str, path: str, body: Any, status: int, text: str) -> None:
    async with FakeOllama(LLAMA) as ollama:
        answer = await call(ollama, method, path, body)
        assert (answer.status_code, text in answer.text) == (status, True)


async def test_it_streams_an_answer() -> None:
    async with FakeOllama(LLAMA) as ollama:
        ollama.thinking.add(LLAMA)
        answer = await call(ollama, "POST", "/api/chat", {"model": LLAMA, "messages": HI})
        assert answer.headers["content-type"] == "application/x-ndjson"
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert lines[0]["message"]["thinking"]
        assert "".join(line["message"]["content"] for line in lines) == "Hello there, friend."
        assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
        assert lines[-1]["done_reason"] == "stop"


async def test_it_loads_unloads_lists_and_pulls() -> None:
    async with FakeOllama(LLAMA) as ollama:
        load = await call(ollama, "POST", "/api/chat", {"model": LLAMA, "messages": []})
        assert (load.json()["done_reason"], ollama.loaded) == ("load", {LLAMA})
        unload = await call(ollama, "POST", "/api/chat", {"model": LLAMA, "messages": [], "keep_alive": 0})
        assert (unload.json()["done_reason"], ollama.loaded) == ("unload", set())
        pull = await call(ollama, "POST", "/api/pull", {"model": "phi"})
        assert json.loads(pull.text.splitlines()[-1]) == {"status": "success"}
        listed = (await call(ollama, "GET", "/api/tags")).json()["models"]
        assert [model["name"] for model in listed] == [LLAMA, "phi:latest"]
        assert (await call(ollama, "GET", "/api/version")).json()["version"]
        assert (await call(ollama, "GET", "/")).text == "Ollama is running"
