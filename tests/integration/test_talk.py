"""Somebody speaks: lines, interruptions, and what is none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kitsu.protocol import (
    PlayoutFlush,
    PlayoutOpen,
    PlayoutPause,
    PlayoutResume,
    PolicyCancel,
    PolicyRespond,
)
from tests.fakes.ears import GUEST, HOST, FakeEars, Said
from tests.integration.orchestrator_stack import BLOCKED, TOKEN, Stack, stack

LONG = "One two three four five six, seven eight nine ten eleven twelve, and that was all of it."


@asynccontextmanager
async def talking(folder: Path, **settings: Any) -> AsyncIterator[tuple[Stack, FakeEars]]:
    """A show with ears. `held=True`: what is heard moves at the test's word."""
    async with stack(folder, **settings) as show, FakeEars(show.port, TOKEN) as ears:
        await ears.listens()
        await ears.settle()
        yield show, ears


async def speaking(show: Stack, heard_ms: float = 300.0) -> str:
    """She says LONG, and is heard so far; her turn's id."""
    show.brain.answers.append(LONG)
    turn_id = await show.send("talk to me")
    await show.clock.expect(PlayoutOpen, turn_id=turn_id)
    await show.clock.expect_sound(heard_ms, turn_id)
    await show.clock.hear(heard_ms, turn_id)
    await show.clock.settle()
    return turn_id


def counts(show: Stack) -> dict[str, int]:
    return dict(show.show.talk.counts)


async def spoken(show: Stack, ears: FakeEars, said: Said, text: str, **fields: Any) -> dict[str, Any]:
    """A final, and the turn that comes of it."""
    await ears.final(said, text, **fields)
    (request,) = show.brain.all(PolicyRespond, plain=text) or [await show.brain.expect(PolicyRespond, plain=text)]
    return await show.ended(request.turn_id)


async def test_what_is_said_is_answered(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears):
        turn = await spoken(show, ears, await ears.starts(), "What do we play tonight?")
        assert (turn["outcome"], turn["author"], turn["author_role"]) == ("spoken", "Robin", "broadcaster")
        assert turn["text"] == "What do we play tonight?"
        assert turn["times"]["endpoint_ms"] == 700.0
        assert turn["times"]["first_audio_ms"] > 0
        again = await show.chat("and then?")
        assert again["outcome"] == "spoken"
        history = show.brain.all(PolicyRespond, plain="and then?")[0].history
        assert "What do we play tonight?" in history[-2].text
        status = await show.get("/status")
        assert status["ears"]["counts"]["lines"] == 1
        assert status["ears"]["latency_ms"]["endpoint_p50"] == 700.0
        assert status["ears"]["latency_ms"]["speech_to_audio_p50"] > 700.0


async def test_a_guest_is_a_guest(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears):
        turn = await spoken(show, ears, await ears.starts(GUEST), "Hello Kitsu, nice to meet you")
        assert (turn["author"], turn["author_role"]) == ("Kim", "vip")


async def test_what_is_said_passes_the_gate(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears), show.page() as page:
        await ears.final(await ears.starts(), f"say {BLOCKED} please")
        ended = await page.until("turn.ended")
        assert (ended["outcome"], ended["reason"]) == ("blocked", "input_gate")
        assert not show.brain.all(PolicyRespond)
        verdicts = await show.get("/safety/verdicts")
        assert verdicts


async def test_each_conversation_has_its_own_answers(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears):
        said = await ears.starts(conv="page:1")
        await ears.final(said, "Only for me, please")
        request = await show.brain.expect(PolicyRespond, plain="Only for me, please")
        assert request.conv == "page:1"
        assert (await show.ended(request.turn_id))["conv"] == "page:1"


async def test_at_the_first_sound_she_waits_and_after_a_cough_she_goes_on(tmp_path: Path) -> None:
    async with talking(tmp_path, held=True) as (show, ears):
        turn_id = await speaking(show)
        said = await ears.starts()
        pause = await show.clock.expect(PlayoutPause)
        assert (pause.conv, pause.limit_ms) == ("stage", 4000.0)
        await ears.dropped(said, "too_short")
        await show.clock.expect(PlayoutResume)
        await show.clock.release()
        turn = await show.ended(turn_id)
        assert (turn["outcome"], turn["heard"]) == ("spoken", LONG)
        assert [step["event"] for step in turn["story"]][-3:] == ["turn.paused", "turn.resumed", "turn.ended"]
        assert not show.clock.all(PlayoutFlush)
        assert (counts(show)["paused"], counts(show)["resumed"]) == (1, 1)


@pytest.mark.parametrize("hum", ["mhm", "Okay.", "ja, genau", "uh-huh", "Aha!", "yeah"])
async def test_a_back_channel_is_no_interruption(tmp_path: Path, hum: str) -> None:
    async with talking(tmp_path, held=True) as (show, ears):
        turn_id = await speaking(show)
        said = await ears.starts()
        await show.clock.expect(PlayoutPause)
        await ears.partial(said, hum, settled=True)
        await ears.final(said, hum)
        await show.clock.expect(PlayoutResume)
        await show.clock.release()
        turn = await show.ended(turn_id)
        assert (turn["outcome"], turn["heard"]) == ("spoken", LONG)
        assert len(show.brain.all(PolicyRespond)) == 1
        assert counts(show)["back_channel"] == 1
        assert "guesses_started" not in counts(show)


async def test_what_the_host_says_into_it_ends_it_and_is_answered(tmp_path: Path) -> None:
    async with talking(tmp_path, held=True) as (show, ears):
        turn_id = await speaking(show, heard_ms=300)
        said = await ears.starts()
        await show.clock.expect(PlayoutPause)
        await ears.final(said, "Wait, what was that noise?")
        await show.clock.expect(PlayoutFlush)
        cut = await show.ended(turn_id)
        assert (cut["outcome"], cut["reason"]) == ("interrupted", "spoken_over")
        assert cut["heard"] == "One two three four five six,"[: len(cut["heard"])]
        assert 0 < len(cut["heard"]) < len(LONG)
        request = await show.brain.expect(PolicyRespond, plain="Wait, what was that noise?")
        assert request.history[-1].text == cut["heard"]
        await show.clock.release()
        assert (await show.ended(request.turn_id))["outcome"] == "spoken"
        assert show.brain.all(PolicyCancel, turn_id=turn_id) or show.voice.cancelled()
        assert counts(show)["interrupted"] == 1


async def test_who_speaks_for_long_is_no_false_interruption(tmp_path: Path) -> None:
    """Playout gives a pause up by itself."""
    async with talking(tmp_path, held=True) as (show, ears):
        turn_id = await speaking(show)
        said = await ears.starts()
        await show.clock.expect(PlayoutPause)
        await show.clock.give_up()
        turn = await show.ended(turn_id)
        assert (turn["outcome"], turn["reason"]) == ("interrupted", "spoken_over")
        await show.clock.release()
        answer = await spoken(show, ears, said, "And that is the whole long story of it")
        assert answer["outcome"] == "spoken"


async def test_two_who_speak_at_once_must_both_be_done(tmp_path: Path) -> None:
    async with talking(tmp_path, held=True) as (show, ears):
        turn_id = await speaking(show)
        one, other = await ears.starts(), await ears.starts(GUEST)
        await show.clock.expect(PlayoutPause)
        await ears.dropped(one)
        await show.clock.settle()
        assert not show.clock.all(PlayoutResume)
        await ears.dropped(other)
        await show.clock.expect(PlayoutResume)
        await show.clock.release()
        assert (await show.ended(turn_id))["outcome"] == "spoken"
        assert len(show.clock.all(PlayoutPause)) == 1


async def test_switched_off_she_speaks_to_the_end(tmp_path: Path) -> None:
    async with talking(tmp_path, held=True, talk={"barge_in": "off"}) as (show, ears):
        turn_id = await speaking(show)
        said = await ears.starts()
        await ears.final(said, "Stop it please, right now")
        await show.clock.release()
        assert (await show.ended(turn_id))["outcome"] == "spoken"
        request = await show.brain.expect(PolicyRespond, plain="Stop it please, right now")
        assert (await show.ended(request.turn_id))["outcome"] == "spoken"
        assert not show.clock.all(PlayoutPause)


async def test_with_a_minimum_of_words_sound_alone_is_nothing(tmp_path: Path) -> None:
    async with talking(tmp_path, held=True, talk={"barge_in": "words", "min_words": 3}) as (show, ears):
        turn_id = await speaking(show)
        said = await ears.starts()
        await ears.partial(said, "hold on")
        assert not show.clock.all(PlayoutPause)
        await ears.partial(said, "hold on a")
        await show.clock.expect(PlayoutPause)
        await ears.final(said, "hold on a second")
        assert (await show.ended(turn_id))["reason"] == "spoken_over"


async def test_too_few_words_wait_for_their_turn(tmp_path: Path) -> None:
    async with talking(tmp_path, held=True, talk={"barge_in": "words", "min_words": 3}) as (show, ears):
        turn_id = await speaking(show)
        await ears.final(await ears.starts(), "come on")
        await show.clock.release()
        assert (await show.ended(turn_id))["outcome"] == "spoken"
        request = await show.brain.expect(PolicyRespond, plain="come on")
        assert (await show.ended(request.turn_id))["outcome"] == "spoken"


@pytest.mark.parametrize(("speaker", "waits"), [(HOST, True), (GUEST, False)])
async def test_hosts_only(tmp_path: Path, speaker: Any, waits: bool) -> None:
    async with talking(tmp_path, held=True, talk={"barge_in": "host"}) as (show, ears):
        turn_id = await speaking(show)
        said = await ears.starts(speaker)
        await ears.final(said, "I have something to say here")
        assert bool(show.show.talk.counts["paused"]) == waits
        await show.clock.release()
        assert (await show.ended(turn_id))["outcome"] == ("interrupted" if waits else "spoken")


async def test_while_somebody_speaks_she_begins_nothing(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears):
        said = await ears.starts()
        waiting = await show.send("a line from chat")
        await show.brain.settle()
        assert not show.brain.all(PolicyRespond)
        await ears.final(said, "First of all, hello everybody")
        spoken_first = await show.brain.expect(PolicyRespond)
        assert spoken_first.plain == "First of all, hello everybody"
        assert (await show.ended(waiting))["outcome"] == "spoken"


async def test_the_floor_is_nobodys_for_ever(tmp_path: Path) -> None:
    async with talking(tmp_path, talk={"floor_s": 1.0}) as (show, ears):
        await ears.starts()
        assert (await show.chat("there is music in the microphone"))["outcome"] == "spoken"


async def test_the_operators_words_at_once_wait_for_nobody(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears):
        await ears.starts()
        turn = await show.post("/say", {"text": "Good evening!", "now": True, "wait": True})
        assert turn["outcome"] == "spoken"


async def test_what_begins_while_she_thinks_holds_her_too(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears):
        show.brain.auto = False
        turn_id = await show.send("talk to me")
        request = await show.brain.expect(PolicyRespond)
        said = await ears.starts()
        await show.clock.expect(PlayoutPause)
        await show.brain.say(request, "Well, hello there my friend. ")
        await show.brain.finish(request)
        await show.clock.expect(PlayoutOpen)
        await ears.dropped(said, "phantom")
        turn = await show.ended(turn_id)
        assert (turn["outcome"], turn["heard"]) == ("spoken", "Well, hello there my friend.")


async def test_among_people_only_her_name_counts(tmp_path: Path) -> None:
    async with talking(tmp_path, held=True) as (show, ears):
        await ears.listens("wake_word")
        turn_id = await speaking(show)
        one = await ears.starts()
        await ears.partial(one, "did you feed the cat", settled=True)
        await ears.final(one, "did you feed the cat", addressed=False)
        assert not show.clock.all(PlayoutPause)
        assert counts(show) == {"not_addressed": 1}
        other = await ears.starts()
        await ears.final(other, "Kitsu, what is the time?", addressed=True)
        assert (await show.ended(turn_id))["reason"] == "spoken_over"
        await show.brain.expect(PolicyRespond, plain="Kitsu, what is the time?")


async def test_her_own_voice_is_no_line(tmp_path: Path) -> None:
    async with talking(tmp_path, held=True) as (show, ears):
        turn_id = await speaking(show)
        said = await ears.starts(echo=0.5)
        assert not show.clock.all(PlayoutPause)  # sound that is half hers must have words first
        await ears.partial(said, "three four five six")
        await ears.final(said, "three four five six seven", echo=0.5)
        await show.clock.release()
        assert (await show.ended(turn_id))["outcome"] == "spoken"
        assert counts(show) == {"own_voice": 1}
        late = await ears.starts(echo=0.5)
        await ears.final(late, "and that was all of it", echo=0.5)
        assert counts(show)["own_voice"] == 2
        assert len(show.brain.all(PolicyRespond)) == 1


async def test_who_repeats_her_words_is_heard(tmp_path: Path) -> None:
    """Alike in text, but nothing of the sound was hers."""
    async with talking(tmp_path) as (show, ears):
        show.brain.answers.append("The fox jumps over the lazy dog.")
        await show.chat("hi")
        said = await ears.starts(echo=0.05)
        turn = await spoken(show, ears, said, "the fox jumps over the lazy dog", echo=0.05)
        assert turn["outcome"] == "spoken"


async def test_who_speaks_over_her_voice_is_heard(tmp_path: Path) -> None:
    """Much of the sound was hers, but the words are others."""
    async with talking(tmp_path, held=True) as (show, ears):
        turn_id = await speaking(show)
        said = await ears.starts(echo=0.6)
        await ears.partial(said, "please stop that")
        await show.clock.expect(PlayoutPause)
        await ears.final(said, "please stop that and listen", echo=0.6)
        assert (await show.ended(turn_id))["reason"] == "spoken_over"


async def test_ears_that_die_in_the_middle_let_her_go_on(tmp_path: Path) -> None:
    async with talking(tmp_path, held=True) as (show, ears):
        turn_id = await speaking(show)
        await ears.starts()
        await show.clock.expect(PlayoutPause)
        await ears.kill()
        await show.clock.expect(PlayoutResume)
        await show.clock.release()
        assert (await show.ended(turn_id))["outcome"] == "spoken"
        assert (await show.chat("still there?"))["outcome"] == "spoken"


async def test_a_clock_that_dies_in_the_middle_ends_the_turn(tmp_path: Path) -> None:
    async with talking(tmp_path, held=True) as (show, ears):
        turn_id = await speaking(show)
        said = await ears.starts()
        await show.clock.expect(PlayoutPause)
        await show.clock.kill()
        assert (await show.ended(turn_id))["reason"] == "playout_lost"
        show.clock.held = False
        await show.clock.join()
        turn = await spoken(show, ears, said, "Are you still with us?")
        assert turn["outcome"] == "spoken"


async def test_panic_while_she_waits(tmp_path: Path) -> None:
    async with talking(tmp_path, held=True) as (show, ears):
        turn_id = await speaking(show)
        said = await ears.starts()
        await show.clock.expect(PlayoutPause)
        await show.post("/control/panic")
        assert (await show.ended(turn_id))["outcome"] == "panic"
        await ears.final(said, "What was that about?")
        assert not show.brain.all(PolicyRespond, plain="What was that about?")
        await show.post("/control/resume")
        await show.clock.release()
        turn = await spoken(show, ears, await ears.starts(), "Are you back again?")
        assert turn["outcome"] == "spoken"


async def test_mute_while_she_waits(tmp_path: Path) -> None:
    async with talking(tmp_path, held=True) as (show, ears):
        turn_id = await speaking(show)
        said = await ears.starts()
        await show.clock.expect(PlayoutPause)
        await show.post("/control/mute")
        await ears.dropped(said)
        await show.clock.expect(PlayoutResume)
        await show.clock.release()
        assert (await show.ended(turn_id))["outcome"] == "muted"


async def test_skip_while_she_waits(tmp_path: Path) -> None:
    async with talking(tmp_path, held=True) as (show, ears):
        turn_id = await speaking(show)
        said = await ears.starts()
        await show.clock.expect(PlayoutPause)
        await show.post("/control/skip")
        assert (await show.ended(turn_id))["reason"] == "skip"
        await ears.dropped(said)
        await show.clock.release()
        assert (await show.chat("go on"))["outcome"] == "spoken"
        assert "resumed" not in counts(show)
