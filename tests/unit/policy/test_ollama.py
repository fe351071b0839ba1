"""The ollama engine against a server that behaves, and one that does not."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

import pytest

from kitsu.config import PolicySettings
from kitsu.errors import ConfigError, EngineError
from kitsu.protocol import Line, PolicyPrepare, PolicyRespond
from kitsu_policy.engines.ollama import OllamaBrain
from tests.fakes.ollama import FakeOllama, speak
from tests.fakes.ollama_exchange import Exchange, Script
from tests.fakes.ollama_faults import (
    cut_after,
    endless_line,
    ends_after,
    error_after,
    hang_after,
    page,
    raw,
    refuse,
    slam,
    thinks_for_ever,
    unloaded,
)

KITSU = PolicyPrepare(character="Kitsu", system="You are Kitsu, a “fox”.")
HELLO = ("Hello there, friend.", "stop")
SCHEMA = '{"type": "object", "properties": {"mood": {"type": "string"}}}'
SAID = b'{"model":"m","message":{"role":"assistant","content":"a"},"done":false}\n'
DONE = b'{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}\n'


@asynccontextmanager
async def ready(
    ollama: FakeOllama, *, warm_up_s: float = 5, load_s: float = 5, **settings: Any
) -> AsyncIterator[OllamaBrain]:
    """A brain that has warmed up and knows its character."""
    async with AsyncExitStack() as stack:
        chosen = PolicySettings(**{"ollama_url": ollama.url, **settings})
        brain = OllamaBrain(chosen, warm_up_s=warm_up_s, load_s=load_s)
        await brain.load(stack)
        brain.prepare(KITSU)
        ollama.forget()
        yield brain


def request(**fields: Any) -> PolicyRespond:
    return PolicyRespond(**{"prompt": "hi", "max_tokens": 50, **fields})


async def hear(brain: OllamaBrain, **fields: Any) -> tuple[str, str | None]:
    async with aclosing(brain.answer(request(**fields))) as pieces:
        heard = [piece async for piece in pieces]
    return "".join(piece.text for piece in heard), heard[-1].end


async def test_the_request() -> None:
    history = (Line(role="user", text="a\n"), Line(role="assistant", text='"b"'))
    async with FakeOllama() as ollama, ready(ollama, keep_alive="5m") as brain:
        assert await hear(brain, history=history, temperature=0.5) == HELLO
        assert ollama.chats == [
            {
                "model": "llama3.1:8b",
                "stream": True,
                "think": False,
                "options": {"num_predict": 50, "temperature": 0.5, "num_ctx": 4096},
                "keep_alive": "5m",
                "messages": [
                    {"role": "system", "content": KITSU.system},
                    {"role": "user", "content": "a\n"},
                    {"role": "assistant", "content": '"b"'},
                    {"role": "user", "content": "hi"},
                ],
                "tools": [],
            }
        ]
        assert ollama.calls == ["POST /api/chat"]


async def test_warm_up_loads_the_model_and_hears_one_token() -> None:
    async with FakeOllama() as ollama, AsyncExitStack() as stack:
        brain = OllamaBrain(PolicySettings(ollama_url=ollama.url))
        await brain.load(stack)
        assert ollama.calls == ["GET /api/tags", "POST /api/chat", "POST /api/chat"]
        load, ask = ollama.chats
        assert (load.get("messages", []), load["keep_alive"], load["options"]) == ([], "30m", {"num_ctx": 4096})
        assert (ask["options"]["num_predict"], ask["options"]["num_ctx"]) == (1, 4096)
        assert (brain.trouble, brain.note) == ("", "llama3.1:8b by Ollama")


async def test_one_connection_for_all() -> None:
    async with FakeOllama() as ollama, ready(ollama) as brain:
        for _ in range(5):
            await hear(brain)
        assert ollama.connections == 1


async def test_ends_with_length() -> None:
    async with FakeOllama() as ollama, ready(ollama) as brain:
        assert await hear(brain, max_tokens=2) == ("Hello there", "length")


# The model


@pytest.mark.parametrize(
    ("there", "listed", "chosen"),
    [
        (("mixtral:8x7b", "llama3:8b"), ("llama3.1:8b", "llama3:8b", "mixtral:8x7b"), "llama3:8b"),
        (("llama3:latest",), ("llama3",), "llama3:latest"),
        (("llama3",), ("llama3:latest",), "llama3:latest"),
        (("me/fox:1b",), ("fox:1b", "me/fox:1b"), "me/fox:1b"),
    ],
)
async def test_the_first_model_of_the_list_that_is_there(
    there: tuple[str, ...], listed: tuple[str, ...], chosen: str
) -> None:
    async with FakeOllama(*there) as ollama, ready(ollama, models=listed) as brain:
        assert await hear(brain) == HELLO
        assert ollama.chats[0]["model"] == chosen
        assert brain.note == f"{chosen} by Ollama"


async def test_a_model_that_disappears_makes_room_for_the_next() -> None:
    async with FakeOllama("llama3.1:8b", "llama3.2:3b") as ollama, ready(ollama) as brain:
        del ollama.models["llama3.1:8b"]
        assert await hear(brain) == HELLO
        assert [chat["model"] for chat in ollama.chats] == ["llama3.1:8b", "llama3.2:3b"]
        assert brain.note == "llama3.2:3b by Ollama"
        assert brain.trouble == ""


async def test_a_model_that_is_listed_and_not_found_is_tried_once() -> None:
    async with FakeOllama("llama3.1:8b", "llama3.2:3b") as ollama, ready(ollama) as brain:
        ollama.script(refuse(404, "model 'llama3.1:8b' not found"))
        assert await hear(brain) == HELLO
        assert [chat["model"] for chat in ollama.chats] == ["llama3.1:8b", "llama3.2:3b"]


async def test_without_any_of_the_models_the_error_says_what_to_do_and_the_next_ask_looks_again() -> None:
    async with FakeOllama("phi:latest") as ollama, ready(ollama) as brain:
        assert "ollama pull llama3.1:8b" in brain.trouble
        with pytest.raises(EngineError, match="no_such_model"):
            await hear(brain)
        ollama.models["llama3.1:8b"] = 4_000_000_000
        assert await hear(brain) == HELLO
        assert brain.trouble == ""


# Thinking


async def test_a_model_that_can_think_is_asked_not_to() -> None:
    async with FakeOllama() as ollama, ready(ollama) as brain:
        ollama.thinking.add("llama3.1:8b")
        assert await hear(brain) == HELLO
        ollama.script(speak(["Hi."], thoughts=["Let me see", "..."]))
        assert await hear(brain) == ("Hi.", "stop")


async def test_a_server_that_takes_no_word_of_thinking_is_asked_again_without_once() -> None:
    async with FakeOllama() as ollama:
        ollama.strict_about_think = True
        async with ready(ollama) as brain:
            assert await hear(brain) == HELLO
            assert ["think" in chat for chat in ollama.chats] == [False]
            assert brain.trouble == ""


# The context


async def test_the_oldest_history_goes_first() -> None:
    history = tuple(Line(role="user", text=f"{n} " + "x" * 398) for n in range(10))  # 100 tokens each
    async with FakeOllama() as ollama, ready(ollama, context_tokens=512) as brain:
        await hear(brain, history=history, prompt="line", max_tokens=100)
        messages = [message["content"] for message in ollama.chats[0]["messages"]]
        assert (messages[0], messages[-1]) == (KITSU.system, "line")
        assert [text[0] for text in messages[1:-1]] == ["6", "7", "8", "9"]
        await hear(brain, history=history, prompt="long " * 1000, max_tokens=100)
        assert [message["role"] for message in ollama.chats[1]["messages"]] == ["system", "user"]


# The answer's form


async def test_a_schema_is_passed_on() -> None:
    async with FakeOllama() as ollama, ready(ollama) as brain:
        assert await hear(brain, schema=SCHEMA) == ('{"mood": "happy"}', "stop")
        assert ollama.chats[0]["format"] == {"type": "object", "properties": {"mood": {"type": "string"}}}


@pytest.mark.parametrize("schema", ["{", "[]", "null", "[" * 10_000, "\ud800"])
async def test_a_schema_that_is_none_is_refused_and_no_trouble(schema: str) -> None:
    async with FakeOllama() as ollama, ready(ollama) as brain:
        with pytest.raises(EngineError, match="bad_schema"):
            await hear(brain, schema=schema)
        assert (brain.trouble, ollama.chats) == ("", [])


# Failures


@pytest.mark.parametrize(
    ("script", "code", "retryable"),
    [
        (refuse(400, "invalid options"), "model_error", False),
        (refuse(401, "unauthorized"), "bad_key", False),
        (refuse(403, "cloud is disabled"), "bad_key", False),
        (refuse(405, "method not allowed"), "model_error", False),
        (refuse(429, "too many requests"), "model_busy", True),
        (refuse(500, "the model failed to generate a response"), "model_error", True),
        (refuse(502, "bad gateway"), "model_error", True),
        (refuse(503, "server busy, please try again"), "model_busy", True),
        (error_after(0), "model_error", True),
        (error_after(2), "model_error", True),
        (raw(b'{"error":{"message":"odd"}}\n'), "bad_stream", False),
        (raw(b'{"error":"7"}\n'), "bad_stream", False),
        (raw(b"", more="Location: http://192.0.2.1/\r\n", status=302), "model_error", False),
        (page(), "bad_stream", False),
        (page(502), "model_error", True),
        (raw(b"\xff\xfe\x00" * 1000, "text/html", 502), "model_error", True),
        (raw(b"[]", "application/json", 500), "bad_stream", False),
        (raw(b"x\n" * 1_000_000, "text/plain", 500), "model_error", True),
        (raw(b"not json\n"), "bad_stream", False),
        (raw(b"[]\n"), "bad_stream", False),
        (raw(b"7\n"), "bad_stream", False),
        (raw(b"{}\n"), "bad_stream", False),
        (raw(b'{"message":7}\n'), "bad_stream", False),
        (raw(b"\xff\xff\n"), "bad_stream", False),
        (raw(b"[" * 100_000 + b"\n"), "bad_stream", False),
        (raw(b"x" * 3_000_000), "bad_stream", False),
        (endless_line(), "bad_stream", False),
        (raw(b"\n" * 1000), "bad_stream", False),
        (raw(b""), "model_cut", True),
        (ends_after(2), "model_cut", True),
        (cut_after(0), "model_cut", True),
        (cut_after(2), "model_cut", True),
        (hang_after(0), "model_timeout", True),
        (hang_after(0, head=False), "model_timeout", True),
        (hang_after(2), "model_timeout", True),
        (thinks_for_ever(), "model_timeout", True),
        (unloaded("unload"), "model_unloaded", True),
        (unloaded("load"), "model_unloaded", True),
    ],
)
async def test_failures_have_names(script: Script, code: str, retryable: bool) -> None:
    async with FakeOllama() as ollama, ready(ollama, first_token_timeout_s=0.3, token_timeout_s=0.2) as brain:
        ollama.script(script)
        with pytest.raises(EngineError) as caught:
            await hear(brain)
        assert (caught.value.code, caught.value.retryable) == (code, retryable)
        assert brain.trouble == caught.value.message
        assert 10 < len(caught.value.message) < 250
        assert "<html>" not in caught.value.message
        assert await hear(brain) == HELLO
        assert brain.trouble == ""


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        (page(), "bad_stream"),
        (page(404), "bad_stream"),
        (raw(b"{}", "application/json"), "bad_stream"),
        (raw(b'{"models":[{"size":"big"}]}', "application/json"), "bad_stream"),
        (refuse(500, "oops"), "model_error"),
        (hang_after(0), "model_timeout"),
        (cut_after(0), "model_cut"),
        (raw(b'{"models":[]}', "application/json"), "no_such_model"),
    ],
)
async def test_a_server_that_is_no_ollama(tags: Script, code: str) -> None:
    async with FakeOllama() as ollama:
        ollama.tags_script = tags
        async with ready(ollama, warm_up_s=0.1, first_token_timeout_s=0.2) as brain:
            assert brain.trouble
            with pytest.raises(EngineError, match=code):
                await hear(brain)


async def test_nobody_there() -> None:
    async with FakeOllama() as ollama:
        url = ollama.url
    async with AsyncExitStack() as stack:
        brain = OllamaBrain(PolicySettings(ollama_url=url))
        await brain.load(stack)
        brain.prepare(KITSU)
        assert "no Ollama answers at 127.0.0.1" in brain.trouble
        with pytest.raises(EngineError, match="model_unreachable") as caught:
            await hear(brain)
        assert caught.value.retryable


async def test_a_server_that_goes_and_comes_back() -> None:
    async with FakeOllama() as ollama, ready(ollama) as brain:
        await ollama.stop()
        with pytest.raises(EngineError, match="model_unreachable"):
            await hear(brain)
        async with FakeOllama(port=ollama.port):
            assert await hear(brain) == HELLO


async def test_an_idle_connection_that_was_just_closed_is_no_failure() -> None:
    async with FakeOllama() as ollama, ready(ollama) as brain:
        ollama.script(slam())
        assert await hear(brain) == HELLO
        assert ollama.connections == 2


# Cancelling


async def test_closing_aborts_the_request() -> None:
    async with FakeOllama() as ollama, ready(ollama) as brain:
        ollama.script(hang_after(2))
        answer = brain.answer(request())
        assert (await anext(answer)).text == " 0"
        await answer.aclose()
        async with asyncio.timeout(2):
            await ollama.aborted.wait()


async def test_cancelling_aborts_the_request_before_its_first_word() -> None:
    async with FakeOllama() as ollama, ready(ollama) as brain:
        ollama.script(hang_after(0, head=False))
        task = asyncio.create_task(hear(brain))
        await ollama.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(2):
            await ollama.aborted.wait()


async def test_a_model_that_never_stops_is_stopped() -> None:
    async with FakeOllama() as ollama, ready(ollama) as brain:
        ollama.script(speak(["word "] * 10_000))
        text, end = await hear(brain, max_tokens=8)
        assert end == "length"
        assert len(text) < 200


async def test_the_end_does_not_wait_for_the_server_to_hang_up() -> None:
    async def lingering(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.chunk(SAID + DONE)
        await exchange.until_gone()

    async with FakeOllama() as ollama, ready(ollama) as brain:
        ollama.script(lingering)
        async with asyncio.timeout(5), aclosing(brain.answer(request())) as pieces:
            begin = time.perf_counter()
            async for piece in pieces:
                if piece.end:
                    assert time.perf_counter() - begin < 0.4
            await ollama.aborted.wait()


@pytest.mark.parametrize(
    ("body", "heard"),
    [
        (SAID + DONE, ("a", "stop")),
        (SAID + DONE.rstrip(b"\n"), ("a", "stop")),
        (SAID.replace(b"\n", b"\r\n") + DONE, ("a", "stop")),
        (SAID.replace(b'"a"', b"null") + DONE, ("", "stop")),
        (DONE, ("", "stop")),
        (SAID + DONE.replace(b',"done_reason":"stop"', b""), ("a", "stop")),
        (SAID.replace(b"false", b'true,"done_reason":"length"'), ("a", "length")),
        (SAID.replace(b'"a"', b'"a","tool_calls":[]') + DONE + b"{not json\n", ("a", "stop")),
        (SAID + b'{"message":{"role":"assistant"},"done":true,"done_reason":"unload"}\n', ("a", "stop")),
    ],
)
async def test_dialects(body: bytes, heard: tuple[str, str]) -> None:
    async with FakeOllama() as ollama, ready(ollama) as brain:
        ollama.script(raw(body))
        assert await hear(brain) == heard
        assert brain.trouble == ""


# Warming up


@pytest.mark.parametrize("script", [refuse(500, "no memory"), hang_after(0), page(), cut_after(0)])
async def test_a_failed_warm_up_is_trouble_and_no_crash(script: Script) -> None:
    async with FakeOllama() as ollama:
        ollama.load_script = script
        async with ready(ollama, warm_up_s=0.2) as brain:
            assert brain.trouble
            assert await hear(brain) == HELLO
            assert brain.trouble == ""


async def test_a_model_that_loads_slowly_does_not_hold_up_the_start() -> None:
    loaded, told = asyncio.Event(), asyncio.Event()

    async def slowly(exchange: Exchange) -> None:
        await loaded.wait()
        await unloaded("load")(exchange)

    async with FakeOllama() as ollama, AsyncExitStack() as stack:
        ollama.load_script = slowly
        brain = OllamaBrain(PolicySettings(ollama_url=ollama.url), warm_up_s=0.05)
        await brain.load(stack)
        assert "still be loading" in brain.trouble
        brain.on_change = told.set
        loaded.set()
        async with asyncio.timeout(2):
            await told.wait()
        assert brain.trouble == ""


async def test_a_model_that_never_loads() -> None:
    async with FakeOllama() as ollama:
        ollama.load_script = hang_after(0)
        async with ready(ollama, load_s=0.1) as brain:
            assert "still not loaded" in brain.trouble


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://x", "http://", "http://a:b/", "127.0.0.1:11434"])
def test_a_wrong_address_stops_the_start(url: str) -> None:
    with pytest.raises(ConfigError, match=r"policy\.ollama_url"):
        OllamaBrain(PolicySettings(ollama_url=url))
