"""The openai engine against a server that behaves, and one that does not."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

import pytest

from kitsu.config import PolicySettings
from kitsu.errors import ConfigError, EngineError
from kitsu.protocol import Line, PolicyPrepare, PolicyRespond
from kitsu_policy.engines.openai import OpenAiBrain
from tests.fakes.openai_llm import Exchange, FakeLlm, Script, cut_after, error, hang_after, pings, raw, slam, speak

KITSU = PolicyPrepare(character="Kitsu", system="You are Kitsu, a “fox”.")
DONE = b"data: [DONE]\n\n"


def chunk(text: str) -> bytes:
    return b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % text.encode()


@asynccontextmanager
async def ready(llm: FakeLlm, **settings: object) -> AsyncIterator[OpenAiBrain]:
    """A brain that has warmed up and knows its character."""
    async with AsyncExitStack() as stack:
        brain = OpenAiBrain(PolicySettings(**{"base_url": llm.url, "model": "m", **settings}))  # type: ignore[arg-type]
        await brain.load(stack)
        brain.prepare(KITSU)
        llm.forget()
        yield brain


def request(**fields: object) -> PolicyRespond:
    return PolicyRespond(**{"prompt": "hi", "max_tokens": 50, **fields})  # type: ignore[arg-type]


async def hear(brain: OpenAiBrain, **fields: object) -> tuple[str, str | None]:
    async with aclosing(brain.answer(request(**fields))) as pieces:
        heard = [piece async for piece in pieces]
    return "".join(piece.text for piece in heard), heard[-1].end


async def test_the_request() -> None:
    history = (Line(role="user", text="a\n"), Line(role="assistant", text='"b"'))
    async with FakeLlm() as llm, ready(llm, api_key="sesame") as brain:
        assert await hear(brain, history=history, temperature=0.5) == ("Hello there, friend.", "stop")
        assert llm.requests == [
            {
                "model": "m",
                "stream": True,
                "messages": [
                    {"role": "system", "content": KITSU.system},
                    {"role": "user", "content": "a\n"},
                    {"role": "assistant", "content": '"b"'},
                    {"role": "user", "content": "hi"},
                ],
                "max_tokens": 50,
                "temperature": 0.5,
            }
        ]
        assert "authorization: bearer sesame" in llm.headers[0].lower()


async def test_the_beginning_of_the_request_never_changes() -> None:
    async with FakeLlm() as llm, ready(llm) as brain:
        history: tuple[Line, ...] = ()
        for n in range(4):
            await hear(brain, history=history, prompt=f"line {n}", temperature=n / 4)
            history = (*history, Line(role="user", text=f"line {n}"), Line(role="assistant", text="ok"))
        for shorter, longer in zip(llm.bodies, llm.bodies[1:], strict=False):
            shared = shorter[: shorter.index(b'],"max_tokens"')]
            assert longer.startswith(shared)


async def test_one_connection_for_all() -> None:
    async with FakeLlm() as llm, ready(llm) as brain:
        for _ in range(5):
            await hear(brain)
        assert llm.connections == 1


async def test_ends_with_length() -> None:
    async with FakeLlm() as llm, ready(llm) as brain:
        llm.script(speak(["a"], finish="length"))
        assert await hear(brain) == ("a", "length")


@pytest.mark.parametrize(
    ("body", "heard"),
    [
        (chunk("a") + DONE, ("a", "stop")),
        (chunk("a") + b"data: [DONE]", ("a", "stop")),
        (b": hello\n\nevent: x\nid: 7\nretry: 1\nrubbish\n\n" + chunk("a") + DONE, ("a", "stop")),
        (chunk("a").replace(b"\n", b"\r\n") + DONE, ("a", "stop")),
        (b'data: {"choices":[]}\n' + b'data: {"choices":[{"delta":null}]}\n' + DONE, ("", "stop")),
        (b'data: {"choices":[{"delta":{"reasoning_content":"hm"}}]}\n' + chunk("a") + DONE, ("a", "stop")),
        (b'data: {"choices":[{"delta":{"content":"a"},"finish_reason":"content_filter"}]}\n', ("a", "stop")),
        (chunk("é漢🦊") + DONE, ("é漢🦊", "stop")),
        (DONE, ("", "stop")),
        (chunk("a") + DONE + chunk("b") + b"data: not json\n", ("a", "stop")),
    ],
)
async def test_dialects(body: bytes, heard: tuple[str, str]) -> None:
    async with FakeLlm() as llm, ready(llm) as brain:
        llm.script(raw(body), raw(body))
        assert await hear(brain) == heard
        assert brain.trouble == ""


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_events_split_anywhere(size: int) -> None:
    body = chunk("é漢🦊") + chunk(" b") + DONE

    async def dribble(exchange: Exchange) -> None:
        await exchange.head()
        for start in range(0, len(body), size):
            await exchange.chunk(body[start : start + size])
        await exchange.over()

    async with FakeLlm() as llm, ready(llm) as brain:
        llm.script(dribble)
        assert await hear(brain) == ("é漢🦊 b", "stop")


@pytest.mark.parametrize(
    ("script", "code", "retryable"),
    [
        (error(401, "who are you"), "bad_key", False),
        (error(403, "not you"), "bad_key", False),
        (error(404, "no model 'm'"), "no_such_model", False),
        (error(400, "too long"), "model_error", False),
        (error(429, "slow down"), "model_busy", True),
        (error(500, "oops"), "model_error", True),
        (error(200, "oops in disguise"), "model_error", True),
        (raw(b'data: {"error":{"message":"out of memory"}}\n\n'), "model_error", True),
        (raw(b'data: {"error":"out of memory"}\n\n'), "model_error", True),
        (raw(b"<html>hello</html>", "text/html"), "bad_stream", False),
        (raw(b'{"choices":[]}', "application/json"), "bad_stream", False),
        (raw(b"\xff\xfe\x00" * 1000, "text/html", 502), "model_error", True),
        (raw(b"x" * 1_000_000, "text/plain", 500), "model_error", True),
        (raw(b"data: {not json}\n\n"), "bad_stream", False),
        (raw(b'data: {"choices":7}\n\n'), "bad_stream", False),
        (raw(b"data: \xff\xff\n\n"), "bad_stream", False),
        (raw(b"data: " + b"[" * 100_000 + b"\n\n"), "bad_stream", False),
        (raw(b"data: " + b"x" * 3_000_000), "bad_stream", False),
        (raw(b""), "model_cut", True),
        (raw(b"\n" * 1000), "model_cut", True),
        (cut_after(0), "model_cut", True),
        (cut_after(2), "model_cut", True),
        (hang_after(0), "model_timeout", True),
        (hang_after(2), "model_timeout", True),
        (pings(), "model_timeout", True),
    ],
)
async def test_failures_have_names(script: Script, code: str, retryable: bool) -> None:
    async with FakeLlm() as llm, ready(llm, first_token_timeout_s=0.15, token_timeout_s=0.1) as brain:
        llm.script(script)
        with pytest.raises(EngineError) as caught:
            await hear(brain)
        assert (caught.value.code, caught.value.retryable) == (code, retryable)
        assert brain.trouble == caught.value.message
        assert len(caught.value.message) < 250
        assert await hear(brain) == ("Hello there, friend.", "stop")
        assert brain.trouble == ""


async def test_a_server_that_never_takes_the_call() -> None:
    async with FakeLlm() as llm, ready(llm, first_token_timeout_s=0.1) as brain:

        async def silence(exchange: Exchange) -> None:
            await asyncio.sleep(60)

        llm.script(silence)
        with pytest.raises(EngineError, match="model_timeout"):
            await hear(brain)


async def test_nobody_there() -> None:
    async with FakeLlm() as llm:
        url = llm.url
    async with AsyncExitStack() as stack:
        brain = OpenAiBrain(PolicySettings(base_url=url))
        await brain.load(stack)
        brain.prepare(KITSU)
        assert "nothing answers" in brain.trouble
        with pytest.raises(EngineError, match="model_unreachable") as caught:
            await hear(brain)
        assert caught.value.retryable


async def test_an_idle_connection_that_was_just_closed_is_no_failure() -> None:
    async with FakeLlm() as llm, ready(llm) as brain:
        llm.script(slam())
        assert await hear(brain) == ("Hello there, friend.", "stop")
        assert llm.connections == 2


async def test_closing_aborts_the_request() -> None:
    async with FakeLlm() as llm, ready(llm) as brain:
        llm.script(hang_after(2))
        answer = brain.answer(request())
        assert (await anext(answer)).text == " 0"
        await answer.aclose()
        async with asyncio.timeout(2):
            await llm.aborted.wait()


async def test_cancelling_aborts_the_request_before_its_first_word() -> None:
    async with FakeLlm() as llm, ready(llm) as brain:
        llm.script(hang_after(0))
        task = asyncio.create_task(hear(brain))
        await llm.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(2):
            await llm.aborted.wait()


async def test_a_model_that_never_stops_is_stopped() -> None:
    async with FakeLlm() as llm, ready(llm) as brain:
        llm.script(speak(["word "] * 10_000))
        text, end = await hear(brain, max_tokens=8)
        assert end == "length"
        assert len(text) < 200


async def test_the_end_does_not_wait_for_the_server_to_hang_up() -> None:
    async def lingering(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.token("a")
        await exchange.event(delta={}, finish_reason="stop")
        await exchange.until_gone()

    async with FakeLlm() as llm, ready(llm) as brain:
        llm.script(lingering)
        async with asyncio.timeout(5), aclosing(brain.answer(request())) as pieces:
            begin = time.perf_counter()
            async for piece in pieces:
                if piece.end:
                    assert time.perf_counter() - begin < 0.4
            await llm.aborted.wait()


async def test_warm_up_asks_for_one_token() -> None:
    async with FakeLlm() as llm, AsyncExitStack() as stack:
        brain = OpenAiBrain(PolicySettings(base_url=llm.url))
        await brain.load(stack)
        assert [body["max_tokens"] for body in llm.requests] == [1]


async def test_a_failed_warm_up_is_trouble_and_no_crash() -> None:
    async with FakeLlm() as llm, AsyncExitStack() as stack:
        llm.script(error(500, "still loading"))
        brain = OpenAiBrain(PolicySettings(base_url=llm.url))
        await brain.load(stack)
        assert "still loading" in brain.trouble


async def test_a_schema_comes_after_the_beginning_that_never_changes() -> None:
    async with FakeLlm() as llm, ready(llm) as brain:
        await hear(brain)
        await hear(brain, schema='{"type": "object"}')
        free, form = llm.bodies
        assert form.startswith(free[:-1])
        wanted = {"name": "answer", "strict": True, "schema": {"type": "object"}}
        assert llm.requests[1]["response_format"] == {"type": "json_schema", "json_schema": wanted}
        with pytest.raises(EngineError, match="bad_schema"):
            await hear(brain, schema="{")
        assert brain.trouble == ""


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://x/v1", "http://", "http://a:b/"])
def test_a_wrong_address_stops_the_start(url: str) -> None:
    with pytest.raises(ConfigError, match=r"policy\.base_url"):
        OpenAiBrain(PolicySettings(base_url=url))


@pytest.mark.parametrize("key", ["schlüssel", "a\nb", "\0"])
def test_a_wrong_key_stops_the_start_and_stays_secret(key: str) -> None:
    with pytest.raises(ConfigError, match=r"policy\.api_key") as caught:
        OpenAiBrain(PolicySettings(api_key=key))
    assert key not in caught.value.message


async def test_costs_little_time() -> None:
    """Ask -> request at the server, and word at the server -> word here, both ends in this process."""
    history = tuple(Line(role="user", text="word " * 20) for _ in range(40))
    async with FakeLlm() as llm, ready(llm) as brain:
        rounds = []
        for _ in range(30):
            begin = time.perf_counter()
            await hear(brain, history=history)
            rounds.append((time.perf_counter() - begin) * 1000)
    assert statistics.median(rounds) < 20  # 3 ms on an idle machine, the server's work and all words included
