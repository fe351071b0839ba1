"""Turns, end to end: what is said, seen, remembered and written down."""

from pathlib import Path
from typing import Any

import pytest

from kitsu.protocol import (
    PlayoutCaption,
    PlayoutClose,
    PlayoutFlush,
    PlayoutOpen,
    PolicyCancel,
    PolicyRespond,
    TtsSynthesize,
    TurnEnded,
    TurnStarted,
    checked,
)
from tests.integration.orchestrator_stack import KEY, Stack, stack

LONG = "One two three four five six, seven eight nine ten eleven twelve, and that was all of it."


async def test_a_line_is_answered_aloud(tmp_path: Path) -> None:
    async with stack(tmp_path) as show, show.page() as page:
        show.brain.answers.append("[smile] Hello there, nice to see [wave] you today.")
        turn = await show.chat("hi Kitsu", author="Ann", role="sub")
        assert (turn["outcome"], turn["reason"]) == ("spoken", "completed")
        assert turn["segments"][0] == {"text": "Hello there,", "expression": "smile", "action": ""}
        assert turn["heard"] == " ".join(segment["text"] for segment in turn["segments"])
        assert turn["engine"] == {"policy": "fake_policy", "tts": "fake_tts"}
        assert turn["first_audio_ms"] > 0
        assert turn["audio_ms"] > 300
        assert (turn["author"], turn["text"]) == ("Ann", "hi Kitsu")
        assert await show.get(f"/turns/{turn['turn_id']}") == turn
        await page.until("turn.ended", turn_id=turn["turn_id"], outcome="spoken", heard=turn["heard"])
        told = [kind for kind in page.types() if kind != "playout.progress"]
        assert told[:4] == ["state.snapshot", "turn.queued", "turn.started", "turn.segment"]
        assert [kind for kind in told if kind != "turn.segment"][3:] == [
            "playout.started",
            "playout.finished",
            "turn.ended",
        ]
        times = turn["times"]
        stages = [times[name] for name in ("gate_in_ms", "first_token_ms", "first_segment_ms", "first_chunk_ms")]
        assert stages == sorted(stages)
        assert [step["event"] for step in turn["story"]] == ["turn.started", "playout.started", "turn.ended"]


async def test_exits_get_sealed_text_and_the_clock_whole_turns(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        turn = await show.chat("hi", author="Ann")
        started = await show.door.expect(TurnStarted)
        assert started.question is not None
        assert started.author is not None
        assert checked(started.question, KEY, "question", turn["turn_id"]) == "hi"
        assert checked(started.author, KEY, "author", turn["turn_id"]) == "Ann"
        ended = await show.door.expect(TurnEnded, outcome="spoken")
        assert ended.heard == turn["heard"]
        for worker in (show.clock, show.door):
            captions = [caption.caption.text for caption in worker.all(PlayoutCaption)]
            assert captions == [segment["text"] for segment in turn["segments"]]
        assert [o.clock for o in show.clock.all(PlayoutOpen)] == ["live"]
        assert [c.segments for c in show.clock.all(PlayoutClose)] == [len(turn["segments"])]


@pytest.mark.parametrize(
    ("cuts", "first"),
    [("natural", "One two three four five six,"), ("eager", "One two three four")],
)
async def test_the_setting_decides_how_early_she_begins(tmp_path: Path, cuts: str, first: str) -> None:
    async with stack(tmp_path, policy={"cuts": cuts}) as show:
        show.brain.answers.append(LONG)
        turn = await show.chat("hi")
        assert turn["segments"][0]["text"] == first
        assert turn["heard"] == LONG


async def test_history_holds_what_was_heard_and_asks_with_the_same_bytes(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        show.brain.answers.append("First answer.")
        await show.chat("one", author="Ann", role="mod")
        await show.chat("two", author="Bob")
        first, second = show.brain.all(PolicyRespond)
        assert first.history == ()
        assert [(line.role, line.text) for line in second.history] == [
            ("user", first.prompt),
            ("assistant", "First answer."),
        ]
        assert first.prompt == '<chat role="mod" author="Ann">one</chat>'
        assert first.plain == "one"


@pytest.mark.parametrize("lines", [0, 1, 2, 3])
async def test_history_is_bounded(tmp_path: Path, lines: int) -> None:
    async with stack(tmp_path, turn={"history_lines": lines}) as show:
        for text in ("one", "two", "three"):
            await show.chat(text)
        assert len(show.brain.all(PolicyRespond)[-1].history) == lines


async def test_the_operators_words_are_said_as_they_are(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        turn = await show.post("/say", {"text": "[wave] Welcome, all of you!", "wait": True})
        assert (turn["outcome"], turn["kind"], turn["heard"]) == ("spoken", "say", "Welcome, all of you!")
        assert not show.brain.all(PolicyRespond)
        await show.chat("hi")
        history = show.brain.all(PolicyRespond)[0].history
        assert [(line.role, line.text) for line in history] == [("assistant", "Welcome, all of you!")]


async def test_words_that_nothing_can_be_said_of_are_dropped(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        turn = await show.post("/say", {"text": "[wave] *waves*", "wait": True})
        assert (turn["outcome"], turn["reason"]) == ("dropped", "empty")


async def begin_to_hear(show: Stack, text: str, ms: float, **body: Any) -> str:
    """A turn of which `ms` have been heard."""
    show.voice.ms_per_char = 4.0  # all of it fits into the credit
    show.brain.answers.append(LONG)
    turn_id = await show.send(text, **body)
    await show.clock.expect(PlayoutClose)
    await show.clock.hear(ms)
    return turn_id


async def test_skip_keeps_only_what_was_heard(tmp_path: Path) -> None:
    async with stack(tmp_path, held=True) as show:
        turn_id = await begin_to_hear(show, "hi", 80)
        assert await show.post("/control/skip") == {"skipped": True}
        turn = await show.ended(turn_id)
        assert (turn["outcome"], turn["reason"]) == ("interrupted", "skip")
        assert turn["heard"] == "One two three four"
        assert (await show.clock.expect(PlayoutFlush)).reason == "skip"
        await show.clock.release()
        await show.chat("and?")
        assert show.brain.all(PolicyRespond)[-1].history[-1].text == "One two three four"
        assert await show.post("/control/skip") == {"skipped": False}


async def test_skip_while_the_model_thinks_stops_the_model(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        show.brain.auto = False
        turn_id = await show.send("hi")
        await show.brain.expect(PolicyRespond)
        await show.post("/control/skip")
        assert (await show.brain.expect(PolicyCancel)).turn_id == turn_id
        turn = await show.ended(turn_id)
        assert (turn["outcome"], turn["heard"]) == ("interrupted", "")
        show.brain.auto = True
        assert (await show.chat("again"))["outcome"] == "spoken"


async def test_say_now_cuts_in_before_everything_that_waits(tmp_path: Path) -> None:
    async with stack(tmp_path, held=True) as show:
        first = await begin_to_hear(show, "hi", 80)
        second = await show.send("me too", author="Bob")
        await show.brain.expect(PolicyRespond, plain="me too")  # thought about already
        now = (await show.post("/say", {"text": "Stop right there.", "now": True}, status=202))["turn_id"]
        turn = await show.ended(first)
        assert (turn["outcome"], turn["reason"], turn["heard"]) == ("interrupted", "replaced", "One two three four")
        await show.clock.release()
        said = await show.ended(now)
        answered = await show.ended(second)
        assert (said["outcome"], answered["outcome"]) == ("spoken", "spoken")
        assert [opened.turn_id for opened in show.clock.all(PlayoutOpen)] == [first, now, second]
        history = show.brain.all(PolicyRespond)[-1].history
        assert [line.text for line in history if line.role == "assistant"] == [
            "One two three four",
            "Stop right there.",
        ]


async def test_muted_turns_run_on_and_nothing_of_them_is_heard(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        assert (await show.post("/control/mute"))["muted"] is True
        turn = await show.chat("hi")
        assert (turn["outcome"], turn["reason"], turn["heard"]) == ("muted", "muted", "")
        assert (await show.post("/control/unmute"))["muted"] is False
        assert (await show.chat("hi again"))["outcome"] == "spoken"
        assert show.brain.all(PolicyRespond)[-1].history == ()


async def test_live_and_standby_are_levels(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        assert (await show.get("/status"))["levels"]["mode"] == "standby"
        assert (await show.post("/control/live"))["mode"] == "live"
        await show.door.leave()
        await show.door.join()
        assert show.door.accepted.levels.mode == "live"
        assert (await show.post("/control/standby"))["mode"] == "standby"


async def test_long_answers_are_capped(tmp_path: Path) -> None:
    async with stack(tmp_path, turn={"max_audio_s": 1.0}) as show:
        show.voice.ms_per_char = 60
        show.brain.script = lambda request: (f"This is sentence number {n}. " for n in range(200))
        turn = await show.chat("talk")
        assert (turn["outcome"], turn["reason"]) == ("spoken", "capped")
        assert 1 <= len(turn["segments"]) <= 3
        assert show.brain.all(PolicyCancel)


async def test_an_answer_of_max_tokens_is_capped(tmp_path: Path) -> None:
    async with stack(tmp_path, policy={"max_tokens": 17}) as show:
        show.brain.auto = False
        turn_id = await show.send("talk")
        request = await show.brain.expect(PolicyRespond)
        assert request.max_tokens == 17
        await show.brain.say(request, "And so it goes on and")
        await show.brain.finish(request, "length")
        turn = await show.ended(turn_id)
        assert (turn["outcome"], turn["reason"], turn["heard"]) == ("spoken", "capped", "And so it goes on and")


async def test_sound_never_runs_far_ahead_of_the_clock(tmp_path: Path) -> None:
    async with stack(tmp_path, held=True) as show:
        show.voice.ms_per_char = 100
        show.brain.answers.append("A sentence that sounds for quite some seconds when it is said. " * 3)
        turn_id = await show.send("talk")
        await show.voice.expect(TtsSynthesize)
        for ms in range(0, 60_000, 250):
            if turn_id not in show.clock.turns and ms:
                break
            await show.clock.expect_sound(ms + 250, turn_id)
            await show.clock.hear(ms + 250)
        turn = await show.ended(turn_id)
        assert turn["audio_ms"] > 15_000
        assert show.clock.most_ahead_ms <= 500.1


async def test_chunks_longer_than_the_credit_still_pass(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        show.voice.ms_per_char, show.voice.chunk_ms = 100, 900
        show.brain.answers.append(LONG)
        assert (await show.chat("talk"))["heard"] == LONG


async def test_the_offline_clock_gets_everything_at_once(tmp_path: Path) -> None:
    async with stack(tmp_path, held=True) as show:
        show.voice.ms_per_char = 100
        show.brain.answers.append(LONG)
        turn_id = await show.send("talk", clock="offline", conv="note:1")
        await show.clock.expect(PlayoutClose)
        assert show.clock.all(PlayoutOpen)[0].clock == "offline"
        assert show.clock.most_ahead_ms > 2000  # live: 500
        await show.clock.release()
        assert (await show.ended(turn_id))["heard"] == LONG


async def test_memory_of_a_long_answer_stays_flat(tmp_path: Path) -> None:
    async with stack(tmp_path, held=True, turn={"voice_ahead_s": 2.0}) as show:
        show.voice.ms_per_char = 100
        show.brain.script = lambda request: (f"Here is the sentence number {n}, as ever. " for n in range(12))
        await show.send("talk")
        await show.clock.expect_sound(400, (await show.clock.expect(PlayoutOpen)).turn_id)
        await show.get("/status")  # everything that was on its way has come
        assert len(show.voice.all(TtsSynthesize)) <= 4


async def test_numbers_are_said_in_words_and_shown_as_written(tmp_path: Path) -> None:
    async with stack(tmp_path, pronunciation={"gg": "G G"}) as show:
        show.brain.answers.append("It is 7:30, gg and 20% off.")
        turn = await show.chat("what time is it")
        said = show.voice.all(TtsSynthesize)
        spoken = " ".join(message.speech.text for message in said)
        assert spoken == "It is seven thirty, G G and twenty percent off."
        assert turn["heard"] == "It is 7:30, gg and 20% off."
        captions = [segment["text"] for segment in turn["segments"]]
        pieces = [
            (message.speech.text[one.start : one.end], captions[message.segment][one.written_start : one.written_end])
            for message in said
            for one in message.rewrites
        ]
        assert pieces == [("seven thirty", "7:30"), ("G G", "gg"), ("twenty percent", "20%")]
