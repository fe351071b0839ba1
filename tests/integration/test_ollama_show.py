"""A show whose language model is an Ollama: the real orchestrator, the real policy worker, a scripted server."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from kitsu.config import read
from kitsu.worker import Process
from kitsu_orchestrator.answer_length import ENOUGH, HINT
from kitsu_orchestrator.app import Orchestrator
from kitsu_policy.worker import PolicyWorker
from tests.fakes.clock import FakeClock, FakeDoor
from tests.fakes.hub import furnish, running
from tests.fakes.ollama import FakeOllama
from tests.fakes.ollama_exchange import Script
from tests.fakes.ollama_faults import (
    cut_after,
    endless_line,
    error_after,
    hang_after,
    page,
    raw,
    refuse,
    unloaded,
)
from tests.fakes.workers import FakeVoice
from tests.integration.orchestrator_stack import TOKEN, kitsu, serving

ANSWER = "Hello there, friend."
QUICK = (("policy.first_token_timeout_s", 0.3), ("policy.token_timeout_s", 0.2))


@dataclass
class Show:
    """A running show and its model's server."""

    ollama: FakeOllama
    orchestrator: Orchestrator
    http: httpx.AsyncClient

    async def chat(self, text: str = "hi", **body: Any) -> dict[str, Any]:
        """A line, and what became of it."""
        answer = await self.http.post("/chat", json={"text": text, "wait": True, "timeout_s": 8, **body})
        assert answer.status_code == 200, answer.text
        turn: dict[str, Any] = answer.json()
        return turn

    async def brain(self) -> dict[str, Any]:
        """The policy role, as status has it."""
        services = (await self.http.get("/status")).json()["services"]
        return next(service for service in services if service["role"] == "policy")


@asynccontextmanager
async def show(folder: Path, monkeypatch: pytest.MonkeyPatch, engine: str, **settings: Any) -> AsyncIterator[Show]:
    """Everything joined and warm."""
    async with AsyncExitStack() as exits:
        ollama = await exits.enter_async_context(FakeOllama())
        orchestrator, port = await exits.enter_async_context(serving(folder, **settings))
        http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"authorization": f"Bearer {TOKEN}"},
            trust_env=False,
            timeout=10,
        )
        await exits.enter_async_context(http)
        for worker in (FakeVoice(port, TOKEN), FakeClock(port, TOKEN), FakeDoor(port, TOKEN)):
            await exits.enter_async_context(worker)
        chosen = (("policy.engine", engine), ("policy.ollama_url", ollama.url), *QUICK)
        furnish(folder, port, monkeypatch, chosen)
        (folder / "secrets" / "token").write_text(TOKEN, encoding="ascii")
        exits.callback(read.cache_clear)
        await exits.enter_async_context(running(PolicyWorker(Process("policy"))))
        assert await orchestrator.show.hub.wait_for("policy", 5)
        ollama.forget()
        yield Show(ollama, orchestrator, http)


def events(turn: dict[str, Any]) -> list[tuple[str, str]]:
    return [(step["event"], step["detail"]) for step in turn["story"]]


FAILURES: list[tuple[Script, str, int]] = [  # script, code, how often the orchestrator asks
    (refuse(400, "bad options"), "model_error", 1),
    (refuse(401, "unauthorized"), "bad_key", 1),
    (refuse(429, "slow down"), "model_busy", 2),
    (refuse(500, "out of memory"), "model_error", 2),
    (refuse(502, "bad gateway"), "model_error", 2),
    (error_after(0), "model_error", 2),
    (cut_after(0), "model_cut", 2),
    (hang_after(0), "model_timeout", 2),
    (hang_after(0, head=False), "model_timeout", 2),
    (hang_after(1), "model_timeout", 2),
    (page(), "bad_stream", 1),
    (raw(b"garbage\n"), "bad_stream", 1),
    (endless_line(), "bad_stream", 1),
    (unloaded(), "model_unloaded", 2),
]


async def test_a_line_is_answered_by_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with show(tmp_path, monkeypatch, "ollama") as on_air:
        turn = await on_air.chat("hi Kitsu")
        assert (turn["outcome"], turn["heard"], turn["engine"]["policy"]) == ("spoken", ANSWER, "ollama")
        messages = on_air.ollama.chats[0]["messages"]
        assert [message["role"] for message in messages] == ["system", "user"]
        assert "hi Kitsu" in messages[1]["content"]
        brain = await on_air.brain()
        assert (brain["state"], brain["capabilities"]["note"]) == ("ok", "llama3.1:8b by Ollama")


async def test_every_failure_has_a_name_and_a_line_of_her_own_and_the_next_line_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with show(tmp_path, monkeypatch, "ollama") as on_air:
        for script, code, asks in FAILURES:
            on_air.ollama.script(*[script] * asks)
            turn = await on_air.chat()
            assert (turn["outcome"], turn["reason"]) == ("fallback", "policy_failed"), code
            assert events(turn).count(("policy.failed", code)) == asks, code
            assert any(line.partition("] ")[2] in turn["heard"] for line in kitsu().fallbacks["brain_down"])
            assert (await on_air.brain())["state"] == "degraded"
            turn = await on_air.chat()
            assert (turn["outcome"], turn["heard"], turn["engine"]["policy"]) == ("spoken", ANSWER, "ollama")
            assert (await on_air.brain())["state"] == "ok"


async def test_half_an_answer_is_not_said_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with show(tmp_path, monkeypatch, "ollama") as on_air:
        words = [b'{"message":{"role":"assistant","content":"%b "}}\n' % word for word in b"Well then, half a".split()]
        on_air.ollama.script(raw(b"".join(words) + b'{"error":"out of memory"}\n'))
        turn = await on_air.chat()
        assert (turn["outcome"], turn["reason"]) == ("fallback", "policy_failed")
        assert turn["heard"].startswith("Well then, ")
        assert turn["heard"].count("Well then") == 1
        assert (await on_air.chat())["heard"] == ANSWER


async def test_under_auto_her_own_lines_answer_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with show(tmp_path, monkeypatch, "auto") as on_air:
        assert (await on_air.chat())["engine"]["policy"] == "ollama"
        await on_air.ollama.stop()
        turn = await on_air.chat("hello, who are you?")
        assert (turn["outcome"], turn["engine"]["policy"]) == ("spoken", "scripted")
        brain = await on_air.brain()
        assert (brain["state"], brain["capabilities"]["engine"]) == ("degraded", "scripted")
        assert "no Ollama answers" in brain["capabilities"]["note"]


async def test_late_first_sounds_make_answers_shorter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with show(tmp_path, monkeypatch, "ollama", turn={"first_audio_target_ms": 0.01}) as on_air:
        for _ in range(ENOUGH):
            turn = await on_air.chat()
            assert "answer.shorter" not in dict(events(turn))
        assert ("answer.shorter", "0.75") in events(await on_air.chat())
        assert ("answer.shorter", "0.75") in events(await on_air.chat())
        asked = on_air.ollama.chats
        assert [chat["options"]["num_predict"] for chat in asked] == [220] * ENOUGH + [165] * 2
        for chat in asked[ENOUGH:]:
            *history, line = [message["content"] for message in chat["messages"]]
            assert line.endswith(HINT)
            assert not [text for text in history if HINT in text]
        private = await on_air.chat(conv="page:1")
        assert "answer.shorter" not in dict(events(private))
