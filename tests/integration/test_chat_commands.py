"""Commands from chat, in a running show: who may, what happens, and what is said about it."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kitsu.protocol import (
    ChatBatch,
    ControlLevels,
    ControlPanic,
    ControlResume,
    PolicyRespond,
    ServiceHealth,
    TtsUse,
    TtsUsing,
)
from tests.fakes.chat_platform import FakePlatform
from tests.integration.orchestrator_stack import BLOCKED, TOKEN, Stack, stack


@asynccontextmanager
async def on_air(folder: Path, **settings: Any) -> AsyncIterator[tuple[Stack, FakePlatform]]:
    """A live show with a platform."""
    async with stack(folder, show={"start": "live"}, **settings) as show, FakePlatform(show.port, TOKEN) as chat:
        yield show, chat


@pytest.mark.parametrize(
    ("command", "mode"), [("!ai on", "live"), ("!AI ON", "live"), ("!ai off", "standby"), ("!ai  off now", "standby")]
)
async def test_on_and_off(tmp_path: Path, command: str, mode: str) -> None:
    async with on_air(tmp_path) as (show, chat):
        await chat.say(command, "mia", "mod")
        assert (await chat.reply()).startswith("@mia she ")
        assert (await show.get("/status"))["levels"]["mode"] == mode


async def test_mute_and_unmute_reach_the_clock(tmp_path: Path) -> None:
    async with on_air(tmp_path) as (show, chat):
        await chat.say("!ai mute", "mia", "mod")
        assert await chat.reply() == "@mia muted."
        assert (await show.clock.expect(ControlLevels)).levels.muted
        await chat.say("!ai unmute", "mia", "mod")
        assert "heard again" in await chat.reply()
        assert not (await show.clock.expect(ControlLevels)).levels.muted


async def test_skip_is_confirmed_when_she_has_stopped(tmp_path: Path) -> None:
    async with on_air(tmp_path, held=True) as (show, chat):
        await chat.say("!ai skip", "mia", "mod")
        assert "not saying anything" in await chat.reply()
        turn = await show.send("hello")
        await show.clock.expect_sound(10, turn)
        await chat.say("!skip", "mia", "mod")
        assert await chat.reply() == "@mia skipped."
        assert (await show.get(f"/turns/{turn}"))["reason"] == "skip"


async def test_panic_and_unpanic(tmp_path: Path) -> None:
    async with on_air(tmp_path) as (show, chat):
        await chat.say("!panic", "mia", "mod")
        panic = await show.clock.expect(ControlPanic)
        assert panic.panic.by == "chat:mod"
        said = await chat.reply()
        assert said.startswith("@mia PANIC: everything is silent, 5 exits confirmed within ")
        await chat.say("!unpanic", "mia", "mod")
        assert "not for you" in await chat.reply()
        assert (await show.get("/status"))["levels"]["panic"]
        await chat.say("!unpanic", "streamer", "broadcaster")
        assert await chat.reply() == "@streamer the panic is over."
        await show.clock.expect(ControlResume)


async def test_an_exit_that_does_not_answer_is_named(tmp_path: Path) -> None:
    async with on_air(tmp_path) as (show, chat):
        show.voice.confirms = False
        await chat.say("!panic", "mia", "mod")
        assert "no word from voice" in await chat.reply()


@pytest.mark.parametrize("command", ["!panic", "!ai mute", "!unpanic", "!scene Safe", "!ai ignore @mia"])
@pytest.mark.parametrize("role", ["viewer", "sub", "vip"])
async def test_viewers_cannot(tmp_path: Path, command: str, role: Any) -> None:
    async with on_air(tmp_path) as (show, chat), show.page() as page:
        await chat.say(command, "eve", role, sub_tier=3)
        frame = await page.until("chat.commanded")
        assert (frame["outcome"], frame["reason"]) == ("refused", "not_allowed")
        levels = (await show.get("/status"))["levels"]
        assert (levels["panic"], levels["muted"]) == (None, False)
        assert show.brain.all(PolicyRespond) == []


@pytest.mark.parametrize("claim", [{"role": "operator"}, {"platform": "youtube"}])
async def test_an_app_cannot_speak_for_the_operator_or_for_others(tmp_path: Path, claim: dict[str, Any]) -> None:
    async with on_air(tmp_path) as (show, chat):
        await chat.say(
            "!panic", "eve", claim.get("role", "broadcaster"), **{k: v for k, v in claim.items() if k != "role"}
        )
        await chat.say("!ai status", "mia", "mod")
        assert "live" in await chat.reply()
        status = await show.get("/status")
        assert status["levels"]["panic"] is None
        assert status["dropped"]["forged"] == 1


async def test_ask_goes_first_and_its_answer_is_written(tmp_path: Path) -> None:
    async with on_air(tmp_path) as (show, chat):
        show.brain.answers.append("Foxes, of course.")
        await chat.say("!ask what do you like?", "rita")
        assert await chat.reply() == "@rita noted, you are next."
        assert await chat.reply() == "@rita Foxes, of course."
        asked = await show.brain.expect(PolicyRespond)
        assert "what do you like?" in asked.prompt


async def test_ask_says_why_not(tmp_path: Path) -> None:
    async with on_air(tmp_path) as (_show, chat):
        await chat.say("!ask", "ann")
        assert "what do you want to ask?" in await chat.reply()
        await chat.say(f"!ask {BLOCKED}?", "bob")
        assert await chat.reply() == "@bob noted, you are next."
        assert await chat.reply() == "@bob that is nothing she can talk about."
        await chat.say("!ai off", "mia", "mod")
        await chat.reply()
        await chat.say("!ask hello", "cyd")
        assert "not answering" in await chat.reply()


async def test_cooldowns_hold_for_each_and_not_for_mods(tmp_path: Path) -> None:
    async with on_air(tmp_path) as (_show, chat):
        await chat.say("!ask one", "rita")
        assert "next" in await chat.reply()
        await chat.reply()
        await chat.say("!ask two", "rita")
        assert await chat.reply() == "@rita again in 20 s, please."
        for number in range(3):
            await chat.say(f"!ai status {number}", "mia", "mod")
            assert "live" in await chat.reply()


async def test_clear_empties_the_queue(tmp_path: Path) -> None:
    async with on_air(tmp_path, held=True) as (show, chat):
        first = await show.send("hold the stage")
        await show.clock.expect_sound(10, first)
        await chat.send(ChatBatch(lines=tuple(chat.line(f"line {n}", f"user{n}") for n in range(6))))
        await chat.say("!ai clear", "mia", "mod")
        assert (await chat.reply()).endswith("waiting lines dropped.")
        assert (await show.get("/status"))["waiting"] == 0


async def test_ignored_people_are_not_read_even_after_a_restart(tmp_path: Path) -> None:
    async with on_air(tmp_path) as (show, chat):
        await chat.say("!ai ignore @Troll", "mia", "mod")
        assert "ignored from now on" in await chat.reply()
    async with on_air(tmp_path) as (show, chat):
        await chat.say("hello?", "troll")
        await chat.say("!ai unignore troll", "mia", "mod")
        assert await chat.reply() == "@mia is read again."
        await chat.say("hello again", "troll")
        asked = await show.brain.expect(PolicyRespond)
        assert "hello again" in asked.prompt
        assert (await show.get("/status"))["dropped"]["ignored"] == 1


@pytest.mark.parametrize("name", ["", "@", "two words", "../../etc", "x" * 60])
async def test_ignore_wants_a_name(tmp_path: Path, name: str) -> None:
    async with on_air(tmp_path) as (_show, chat):
        await chat.say(f"!ai ignore {name}", "mia", "mod")
        assert "whom?" in await chat.reply()


async def test_scene_without_obs(tmp_path: Path) -> None:
    async with on_air(tmp_path) as (show, chat):
        await chat.say("!scene Gaming", "mia", "mod")
        assert await chat.reply() == "@mia OBS is not connected."

        async def switch(call: Any) -> str:
            return f"{len(call.argument)} letters are on air."

        show.show.commands.register("scene", switch)
        await chat.say("!scene Gaming", "streamer", "broadcaster")
        assert await chat.reply() == "@streamer 6 letters are on air."


async def test_voice_is_changed_when_the_voice_says_so(tmp_path: Path) -> None:
    async with on_air(tmp_path) as (show, chat):
        voices = ("espeak", "espeak/de", "piper/amy")
        skills = show.voice.capabilities.__class__(engine="espeak", voices=voices)
        await show.voice.send(ServiceHealth(state="ok", capabilities=skills))
        await show.voice.settle()
        await chat.say("!voice ami", "streamer", "broadcaster")
        assert "There are:" in await chat.reply()
        await chat.say("!voice AMY", "streamer", "broadcaster")
        order = await show.voice.expect(TtsUse)
        assert (order.engine, order.voice) == ("piper", "amy")
        await show.voice.send(TtsUsing(parent_id=order.id, engine="piper", voice="amy"))
        assert await chat.reply() == "@streamer she speaks with piper/amy now."


async def test_help_lists_what_one_may(tmp_path: Path) -> None:
    async with on_air(tmp_path) as (_show, chat):
        await chat.say("!help", "rita")
        said = await chat.reply()
        assert "!ask QUESTION" in said
        assert "panic" not in said
        await chat.say("!help", "streamer", "broadcaster")
        assert "!unpanic" in await chat.reply()


async def test_other_bots_commands_are_nobodys_business(tmp_path: Path) -> None:
    async with on_air(tmp_path) as (show, chat):
        await chat.say("!discord", "rita")
        await chat.say("!!! wow", "rita")
        asked = await show.brain.expect(PolicyRespond)
        assert "!!! wow" in asked.prompt
        assert len(show.brain.all(PolicyRespond)) == 1
        assert len(chat.replies) == 0


async def test_a_name_that_the_gate_blocks_gets_no_reply(tmp_path: Path) -> None:
    async with on_air(tmp_path) as (show, chat):
        await chat.say("!ai mute", BLOCKED, "mod")
        await show.clock.expect(ControlLevels)
        await chat.say("!ai unmute", "mia", "mod")
        assert await chat.reply() == "@mia she can be heard again."
        assert len(chat.replies) == 1
        (kept,) = await show.get("/safety/verdicts")
        assert (kept["surface"], BLOCKED in kept["text"]) == ("chat_reply", True)


async def test_the_stream_tells_how_long_it_took(tmp_path: Path) -> None:
    async with on_air(tmp_path) as (show, chat), show.page() as page:
        before = time.perf_counter()
        await chat.say("!ai mute", "mia", "mod")
        frame = await page.until("chat.commanded")
        took_ms = (time.perf_counter() - before) * 1000
        assert (frame["command"], frame["role"], frame["outcome"]) == ("ai mute", "mod", "done")
        assert 0 < frame["latency_ms"] <= took_ms


async def test_a_command_of_an_own_table(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    rule = '    aliases: [hush]\n    users: [rita, "id:id-bob"]\n    when: online\n'
    table = f'prefix: "?"\ncommands:\n  ai mute:\n{rule}...\n'
    (tmp_path / "configs" / "commands.yaml").write_text(table, encoding="utf-8")
    async with on_air(tmp_path) as (_show, chat):
        await chat.place(live=False)
        await chat.say("?hush", "rita")
        assert "only while the stream is online" in await chat.reply()
        await chat.place(live=True)
        await chat.say("?hush", "bob")
        assert await chat.reply() == "@bob muted."
