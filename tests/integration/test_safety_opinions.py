"""A guard model and a vote beside the rules: over the real hub and the real REST door."""

import threading
from pathlib import Path

import pytest

from kitsu.protocol import PolicyRespond
from kitsu.safety.vote import LinearVote
from tests.fakes import profanity_check
from tests.fakes.ollama import FakeOllama, speak
from tests.fakes.profanity_check import HARSH
from tests.integration.orchestrator_stack import BLOCKED, Stack, kitsu, stack


async def test_a_guard_model_has_a_say_in_a_show(tmp_path: Path) -> None:
    async with FakeOllama("llama-guard3:1b") as ollama:
        ollama.reply = ["safe"]
        safety = {"guard_model": "llama-guard3:1b", "guard_url": ollama.url, "guard_budget_ms": 800.0}
        async with stack(tmp_path, safety=safety) as show, show.page() as page:
            assert (await show.chat("hello"))["outcome"] == "spoken"
            ollama.script(speak(["unsafe\nS1"]))
            turn = await show.chat("something nasty")
            assert (turn["outcome"], turn["reason"], turn["heard"]) == ("blocked", "input_gate", "")
            ollama.script(speak(["safe"]), speak(["unsafe\nS6"]))
            turn = await show.chat("hello")
            assert (turn["outcome"], turn["reason"]) == ("fallback", "output_gate")
            (row, _) = await show.get("/safety/verdicts?limit=2")
            assert (row["rule"], row["category"], row["view"]) == ("guard/S6", "guard", "guard")
            ollama.script(speak(["unsafe\nS11"]))
            assert (await show.chat("so sad"))["heard"] == kitsu().fallbacks["self_harm"][0]
            await ollama.stop()
            assert (await show.chat("hello"))["reason"] == "gate_error"
            assert (await page.until("stream.notice", code="guard_down"))["level"] == "error"
            state = (await show.get("/status"))["safety"]["guard"]
            assert (state["trouble"], state["when_down"], state["counts"]["down"]) == ("down", "block", 1)


async def test_a_vote_has_a_say_in_a_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profanity_check.install(monkeypatch)
    async with stack(tmp_path, safety={"vote": True, "vote_from": 0.9}) as show, show.page() as page:
        await voting(show, "")
        turn = await show.chat(f"you {HARSH}")
        assert (turn["outcome"], turn["text"]) == ("spoken", "")
        assert "about harsh language" in show.brain.all(PolicyRespond)[0].prompt
        assert "question" not in await page.until("turn.started")
        why = (await show.get(f"/turns/{turn['turn_id']}/why"))["verdicts"][0]
        assert (why["rule"], why["category"], why["view"], why["action"]) == (
            *("vote", "harsh_language", "vote"),
            "careful",
        )
        assert (await show.get("/status"))["safety"]["vote"]["counts"]["strong"] == 1


async def test_without_its_package_the_operator_is_told_and_the_show_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profanity_check.uninstall(monkeypatch)
    somebody_looks, load = threading.Event(), LinearVote.load
    monkeypatch.setattr(LinearVote, "load", lambda vote: (somebody_looks.wait(5), load(vote)))
    async with stack(tmp_path, safety={"vote": True}) as show, show.page() as page:
        assert (await show.get("/status"))["safety"]["vote"] == {"trouble": "loading", "counts": {}}
        somebody_looks.set()
        notice = await page.until("stream.notice", code="vote_missing")
        assert (notice["level"], "pip install kitsu[vote]" in notice["message"]) == ("warn", True)
        await voting(show, "missing")
        assert (await show.chat(HARSH))["outcome"] == "spoken"
        assert (await show.chat(BLOCKED))["outcome"] == "blocked"


async def voting(show: Stack, trouble: str) -> None:
    """Until the model is there, or is known not to be."""
    while (await show.get("/status"))["safety"]["vote"]["trouble"] != trouble:
        pass
