"""Workers that die, fail or fall silent in the middle of a turn."""

from pathlib import Path

import pytest

from kitsu.protocol import PlayoutClose, PlayoutOpen, PolicyFailed, PolicyRespond, TtsSynthesize
from tests.fakes.workers import ids
from tests.integration.orchestrator_stack import kitsu, stack
from tests.integration.test_turns import LONG


def own_words(kind: str, heard: str) -> bool:
    """Whether she said one of her own lines for that case (stage directions aside)."""
    return any(line.partition("] ")[2] in heard for line in kitsu().fallbacks[kind])


async def test_a_voice_that_fails_before_anything_is_heard_is_asked_again(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        show.voice.auto = False
        turn_id = await show.send("hi")
        await show.voice.fail(await show.voice.expect(TtsSynthesize, segment=0))
        again = await show.voice.expect(TtsSynthesize, segment=0)
        show.voice.auto = True
        await show.voice.speak(again)
        await show.voice.speak(await show.voice.expect(TtsSynthesize, segment=1))
        assert (await show.ended(turn_id))["heard"] == "Hello there, nice to see you."


async def test_half_a_segment_that_nobody_heard_is_voiced_anew(tmp_path: Path) -> None:
    async with stack(tmp_path, held=True) as show:
        show.voice.auto = False
        show.voice.ms_per_char = 20
        turn_id = await show.send("hi")
        first, second = [await show.voice.expect(TtsSynthesize, segment=index) for index in (0, 1)]
        await show.voice.chunk(second, 100)  # waits for the first one
        await show.voice.fail(second)
        again = await show.voice.expect(TtsSynthesize, segment=1)
        await show.voice.speak(again)
        await show.voice.speak(first)
        await show.clock.expect_sound(400, turn_id)
        await show.clock.release()
        turn = await show.ended(turn_id)
        assert turn["heard"] == "Hello there, nice to see you."
        assert turn["audio_ms"] == pytest.approx(20 * (len("Hello there,") + len("nice to see you.")))


async def test_a_voice_that_dies_in_the_middle_ends_the_turn_and_the_next_line_is_answered(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        show.voice.auto = False
        show.brain.answers.append(LONG)
        turn_id = await show.send("hi")
        request = await show.voice.expect(TtsSynthesize, segment=0)
        for at in range(0, 120, 40):
            await show.voice.chunk(request, 40, at)
        await show.clock.expect_sound(120, turn_id)
        await show.voice.kill()
        turn = await show.ended(turn_id)
        assert (turn["outcome"], turn["reason"]) == ("failed", "voice_failed")
        assert turn["audio_ms"] == 120
        assert "worker.lost" in [step["event"] for step in turn["story"]]
        show.voice.auto = True
        await show.voice.join()
        assert (await show.chat("still there?"))["outcome"] == "spoken"


async def test_a_voice_that_restarts_in_time_is_not_missed(tmp_path: Path) -> None:
    async with stack(tmp_path, turn={"worker_grace_s": 5}) as show:
        show.voice.auto = False
        turn_id = await show.send("hi")
        await show.voice.expect(TtsSynthesize, segment=0)
        await show.voice.kill()
        show.voice.auto = True
        await show.voice.join()
        assert (await show.ended(turn_id))["outcome"] == "spoken"


async def test_without_a_voice_or_after_hopeless_tries_the_turn_fails(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        show.voice.auto = False
        turn_id = await show.send("hi")
        for _ in range(3):
            await show.voice.fail(await show.voice.expect(TtsSynthesize, segment=0))
        turn = await show.ended(turn_id)
        assert (turn["outcome"], turn["reason"], turn["heard"]) == ("failed", "voice_failed", "")
        turn_id = await show.send("hi")
        await show.voice.fail(await show.voice.expect(TtsSynthesize, segment=0), retryable=False)
        assert (await show.ended(turn_id))["reason"] == "voice_failed"
        await show.voice.leave()
        assert (await show.chat("anyone?"))["reason"] == "voice_failed"


async def test_a_voice_that_fails_stops_the_model(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        show.brain.auto = show.voice.auto = False
        turn_id = await show.send("hi")
        request = await show.brain.expect(PolicyRespond)
        await show.brain.say(request, "Well then, ")
        await show.voice.fail(await show.voice.expect(TtsSynthesize, segment=0), retryable=False)
        assert (await show.ended(turn_id))["reason"] == "voice_failed"


async def test_a_model_that_dies_before_its_first_words_is_asked_again(tmp_path: Path) -> None:
    async with stack(tmp_path, turn={"worker_grace_s": 5}) as show:
        show.brain.auto = False
        turn_id = await show.send("hi")
        await show.brain.say(await show.brain.expect(PolicyRespond), "Half a")
        await show.brain.kill()
        show.brain.auto = True
        await show.brain.join()
        assert (await show.ended(turn_id))["heard"] == "Hello there, nice to see you."


async def test_a_model_that_dies_after_its_first_words_ends_in_a_line_of_her_own(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        show.brain.auto = False
        turn_id = await show.send("hi")
        await show.brain.say(await show.brain.expect(PolicyRespond), "Well then, half a")
        await show.voice.expect(TtsSynthesize, segment=0)
        await show.brain.kill()
        turn = await show.ended(turn_id)
        assert (turn["outcome"], turn["reason"]) == ("fallback", "policy_failed")
        assert turn["heard"].startswith("Well then, ")
        assert own_words("brain_down", turn["heard"])


@pytest.mark.parametrize("retryable", [True, False])
async def test_a_model_that_fails_or_is_missing_gives_a_line_of_her_own(tmp_path: Path, retryable: bool) -> None:
    async with stack(tmp_path) as show:
        show.brain.auto = False
        turn_id = await show.send("hi")
        for _ in range(2 if retryable else 1):
            request = await show.brain.expect(PolicyRespond)
            await show.brain.send(PolicyFailed(**ids(request), code="http_500", message="no", retryable=retryable))
        turn = await show.ended(turn_id)
        assert (turn["outcome"], turn["reason"]) == ("fallback", "policy_failed")
        assert own_words("brain_down", turn["heard"])
        assert turn["segments"][0]["expression"]
        await show.brain.leave()
        assert (await show.chat("anyone?"))["outcome"] == "fallback"


async def test_a_model_that_says_nothing_gives_a_line_of_her_own(tmp_path: Path) -> None:
    async with stack(tmp_path, turn={"think_timeout_s": 0.1}) as show:
        show.brain.answers += ["<think>hm</think>", "ok then"]
        turn = await show.chat("hi")
        assert (turn["outcome"], turn["reason"]) == ("fallback", "empty_answer")
        assert own_words("empty", turn["heard"])
        show.brain.auto = False
        turn = await show.chat("hi")
        assert (turn["outcome"], turn["reason"]) == ("fallback", "policy_failed")


async def test_a_clock_that_dies_ends_the_turn_and_the_next_line_is_answered(tmp_path: Path) -> None:
    async with stack(tmp_path, held=True) as show:
        show.voice.ms_per_char = 4
        show.brain.answers.append(LONG)
        turn_id = await show.send("hi")
        await show.clock.expect(PlayoutClose)
        await show.clock.hear(80)
        await show.clock.settle()
        await show.clock.kill()
        turn = await show.ended(turn_id)
        assert (turn["outcome"], turn["reason"], turn["heard"]) == ("failed", "playout_lost", "One two three four")
        show.clock.held = False
        await show.clock.join()
        assert (await show.chat("still there?"))["outcome"] == "spoken"


async def test_without_a_clock_turns_fail_at_once(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        await show.clock.leave()
        turn = await show.chat("hi")
        assert (turn["outcome"], turn["reason"]) == ("failed", "playout_lost")


async def test_a_line_that_was_thought_about_survives_the_death_of_the_clock(tmp_path: Path) -> None:
    async with stack(tmp_path, held=True, turn={"worker_grace_s": 5}) as show:
        show.voice.ms_per_char = 4
        first = await show.send("one")
        await show.clock.expect(PlayoutClose)
        second = await show.send("two")
        await show.brain.expect(PolicyRespond, plain="two")
        await show.clock.kill()
        assert (await show.ended(first))["reason"] == "playout_lost"
        show.clock.held = False
        await show.clock.join()
        assert (await show.ended(second))["outcome"] == "spoken"
        assert show.clock.all(PlayoutOpen)[-1].turn_id == second
