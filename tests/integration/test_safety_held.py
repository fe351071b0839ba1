"""Lines that wait for the operator, also over a crash: over the real hub and the real REST door."""

import logging
from pathlib import Path

import pytest

from kitsu.protocol import PolicyRespond
from kitsu_orchestrator.held import HeldLines
from kitsu_orchestrator.this_show import ThisShow
from tests.integration.orchestrator_stack import BLOCKED, stack
from tests.integration.safety_stage import replaced, show_with, treating
from tests.integration.test_turns_gate import leaks


async def test_a_held_line_waits_and_is_answered_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "kitsu")
    async with show_with(tmp_path, input="hold") as (show, page):
        turn = await show.chat(f"a {BLOCKED} line", author="Ann")
        assert (turn["outcome"], turn["reason"]) == ("held", "operator")
        assert not show.brain.all(PolicyRespond)
        assert await leaks(show, page, caplog, tmp_path, BLOCKED) == []
        (held,) = await show.get("/safety/held")
        assert (held["turn_id"], held["author"], held["category"]) == (turn["turn_id"], "Ann", "odd")
        assert BLOCKED in held["text"]
        answer = await show.post(f"/safety/held/{turn['turn_id']}", {"answer": "allow_once"})
        said = await show.ended(answer["turn_id"])
        assert (said["outcome"], said["text"]) == ("spoken", "")
        assert BLOCKED in show.brain.all(PolicyRespond)[0].prompt
        assert await show.get("/safety/held") == []
        await show.post(f"/safety/held/{turn['turn_id']}", {"answer": "allow_once"}, status=404)
        assert (await show.chat(BLOCKED))["outcome"] == "held"


async def test_what_is_said_to_an_allowed_line_still_passes_the_gate(tmp_path: Path) -> None:
    async with show_with(tmp_path, input="hold") as (show, _page):
        turn = await show.chat(BLOCKED)
        show.brain.answers.append(f"{BLOCKED} yourself.")
        answer = await show.post(f"/safety/held/{turn['turn_id']}", {"answer": "allow_once"})
        assert (await show.ended(answer["turn_id"]))["reason"] == "output_gate"


async def test_denied_expired_and_too_many_are_counted(tmp_path: Path) -> None:
    async with show_with(tmp_path, input="hold") as (show, _page):
        now = [0.0]
        replaced(show, held=HeldLines(2, 60.0, lambda: now[0]))
        turns = [(await show.chat(f"{BLOCKED} {number}"))["turn_id"] for number in range(3)]
        assert [line["turn_id"] for line in await show.get("/safety/held")] == turns[1:]
        await show.post(f"/safety/held/{turns[1]}", {"answer": "deny"})
        await show.post(f"/safety/held/{turns[1]}", {"answer": "deny"}, status=404)
        now[0] = 61.0
        state = (await show.get("/status"))["safety"]["held"]
        assert state == {"waiting": 0, "limit": 2, "held": 3, "dropped": 1, "denied": 1, "expired": 1}


async def test_held_lines_and_words_for_now_survive_a_crash_but_no_stop(tmp_path: Path) -> None:
    file = tmp_path / "data" / "this_show.json"
    async with stack(tmp_path, judge=treating(input="hold"), this_show=ThisShow(file, "one")) as show:
        turn = await show.chat(f"a {BLOCKED} line", author="Ann")
        await show.post("/safety/block", {"term": "flumpen", "now_only": True})
        while b"flumpen" not in (left := _bytes(file)) or BLOCKED.encode() not in left:
            await show.get("/status")
    assert not file.exists(), "a planned stop forgets"
    file.write_bytes(left)  # as a crash would have left it
    async with stack(tmp_path, judge=treating(input="hold"), this_show=ThisShow(file, "one")) as show:
        (held,) = await show.get("/safety/held")
        assert (held["turn_id"], held["author"], held["category"]) == (turn["turn_id"], "Ann", "odd")
        answer = await show.post(f"/safety/held/{turn['turn_id']}", {"answer": "allow_once"})
        assert (await show.ended(answer["turn_id"]))["outcome"] == "spoken"
    file.write_bytes(left)
    async with stack(tmp_path, judge=treating(input="hold"), this_show=ThisShow(file, "two")) as show:
        assert await show.get("/safety/held") == []
        assert not file.exists()


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""
