"""An answer to chat that the host spoke over before anything of it was heard: its line waits once more."""

from pathlib import Path

import pytest

from kitsu.protocol import Author, PlayoutOpen, PlayoutPause, PolicyRespond
from kitsu.safety import Actions, Gate, RuleSet, Treatment
from kitsu_orchestrator.lines import Job
from tests.integration.orchestrator_stack import KEY, Stack, kitsu
from tests.integration.test_talk import counts, speaking, talking

LINE = "what do you think of cats?"
HOST_SAYS = "Hold on, I want to say something"


def put_back(show: Stack, turn_id: str) -> str:
    """The turn in which a line is answered after all."""
    conversation = show.show.conversations["stage"]
    running = show.show.playing()
    jobs = [*(turn.job for turn in running), *(job for queue in conversation.waiting._queues for job in queue)]
    (again,) = {job.turn_id for job in jobs if job.again}
    assert again != turn_id
    return again


async def test_it_is_answered_after_the_host(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears), show.page() as page:
        show.brain.auto = False
        turn_id = await show.send(LINE, author="Mika")
        await show.brain.expect(PolicyRespond, turn_id=turn_id)
        said = await ears.starts()
        await show.clock.expect(PlayoutPause)
        await ears.final(said, HOST_SAYS)
        host = await show.brain.expect(PolicyRespond, plain=HOST_SAYS)
        assert host.history == ()
        queued = await page.until("turn.queued", again=turn_id)
        show.brain.auto = True
        await show.brain.say(host, "Go on, I am listening. ")
        await show.brain.finish(host)
        answer = await show.brain.expect(PolicyRespond, turn_id=queued["turn_id"])
        assert (answer.plain, [line.role for line in answer.history]) == (LINE, ["user", "assistant"])
        again = await show.ended(queued["turn_id"])
        assert (again["outcome"], again["author"], again["text"]) == ("spoken", "Mika", LINE)
        cut = await show.get(f"/turns/{turn_id}")
        assert (cut["outcome"], cut["reason"], cut["heard"]) == ("interrupted", "spoken_over", "")
        assert ("turn.put_back", queued["turn_id"]) in [(step["event"], step["detail"]) for step in cut["story"]]
        assert counts(show)["put_back"] == 1
        assert [message.turn_id for message in show.clock.all(PlayoutOpen)][-1] == queued["turn_id"]


async def test_whoever_waits_for_the_answer_gets_it(tmp_path: Path) -> None:
    async with talking(tmp_path, held=True) as (show, ears):
        turn_id = await speaking(show, 0.0)
        waiting = show.show.find(turn_id)
        assert waiting is not None
        await ears.final(await ears.starts(), HOST_SAYS)
        await show.brain.expect(PolicyRespond, plain=HOST_SAYS)
        assert not waiting.job.done.done()
        await show.clock.release()
        story = await waiting.job.done
        assert (story.outcome, story.turn_id != turn_id) == ("spoken", True)


async def test_once_only(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears), show.page() as page:
        show.brain.auto = False
        paid = Job(text=LINE, author=Author(name="Mika", platform="twitch"), paid=500)
        show.show.offer(paid)
        turn_id = paid.turn_id
        await show.brain.expect(PolicyRespond, turn_id=turn_id)
        await ears.final(await ears.starts(), HOST_SAYS)
        host = await show.brain.expect(PolicyRespond, plain=HOST_SAYS)
        again = put_back(show, turn_id)
        assert (await show.get(f"/turns/{again}"))["outcome"] is None
        await show.brain.finish(host)
        await page.until("turn.started", turn_id=again)
        await ears.final(await ears.starts(), "And one more thing")
        ended = await page.until("turn.ended", turn_id=again)
        assert (ended["outcome"], ended["reason"]) == ("interrupted", "spoken_over")
        notice = await page.until("stream.notice", code="paid_line_dropped")
        assert "spoken over" in notice["message"]
        assert counts(show)["put_back"] == 1
        assert len(show.brain.all(PolicyRespond, plain=LINE)) == 2


async def test_what_was_heard_in_part_is_not_said_again(tmp_path: Path) -> None:
    async with talking(tmp_path, held=True) as (show, ears):
        turn_id = await speaking(show, 300)
        await ears.final(await ears.starts(), HOST_SAYS)
        turn = await show.ended(turn_id)
        assert (turn["reason"], bool(turn["heard"])) == ("spoken_over", True)
        assert "put_back" not in counts(show)


async def test_who_speaks_says_it_anew(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears):
        show.brain.auto = False
        await ears.final(await ears.starts(), "What is the time?")
        first = await show.brain.expect(PolicyRespond, plain="What is the time?")
        await ears.final(await ears.starts(), "No, tell me about the weather")
        assert (await show.ended(first.turn_id))["reason"] == "spoken_over"
        assert "put_back" not in counts(show)


@pytest.mark.parametrize("verb", ["skip", "panic"])
async def test_what_the_operator_ended_stays_so(tmp_path: Path, verb: str) -> None:
    async with talking(tmp_path) as (show, _):
        show.brain.auto = False
        turn_id = await show.send(LINE)
        await show.brain.expect(PolicyRespond, turn_id=turn_id)
        await show.post(f"/control/{verb}")
        assert (await show.ended(turn_id))["heard"] == ""
        assert "put_back" not in counts(show)
        assert show.show.conversations["stage"].idle


async def test_the_operators_words_at_once_only_delay_it(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, _):
        show.brain.auto = False
        turn_id = await show.send(LINE)
        await show.brain.expect(PolicyRespond, turn_id=turn_id)
        show.brain.auto = True
        said = await show.post("/say", {"text": "Back in five!", "now": True, "wait": True})
        assert said["outcome"] == "spoken"
        assert (await show.get(f"/turns/{turn_id}"))["reason"] == "replaced"
        again = await show.brain.expect(PolicyRespond, plain=LINE)
        assert again.turn_id != turn_id
        assert (await show.ended(again.turn_id))["outcome"] == "spoken"


async def test_a_line_that_waits_again_can_be_taken_back(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears):
        show.brain.auto = False
        turn_id = await show.send(LINE)
        await show.brain.expect(PolicyRespond, turn_id=turn_id)
        await ears.final(await ears.starts(), HOST_SAYS)
        host = await show.brain.expect(PolicyRespond, plain=HOST_SAYS)
        again = put_back(show, turn_id)
        assert show.show.conversations["stage"].remove(lambda job: job.text == LINE) == 1
        await show.brain.finish(host)
        assert (await show.get(f"/turns/{again}"))["reason"] == "removed"
        assert len(show.brain.all(PolicyRespond, plain=LINE)) == 1


async def test_her_answer_to_who_spoke_while_she_thought_does_not_wait(tmp_path: Path) -> None:
    """Nothing had sounded, so no flush ends the pause that began with the first sound of the host."""
    async with talking(tmp_path, talk={"wait_s": 30.0}) as (show, ears):
        show.brain.auto = False
        turn_id = await show.send(LINE)
        await show.brain.expect(PolicyRespond, turn_id=turn_id)
        said = await ears.starts()
        await show.clock.expect(PlayoutPause)
        show.brain.auto = True
        await ears.final(said, HOST_SAYS)
        host = await show.brain.expect(PolicyRespond, plain=HOST_SAYS)
        assert (await show.ended(host.turn_id))["outcome"] == "spoken"


async def test_the_calm_words_for_somebody_in_a_bad_place_are_not_lost(tmp_path: Path) -> None:
    """Each person gets them once in a while only: what was not heard does not count."""
    rules = RuleSet(()).with_terms(["sadword"], category="self_harm")
    judge = Gate(rules, KEY, actions=Actions({"self_harm": Treatment(input="replace", crisis=True)}), budget_ms=2000)
    async with talking(tmp_path, judge=judge, held=True) as (show, ears):
        turn_id = await show.send("sadword", author="Mika")
        await show.clock.expect(PlayoutOpen, turn_id=turn_id)
        await ears.final(await ears.starts(), HOST_SAYS)
        await show.brain.expect(PolicyRespond, plain=HOST_SAYS)
        again = put_back(show, turn_id)
        await show.clock.release()
        turn = await show.ended(again)
        assert (turn["outcome"], turn["heard"]) == ("fallback", kitsu().fallbacks["self_harm"][0])
