"""Her words in a real OBS's text sources, following the clock; nothing unsealed, nothing after panic."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from kitsu.protocol import (
    Approved,
    AuthorName,
    Caption,
    Message,
    PanicConfirmed,
    PlayoutCaption,
    PlayoutFinished,
    PlayoutProgress,
    PlayoutStarted,
    Question,
    SegmentHeard,
    ServiceError,
    SinkFlush,
    TurnStarted,
)
from kitsu.protocol.approved import SurfaceName, seal
from kitsu_obs import captions
from tests.fakes.hub import SEAL_KEY
from tests.fakes.obs_studio import need_obs
from tests.integration.obs_stage import Stage, stage

SETTINGS = [("obs.caption_input", "Now"), ("obs.answering_input", "Kitsu Answering")]
IDS: dict[str, Any] = {"conv": "stage", "turn_id": "t1", "gen": 1}


@pytest.fixture(autouse=True)
def _obs() -> None:
    need_obs()


def approved(text: str, surface: SurfaceName, key: bytes = SEAL_KEY) -> Approved[Any]:
    return Approved(text=text, surface=surface, turn_id="t1", seal=seal(key, text, surface, "t1"))


def caption(segment: int, text: str, key: bytes = SEAL_KEY) -> Message:
    made: Approved[Caption] = approved(text, "caption", key)
    return PlayoutCaption(**IDS, segment=segment, caption=made)


def at(segment: int) -> Message:
    heard = SegmentHeard(segment=segment, chars=3, samples=4800, total_samples=9600)
    return PlayoutProgress(**IDS, heard=heard, position_ms=100.0, buffered_ms=100.0)


def line(author: str, text: str) -> Message:
    name: Approved[AuthorName] = approved(author, "author")
    question: Approved[Question] = approved(text, "question")
    return TurnStarted(**IDS, kind="chat", author=name, question=question)


async def reads(on: Stage, name: str, text: str) -> None:
    """Until OBS itself says that the source says so."""
    async with asyncio.timeout(5):
        while await now(on, name) != text:
            pass  # each look is a round trip


async def now(on: Stage, name: str) -> str:
    settings = await on.witness.ask("GetInputSettings", inputName=name)
    return str(settings["inputSettings"].get("text", ""))


async def answering_source(on: Stage) -> None:
    made = {"inputName": "Kitsu Answering", "inputKind": "text_ft2_source_v2", "inputSettings": {"text": "old"}}
    await on.witness.ask("CreateInput", sceneName="Scene", **made)


async def test_the_sentence_that_sounds_stands_in_obs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captions, "LINGER_S", 0.05)
    async with stage(tmp_path, monkeypatch, SETTINGS) as on:
        await answering_source(on)
        await reads(on, "Kitsu Answering", "")  # an old word does not stay
        long = "Foxes dream of hens, of snow, and of a very long sentence in the morning."
        for message in (line("rita", "do foxes dream?"), caption(0, "Yes!"), caption(1, long)):
            await on.hub.send(message)
        await on.hub.send(PlayoutStarted(**IDS, latency_ms=1.0))
        await reads(on, "Kitsu Answering", "rita: do foxes dream?")
        assert await now(on, "Now") == "", "she has not begun to say it"
        await on.hub.send(at(0))
        await reads(on, "Now", "Yes!")
        await on.hub.send(at(1))
        await reads(on, "Now", "Foxes dream of hens, of snow, and of a\nvery long sentence in the morning.")
        await on.hub.send(PlayoutFinished(**IDS, reason="played", heard=(), audio_ms=900.0))
        await reads(on, "Now", "")
        await reads(on, "Kitsu Answering", "")


async def test_panic_empties_it_and_nothing_comes_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path, monkeypatch, SETTINGS) as on:
        for message in (caption(0, "One."), caption(1, "Two."), at(0)):
            await on.hub.send(message)
        await reads(on, "Now", "One.")
        await on.panic()
        await reads(on, "Now", "")
        await on.hub.send(at(1))
        await on.hub.expect(PanicConfirmed)
        assert await now(on, "Now") == ""


async def test_a_cut_off_sentence_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path, monkeypatch, SETTINGS) as on:
        for message in (caption(0, "One."), at(0)):
            await on.hub.send(message)
        await reads(on, "Now", "One.")
        await on.hub.send(SinkFlush(conv="stage", gen=2))
        await reads(on, "Now", "")


async def test_words_without_the_gates_seal_never_stand_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path, monkeypatch, SETTINGS) as on:
        await reads(on, "Now", "")
        for message in (caption(0, "Forged.", key=b"x" * 32), at(0)):
            await on.hub.send(message)
        assert (await on.hub.expect(ServiceError)).code == "bad_seal"
        await on.hub.send(caption(1, "Sealed."))
        await on.hub.send(at(1))
        await reads(on, "Now", "Sealed.")


async def test_an_obs_that_was_away_gets_what_is_true_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(tmp_path, monkeypatch, SETTINGS) as on:
        on.obs.freeze()
        for message in (caption(0, "One."), at(0), caption(1, "Two."), at(1)):
            await on.hub.send(message)
        on.obs.thaw()
        await reads(on, "Now", "Two.")
