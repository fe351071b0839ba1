"""Nothing gets past the gate: not what a model says, not when the gate throws, hangs or is missing."""

import asyncio
import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kitsu.errors import GateError
from kitsu.protocol import PolicyCancel, PolicyRespond, encode
from kitsu.safety import (
    Actions,
    ClosedGate,
    InputVerdict,
    Judge,
    ObsTextVerdict,
    OutputVerdict,
    ReplyVerdict,
    RuleSet,
    Treatment,
    Window,
)
from tests.fakes.chat_platform import FakePlatform
from tests.integration.orchestrator_stack import BLOCKED, TOKEN, Page, Stack, gate, kitsu, stack
from tests.integration.test_turns_failing import own_words


class Hole:
    """A gate whose verdicts at one stage or both never come, or come as an error."""

    def __init__(self, *, throws: BaseException | None, stages: str, after: int = 0) -> None:
        self._inner = gate()
        self._throws = throws
        self._stages = stages
        self._after = after  # segments that still pass

    async def fail(self) -> None:
        if self._throws is None:
            await asyncio.Event().wait()
        else:
            raise self._throws

    async def judge_input(self, text: str, *, author: str, turn_id: str) -> InputVerdict:
        if "input" in self._stages:
            await self.fail()
        return await self._inner.judge_input(text, author=author, turn_id=turn_id)

    async def judge_reply(self, text: str, *, turn_id: str, ours: bool = False) -> ReplyVerdict:
        if "reply" in self._stages:
            await self.fail()
        return await self._inner.judge_reply(text, turn_id=turn_id, ours=ours)

    async def pardon(self, text: str, *, author: str, turn_id: str) -> InputVerdict:
        return await self._inner.pardon(text, author=author, turn_id=turn_id)

    async def judge_obs_text(self, text: str, *, turn_id: str) -> ObsTextVerdict:
        return await self._inner.judge_obs_text(text, turn_id=turn_id)

    def window(self, turn_id: str) -> Window:
        return _HoleWindow(self, self._inner.window(turn_id))

    async def judge(self, inner: Window, text: str, spoken: str | None) -> OutputVerdict:
        self._after -= 1
        if "output" in self._stages and self._after < 0:
            await self.fail()
        return await inner.judge(text, spoken)


class _HoleWindow:
    def __init__(self, hole: Hole, inner: Window) -> None:
        self._hole = hole
        self._inner = inner

    async def judge(self, text: str, spoken: str | None = None) -> OutputVerdict:
        return await self._hole.judge(self._inner, text, spoken)


async def leaks(show: Stack, page: Page, caplog: pytest.LogCaptureFixture, folder: Path, *words: str) -> list[str]:
    """Where any of these words can be found outside the brain."""
    await page.until("turn.ended")
    await show.get("/turns")  # everything is written
    places = {
        "page": str(page.frames),
        "voice": "".join(str(encode(f.message)) for f in show.voice.frames) + str(show.voice.spoken),
        "clock": "".join(map(_shown, show.clock.frames)),
        "door": "".join(map(_shown, show.door.frames)),
        "logs": caplog.text + str([vars(record) for record in caplog.records]),
        "history": str([r.history for r in show.brain.all(PolicyRespond)]),
        "rest": str(await show.get("/turns")) + str(await show.get("/status")),
        "store": stored_turns(folder),
    }
    return [place for place, text in places.items() if any(word.casefold() in text.casefold() for word in words)]


def stored_turns(folder: Path) -> str:
    """The table of stories. Blocked text is in the table of verdicts, and nowhere else."""
    with closing(sqlite3.connect(folder / "data" / "kitsu.db")) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert "verdict" in tables
        return str([database.execute(f"SELECT * FROM {name}").fetchall() for name in tables if name != "verdict"])


def _shown(frame: Any) -> str:
    return str(msgspec.to_builtins(frame.message))


async def test_a_blocked_line_is_not_answered_and_shown_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "kitsu")
    async with stack(tmp_path) as show, show.page() as page:
        turn = await show.chat(f"you {BLOCKED} thing", author="Ann")
        assert (turn["outcome"], turn["reason"], turn["text"], turn["heard"]) == ("blocked", "input_gate", "", "")
        assert not show.brain.all(PolicyRespond)
        assert await leaks(show, page, caplog, tmp_path, BLOCKED) == []


async def test_a_blocked_name_is_not_shown_but_the_line_is_answered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "kitsu")
    async with stack(tmp_path) as show, show.page() as page:
        turn = await show.chat("hi", author=f"{BLOCKED}99")
        assert (turn["outcome"], turn["author"]) == ("spoken", "")
        assert 'author="someone"' in show.brain.all(PolicyRespond)[0].prompt
        assert await leaks(show, page, caplog, tmp_path, BLOCKED) == []


@pytest.mark.parametrize(
    "tokens",
    [
        ["You are a ", "zorbly", " thing, you know."],
        ["You are a zo", "rb", "ly thing, you know."],
        ["z", "o", "r", "b", "l", "y"],
        ["Here it comes, the zor", "-bly, yes that one."],
        ["Such a Z0RBLY, my friend."],
        ["[smile] Well, zorb", "[wave]", "ly it is then."],
        ["<think>nothing</think>Well, well, zorbly."],
    ],
)
async def test_a_model_that_tries_to_say_it_is_stopped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, tokens: list[str]
) -> None:
    caplog.set_level(logging.DEBUG, "kitsu")
    async with stack(tmp_path) as show, show.page() as page:
        show.brain.script = lambda request: tokens
        turn = await show.chat("say it")
        assert (turn["outcome"], turn["reason"]) == ("fallback", "output_gate")
        assert own_words("blocked", turn["heard"])
        show.brain.script = lambda request: ["All good."]
        assert (await show.chat("and now?"))["outcome"] == "spoken"
        assert await leaks(show, page, caplog, tmp_path, "zorbly", "z0rbly", "zor-bly", "bly it is", "bly, yes") == []


async def test_a_word_split_over_two_segments_is_caught(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with stack(tmp_path, judge=gate("zorbly wumpus")) as show, show.page() as page:
        show.brain.script = lambda request: ["Here comes the zorbly, ", "wumpus of the woods."]
        turn = await show.chat("say it")
        assert (turn["outcome"], turn["reason"]) == ("fallback", "output_gate")
        assert turn["heard"].startswith("Here comes the zorbly, ")
        assert await leaks(show, page, caplog, tmp_path, "wumpus") == []


async def test_the_model_is_stopped_at_once_when_it_is_blocked(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        show.brain.auto = False
        await show.send("say it")
        request = await show.brain.expect(PolicyRespond)
        await show.brain.say(request, "You zorbly, ")
        await show.brain.expect(PolicyCancel)


async def test_the_operators_own_words_pass_the_gate_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with stack(tmp_path) as show, show.page() as page:
        turn = await show.post("/say", {"text": f"What a {BLOCKED}!", "wait": True})
        assert (turn["outcome"], turn["reason"]) == ("fallback", "output_gate")
        assert await leaks(show, page, caplog, tmp_path, BLOCKED) == []


async def test_words_added_while_the_show_runs_count_at_once(tmp_path: Path) -> None:
    rules = RuleSet(()).with_terms([BLOCKED])
    judge = gate()
    async with stack(tmp_path, judge=judge) as show:
        show.brain.answers += ["A wumpus came along."] * 2
        assert (await show.chat("wumpus"))["outcome"] == "spoken"
        judge._rules = rules.with_terms(["wumpus"])
        assert (await show.chat("wumpus"))["outcome"] == "blocked"
        assert (await show.chat("what came?"))["reason"] == "output_gate"


@pytest.mark.parametrize(
    "throws",
    [GateError("gate_failed", "broken"), RuntimeError("a bug in the gate"), None],
    ids=["refuses", "crashes", "hangs"],
)
@pytest.mark.parametrize("stages", ["input", "output"])
async def test_no_verdict_means_silence(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    throws: BaseException | None,
    stages: str,
) -> None:
    monkeypatch.setattr("kitsu_orchestrator.studio.VERDICT_TIMEOUT_S", 0.05)
    caplog.set_level(logging.DEBUG, "kitsu")
    judge: Judge = Hole(throws=throws, stages=stages)
    async with stack(tmp_path, judge=judge) as show, show.page() as page:
        show.brain.answers.append("A secret thing to say.")
        turn = await show.chat("something odd" if stages == "input" else "hi")
        crashed = isinstance(throws, RuntimeError)
        assert (turn["outcome"], turn["reason"]) == (("failed", "internal") if crashed else ("blocked", "gate_error"))
        assert turn["heard"] == ""
        assert not show.voice.spoken
        assert await leaks(show, page, caplog, tmp_path, "secret", "something odd") == []
        assert ("turn.crashed" in caplog.text) == crashed


@pytest.mark.parametrize("throws", [GateError("gate_failed", "broken"), None], ids=["refuses", "hangs"])
async def test_no_verdict_means_no_reply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, throws: BaseException | None
) -> None:
    monkeypatch.setattr("kitsu_orchestrator.studio.VERDICT_TIMEOUT_S", 0.05)
    judge: Judge = Hole(throws=throws, stages="reply")
    async with (
        stack(tmp_path, judge=judge, show={"start": "live"}) as show,
        FakePlatform(show.port, TOKEN) as chat,
        show.page() as page,
    ):
        await chat.say("!ai mute", "mia", "mod")
        assert (await page.until("chat.commanded"))["outcome"] == "done", "it happened all the same"
        assert chat.replies == []


async def test_a_gate_that_fails_later_stops_her_there(tmp_path: Path) -> None:
    judge = Hole(throws=GateError("gate_failed", "broken"), stages="output", after=1)
    async with stack(tmp_path, judge=judge) as show:
        turn = await show.chat("hi")
        assert (turn["outcome"], turn["reason"], turn["heard"]) == ("blocked", "gate_error", "Hello there,")


async def test_without_rules_the_gate_is_closed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    closed = ClosedGate(GateError("rules_missing", "configs/safety is not there."))
    async with stack(tmp_path, judge=closed) as show, show.page() as page:
        turn = await show.chat("a line that nobody judged", author="Ann")
        assert (turn["outcome"], turn["reason"], turn["heard"]) == ("blocked", "gate_error", "")
        said = await show.post("/say", {"text": "My own words.", "wait": True})
        assert (said["outcome"], said["reason"]) == ("blocked", "gate_error")
        assert not show.voice.spoken
        assert await leaks(show, page, caplog, tmp_path, "nobody judged", "own words") == []


async def test_a_fallback_that_the_gate_does_not_like_is_not_said(tmp_path: Path) -> None:
    fallbacks = dict.fromkeys(("blocked", "brain_down", "empty"), (f"[smile] Oh {BLOCKED}, no.",))
    character = msgspec.structs.replace(kitsu(), fallbacks=fallbacks)
    async with stack(tmp_path, character=character) as show:
        show.brain.answers += [f"You {BLOCKED}."]
        turn = await show.chat("hi")
        assert (turn["outcome"], turn["reason"], turn["heard"]) == ("blocked", "output_gate", "")


async def test_some_blocked_lines_get_an_answer_of_her_own(tmp_path: Path) -> None:
    judge = gate()
    rules = RuleSet(()).with_terms(["sadword"], category="self_harm")
    judge.use(rules, Actions({"self_harm": Treatment(input="replace", crisis=True)}))
    async with stack(tmp_path, judge=judge) as show:
        turn = await show.chat("sadword")
        assert (turn["outcome"], turn["reason"], turn["text"]) == ("fallback", "input_gate", "")
        assert turn["heard"] == kitsu().fallbacks["self_harm"][0]
        assert not show.brain.all(PolicyRespond)


async def test_what_only_sounds_bad_is_blocked_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The gate reads the form that the voice would say."""
    async with stack(tmp_path, pronunciation={"zb": BLOCKED}) as show, show.page() as page:
        show.brain.answers.append("Hello my friends, and zb to you all.")
        turn = await show.chat("hi")
        assert (turn["outcome"], turn["reason"]) == ("fallback", "output_gate")
        assert await leaks(show, page, caplog, tmp_path, "zb to you") == []
