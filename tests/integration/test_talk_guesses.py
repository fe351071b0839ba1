"""Preemptive turns: begun in the pause, kept when the words were right, and dropped without a trace when not."""

from pathlib import Path

import pytest

from kitsu.protocol import (
    PlayoutFlush,
    PlayoutOpen,
    PlayoutPause,
    PlayoutResume,
    PolicyCancel,
    PolicyRespond,
    TtsSynthesize,
)
from tests.fakes.ears import GUEST
from tests.integration.orchestrator_stack import BLOCKED
from tests.integration.test_talk import LONG, counts, speaking, talking

QUESTION = "What do we play tonight?"


async def test_the_answer_is_there_when_the_words_are(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears), show.page() as page:
        said = await ears.starts()
        await ears.partial(said, "What do we play tonight", settled=True)
        request = await show.brain.expect(PolicyRespond)
        await show.voice.expect(TtsSynthesize, turn_id=request.turn_id)
        assert not show.clock.all(PlayoutOpen)  # nothing is heard of it
        assert await show.get("/turns") == []  # nor written down
        await ears.final(said, QUESTION)
        turn = await show.ended(request.turn_id)
        assert (turn["outcome"], turn["text"]) == ("spoken", "What do we play tonight")
        assert len(show.brain.all(PolicyRespond)) == 1
        times = turn["times"]
        assert times["first_token_ms"] < 0 < times["first_audio_ms"]
        assert times["endpoint_ms"] == 700.0
        assert "stable_guesses_started" not in counts(show)
        assert "turn.guessed" in [step["event"] for step in turn["story"]]
        await page.until("turn.ended")
        kinds = page.types()
        assert kinds.index("turn.queued") < kinds.index("turn.started") < kinds.index("turn.segment")
        assert kinds.index("asr.final") < kinds.index("turn.started")
        assert counts(show) == {"guesses_started": 1, "guesses_kept": 1, "lines": 1}


async def test_other_words_leave_no_trace_of_it(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears), show.page() as page:
        said = await ears.starts()
        await ears.partial(said, "What do we play", settled=True)
        guess = await show.brain.expect(PolicyRespond)
        await ears.final(said, "What do we play on Sunday?")
        request = await show.brain.expect(PolicyRespond, plain="What do we play on Sunday?")
        assert request.turn_id != guess.turn_id
        turn = await show.ended(request.turn_id)
        assert turn["outcome"] == "spoken"
        await page.until("turn.ended", turn_id=request.turn_id)
        assert not [frame for frame in page.frames if frame.get("turn_id") == guess.turn_id]
        assert (await show.http.get(f"/turns/{guess.turn_id}")).status_code == 404
        assert [opened.turn_id for opened in show.clock.all(PlayoutOpen)] == [request.turn_id]
        assert [row["turn_id"] for row in await show.get("/turns")] == [request.turn_id]
        assert counts(show) == {"guesses_started": 1, "guesses_dropped": 1, "lines": 1}


async def test_who_goes_on_is_waited_for(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears):
        show.brain.auto = False
        said = await ears.starts()
        await ears.partial(said, "I have a question.", settled=True)
        first = await show.brain.expect(PolicyRespond)
        await ears.speech(said)  # started again
        await show.brain.expect(PolicyCancel, turn_id=first.turn_id)
        await ears.partial(said, "I have a question. Where is the cat?", settled=True)
        second = await show.brain.expect(PolicyRespond)
        show.brain.auto = True
        await ears.final(said, "I have a question. Where is the cat?")
        await show.brain.say(second, "It sleeps on the sofa. ")
        await show.brain.finish(second)
        assert (await show.ended(second.turn_id))["outcome"] == "spoken"
        assert counts(show) == {"guesses_started": 2, "guesses_dropped": 1, "guesses_kept": 1, "lines": 1}


async def test_a_guess_of_nothing_is_dropped(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears):
        said = await ears.starts()
        await ears.partial(said, "Thank you for watching.", settled=True)
        await show.brain.expect(PolicyRespond)
        await ears.dropped(said, "phantom")
        assert (await show.chat("hello"))["outcome"] == "spoken"
        assert len(await show.get("/turns")) == 1
        assert show.brain.all(PolicyRespond)[-1].history == ()


async def test_words_that_stay_the_same_are_enough(tmp_path: Path) -> None:
    """Before any pause: noise goes on, or the last word is drawn out."""
    async with talking(tmp_path) as (show, ears):
        said = await ears.starts()
        await ears.partial(said, "What do we play", complete=True)
        await ears.partial(said, "What do we play tonight", complete=True)
        await show.brain.settle()
        assert not show.brain.all(PolicyRespond)
        await ears.partial(said, "what do we play tonight?", complete=True)
        request = await show.brain.expect(PolicyRespond)
        assert not show.clock.all(PlayoutOpen)
        await ears.partial(said, QUESTION, settled=True)
        await ears.final(said, QUESTION)
        turn = await show.ended(request.turn_id)
        assert (turn["outcome"], turn["text"]) == ("spoken", "what do we play tonight?")
        assert len(show.brain.all(PolicyRespond)) == 1
        assert turn["times"]["first_token_ms"] < 0
        ended = {"guesses_started": 1, "guesses_kept": 1, "stable_guesses_started": 1, "stable_guesses_kept": 1}
        assert counts(show) == ended | {"lines": 1}


async def test_stable_words_that_go_on_leave_no_trace(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears):
        show.brain.auto = False
        said = await ears.starts()
        for _ in range(2):
            await ears.partial(said, "What do we play", complete=True)
        guess = await show.brain.expect(PolicyRespond)
        await ears.partial(said, "What do we play tonight", complete=True)
        await show.brain.expect(PolicyCancel, turn_id=guess.turn_id)
        show.brain.auto = True
        await ears.final(said, QUESTION)
        request = await show.brain.expect(PolicyRespond, plain=QUESTION)
        assert (await show.ended(request.turn_id))["outcome"] == "spoken"
        assert (await show.http.get(f"/turns/{guess.turn_id}")).status_code == 404
        dropped = {"guesses_started": 1, "guesses_dropped": 1, "stable_guesses_started": 1, "stable_guesses_dropped": 1}
        assert counts(show) == dropped | {"lines": 1}


async def test_an_unfinished_sentence_that_stays_so_in_a_pause_is_guessed_at(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears):
        said = await ears.starts()
        await ears.partial(said, "we could go and")
        await ears.partial(said, "we could go and", settled=True, complete=False)
        request = await show.brain.expect(PolicyRespond)
        await ears.final(said, "we could go and")
        assert (await show.ended(request.turn_id))["outcome"] == "spoken"
        assert counts(show)["stable_guesses_kept"] == 1


async def test_a_guess_is_left_for_the_pause(tmp_path: Path) -> None:
    """Words that change and stand still again and again cost two runs of the model, not one each time."""
    async with talking(tmp_path) as (show, ears):
        said = await ears.starts()
        texts = [f"count with me until {number}" for number in range(5)]
        for text in texts:
            for _ in range(3):
                await ears.partial(said, text, complete=True)
        assert counts(show)["stable_guesses_started"] == 2
        await ears.partial(said, texts[-1], settled=True)
        await ears.final(said, texts[-1])
        last = await show.brain.expect(PolicyRespond, plain=texts[-1])
        assert (await show.ended(last.turn_id))["outcome"] == "spoken"
        assert (counts(show)["guesses_started"], counts(show)["guesses_kept"]) == (3, 1)


@pytest.mark.parametrize(
    ("text", "how"), [(QUESTION, "pause"), ("so what", "stable"), ("", "stable"), ("? !", "stable")]
)
async def test_not_all_words_are_guessed_at(tmp_path: Path, text: str, how: str) -> None:
    async with talking(tmp_path, talk={"preemptive": how}) as (show, ears):
        said = await ears.starts()
        for _ in range(3):
            await ears.partial(said, text, complete=True)
        await show.brain.settle()
        assert not show.brain.all(PolicyRespond)


async def test_an_unfinished_sentence_is_not_guessed_at(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears):
        said = await ears.starts()
        await ears.partial(said, "we could go and", settled=True, complete=False)
        await ears.partial(said, "we could go and")
        await show.brain.settle()
        assert not show.brain.all(PolicyRespond)


async def test_switched_off_she_waits_for_the_words(tmp_path: Path) -> None:
    async with talking(tmp_path, talk={"preemptive": "off"}) as (show, ears):
        said = await ears.starts()
        await ears.partial(said, QUESTION, settled=True)
        await ears.final(said, QUESTION)
        (request,) = [await show.brain.expect(PolicyRespond)]
        turn = await show.ended(request.turn_id)
        assert turn["times"]["first_token_ms"] > 0
        assert counts(show) == {"lines": 1}


async def test_it_is_guessed_while_she_waits_and_cuts_her_only_when_it_was_right(tmp_path: Path) -> None:
    async with talking(tmp_path, held=True) as (show, ears):
        cut_id = await speaking(show, 300)
        said = await ears.starts()
        await show.clock.expect(PlayoutPause)
        await ears.partial(said, QUESTION, settled=True)
        guess = await show.brain.expect(PolicyRespond, plain=QUESTION)
        assert not show.clock.all(PlayoutFlush)
        assert guess.history[-1].text == "One two three four five six,"
        await ears.final(said, QUESTION)
        cut = await show.ended(cut_id)
        assert (cut["outcome"], cut["reason"], cut["heard"]) == (
            "interrupted",
            "spoken_over",
            "One two three four five six,",
        )
        await show.clock.release()
        assert (await show.ended(guess.turn_id))["outcome"] == "spoken"
        assert len(show.brain.all(PolicyRespond, plain=QUESTION)) == 1
        assert counts(show)["interrupted"] == 1


async def test_a_wrong_guess_while_she_waits_does_not_touch_what_she_says(tmp_path: Path) -> None:
    async with talking(tmp_path, held=True) as (show, ears):
        turn_id = await speaking(show, 300)
        said = await ears.starts()
        await show.clock.expect(PlayoutPause)
        await ears.partial(said, "Thanks for watching!", settled=True)
        await show.brain.expect(PolicyRespond, plain="Thanks for watching!")
        await ears.dropped(said, "phantom")
        await show.clock.expect(PlayoutResume)
        await show.clock.release()
        turn = await show.ended(turn_id)
        assert (turn["outcome"], turn["heard"]) == ("spoken", LONG)
        assert not show.clock.all(PlayoutFlush)


async def test_more_was_heard_than_the_guess_believed(tmp_path: Path) -> None:
    """Then it is thought about anew, with what she really had said."""
    async with talking(tmp_path, held=True) as (show, ears):
        await speaking(show, 300)
        said = await ears.starts()
        await show.clock.expect(PlayoutPause)
        await ears.partial(said, QUESTION, settled=True)
        await show.brain.expect(PolicyRespond, plain=QUESTION)
        await show.clock.hear(600)
        await show.clock.settle()
        await ears.final(said, QUESTION)
        anew = await show.brain.expect(PolicyRespond, plain=QUESTION)
        assert anew.history[-1].text.startswith("One two three four five six, seven eight")
        await show.clock.release()
        assert (await show.ended(anew.turn_id))["outcome"] == "spoken"


async def test_a_prepared_line_of_chat_waits_behind_what_is_said(tmp_path: Path) -> None:
    async with talking(tmp_path, held=True) as (show, ears):
        await speaking(show, 300)
        chat = await show.send("a line from chat")
        await show.brain.expect(PolicyRespond, turn_id=chat)  # thought about while she speaks
        said = await ears.starts()
        await show.clock.expect(PlayoutPause)
        await ears.partial(said, QUESTION, settled=True)
        guess = await show.brain.expect(PolicyRespond, plain=QUESTION)
        await ears.final(said, QUESTION)
        await show.clock.release()
        first = await show.ended(guess.turn_id)
        second = await show.ended(chat)
        assert (first["outcome"], second["outcome"]) == ("spoken", "spoken")
        opened = [message.turn_id for message in show.clock.all(PlayoutOpen)]
        assert opened.index(guess.turn_id) < opened.index(chat)


async def test_a_taken_back_prepared_line_leaves_the_running_turn_alone(tmp_path: Path) -> None:
    """Its generation is its own: the sound of the turn that runs is not stale."""
    async with talking(tmp_path, held=True) as (show, _):
        turn_id = await speaking(show, 300)
        chat = await show.send("a line from chat")
        await show.brain.expect(PolicyRespond, turn_id=chat)
        turn = show.show.find(turn_id)
        assert turn is not None
        show.show.conversations["stage"].remove(lambda job: job.turn_id == chat)
        assert not show.show.levels.is_stale("stage", turn.gen)
        await show.clock.release()
        assert (await show.ended(turn_id))["heard"] == LONG


async def test_a_guess_passes_the_gate_too(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears), show.page() as page:
        said = await ears.starts()
        await ears.partial(said, f"say {BLOCKED}", settled=True)
        assert await show.get("/safety/verdicts") == []  # what nobody has said for certain was not judged either
        await ears.final(said, f"say {BLOCKED}")
        ended = await page.until("turn.ended")
        assert ended["outcome"] == "blocked"
        assert await show.get("/safety/verdicts")
        assert not show.brain.all(PolicyRespond)


async def test_only_one_guess_at_a_time(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears):
        one, other = await ears.starts(), await ears.starts(GUEST)
        await ears.partial(one, "First of all, hello.", settled=True)
        await ears.partial(other, "And I am here too.", settled=True)
        await show.brain.expect(PolicyRespond)
        await ears.final(other, "And I am here too.")
        await ears.final(one, "First of all, hello.")
        first = await show.brain.expect(PolicyRespond, plain="And I am here too.")
        assert (await show.ended(first.turn_id))["outcome"] == "spoken"
        (last,) = show.brain.all(PolicyRespond, plain="First of all, hello.")[-1:]
        assert (await show.ended(last.turn_id))["outcome"] == "spoken"


@pytest.mark.parametrize("end", ["panic", "skip", "ears", "brain"])
async def test_whatever_happens_meanwhile_nothing_is_left_of_it(tmp_path: Path, end: str) -> None:
    async with talking(tmp_path) as (show, ears):
        show.brain.auto = False
        said = await ears.starts()
        await ears.partial(said, QUESTION, settled=True)
        await show.brain.expect(PolicyRespond)
        if end == "panic":
            await show.post("/control/panic")
            await show.post("/control/resume")
        elif end == "skip":
            await show.post("/control/skip")
        elif end == "ears":
            await ears.kill()
        else:
            await show.brain.kill()
            await show.brain.join()
        show.brain.auto = True
        if end in ("panic", "skip"):
            await ears.dropped(said, "panic" if end == "panic" else "nothing")
        elif end == "brain":
            await ears.final(said, QUESTION)
        turn = await show.chat("hello")
        assert turn["outcome"] == "spoken"
        assert show.show.conversations["stage"].guess is None
        started = counts(show)["guesses_started"]
        assert started == counts(show).get("guesses_kept", 0) + counts(show).get("guesses_dropped", 0)
