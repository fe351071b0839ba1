"""Ears at the real hub: browsers' sound reaches them, what they say reaches the pages, and playout mirrors for them."""

from pathlib import Path
from typing import ClassVar

from kitsu.protocol import (
    AsrFinal,
    AsrTalk,
    MicAudio,
    MicClosed,
    MicOpened,
    PlayoutMirror,
    PlayoutReference,
    Role,
)
from tests.fakes.workers import FakeWorker
from tests.integration.orchestrator_stack import TOKEN, stack

CONV = "page:abc"


class PlainEars(FakeWorker):
    """Hears nothing by itself."""

    role: ClassVar[Role] = "asr"


async def test_sound_goes_in_and_words_come_out(tmp_path: Path) -> None:
    async with stack(tmp_path) as show, show.page() as page, PlainEars(show.port, TOKEN) as ears:
        await show.door.send(MicOpened(conv=CONV, mic="mic-1"))
        await show.door.send(MicAudio(conv=CONV, mic="mic-1", position=7, rate_hz=16_000), b"\x01\x02")
        await show.door.send(AsrTalk(conv=CONV, pressed=True))
        assert (await ears.expect(MicOpened)).mic == "mic-1"
        assert (await ears.expect(MicAudio)).position == 7
        assert (await ears.expect(AsrTalk)).pressed
        await ears.send(AsrFinal(conv=CONV, utterance="u1", text="hello"))
        assert (await page.until("asr.final", utterance="u1"))["text"] == "hello"


async def test_a_door_that_goes_takes_its_microphones_along(tmp_path: Path) -> None:
    async with stack(tmp_path) as show, PlainEars(show.port, TOKEN) as ears:
        for mic in ("mic-1", "mic-2"):
            await show.door.send(MicOpened(conv=CONV, mic=mic))
            await ears.expect(MicOpened)
        await show.door.send(MicClosed(conv=CONV, mic="mic-1"))
        assert (await ears.expect(MicClosed)).mic == "mic-1"
        await show.door.leave()
        assert (await ears.expect(MicClosed)).mic == "mic-2"


async def test_playout_mirrors_while_there_are_ears(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        async with PlainEars(show.port, TOKEN) as ears:
            assert (await show.clock.expect(PlayoutMirror, on=True)).on
            await show.clock.send(PlayoutReference(conv="stage", position=3), b"\x01\x02")
            assert (await ears.expect(PlayoutReference)).position == 3
        assert not (await show.clock.expect(PlayoutMirror, on=False)).on
