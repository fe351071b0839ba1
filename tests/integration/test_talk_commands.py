"""Commands that the host speaks: the same handlers as chat's, told on the page stream."""

from pathlib import Path
from typing import Any

import pytest

from kitsu.protocol import AsrPrepare, ObsOutcome, ObsState, ObsSwitch, PlayoutPause, PlayoutResume, PolicyRespond, Role
from tests.fakes.ears import GUEST
from tests.fakes.workers import FakeWorker
from tests.integration.orchestrator_stack import TOKEN
from tests.integration.test_talk import counts, speaking, talking


class FakeObs(FakeWorker):
    """OBS's worker: does every switch at once."""

    role: Role = "obs"  # type: ignore[misc]

    async def react(self, message: Any, payload: memoryview | None) -> None:
        if isinstance(message, ObsSwitch):
            await self.send(ObsOutcome(parent_id=message.id))


async def scenes(obs: FakeObs, *names: str) -> None:
    await obs.send(ObsState(connected=True, configured=True, scenes=names, scene=names[0]))
    await obs.settle()


async def test_mute_and_unmute(tmp_path: Path) -> None:
    async with talking(tmp_path, held=True) as (show, ears), show.page() as page:
        turn_id = await speaking(show)
        said = await ears.starts()
        await show.clock.expect(PlayoutPause)
        await ears.command(said, "mute")
        done = await page.until("chat.commanded")
        assert (done["command"], done["platform"], done["role"], done["outcome"]) == (
            "ai mute",
            "mic",
            "broadcaster",
            "done",
        )
        await show.clock.expect(PlayoutResume)  # a command is no answer to her
        assert (await show.get("/status"))["levels"]["muted"]
        await show.clock.release()
        assert (await show.ended(turn_id))["outcome"] == "muted"
        await ears.command(await ears.starts(), "unmute")
        await page.until("chat.commanded", command="ai unmute", outcome="done")
        assert not (await show.get("/status"))["levels"]["muted"]
        assert counts(show)["commands"] == 2
        assert show.show.replies.unsent == 0


async def test_skip_ends_what_she_says(tmp_path: Path) -> None:
    async with talking(tmp_path, held=True) as (show, ears), show.page() as page:
        turn_id = await speaking(show)
        said = await ears.starts()
        await show.clock.expect(PlayoutPause)
        await ears.command(said, "skip")
        await page.until("chat.commanded", command="ai skip", outcome="done")
        assert (await show.ended(turn_id))["reason"] == "skip"
        await ears.command(await ears.starts(), "skip")
        await page.until("chat.commanded", command="ai skip", outcome="failed", reason="nothing_to_skip")


async def test_scene_by_name_as_obs_has_it(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears), show.page() as page, FakeObs(show.port, TOKEN) as obs:
        assert (await ears.expect(AsrPrepare)).name == "Kitsu"
        await scenes(obs, "Start", "Just Chatting")
        prepared = await ears.expect(AsrPrepare)
        assert prepared.scenes == ("Start", "Just Chatting")
        await ears.command(await ears.starts(), "scene", "Just Chatting")
        assert (await obs.expect(ObsSwitch)).scene == "Just Chatting"
        await page.until("chat.commanded", command="scene", outcome="done")
        await scenes(obs, "Start", "Just Chatting")
        await scenes(obs, "Start", "Game")
        assert (await ears.expect(AsrPrepare)).scenes == ("Start", "Game")
        assert len(ears.all(AsrPrepare)) == 3
        await ears.leave()
        await ears.join()
        assert (await ears.expect(AsrPrepare)).scenes == ("Start", "Game")  # told again to ears that are new


async def test_scene_without_obs_says_why(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears), show.page() as page:
        await ears.command(await ears.starts(), "scene", "Game")
        await page.until("chat.commanded", command="scene", outcome="failed", reason="obs_missing")


async def test_spoken_panic_is_panic(tmp_path: Path) -> None:
    async with talking(tmp_path, held=True) as (show, ears), show.page() as page:
        turn_id = await speaking(show)
        await ears.command(await ears.starts(), "panic")
        await page.until("chat.commanded", command="panic", outcome="done")
        status = await show.get("/status")
        assert status["levels"]["panic"]["by"] == "mic:broadcaster"
        assert (await show.ended(turn_id))["outcome"] == "panic"


@pytest.mark.parametrize("command", ["mute", "skip", "scene", "panic"])
async def test_guests_have_no_commands(tmp_path: Path, command: str) -> None:
    async with talking(tmp_path) as (show, ears):
        await ears.command(await ears.starts(GUEST), command, "Game")
        levels = (await show.get("/status"))["levels"]
        assert not levels["muted"]
        assert levels["panic"] is None
        assert counts(show) == {"commands_refused": 1}


async def test_a_command_is_no_line(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears):
        said = await ears.starts()
        await ears.partial(said, "unmute", settled=True)
        await show.brain.expect(PolicyRespond)  # it could have been a line
        await ears.command(said, "unmute")
        assert (await show.chat("hello"))["outcome"] == "spoken"
        assert len(await show.get("/turns")) == 1
        assert counts(show)["guesses_dropped"] == 1
