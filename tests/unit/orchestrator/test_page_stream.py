"""The page stream: a snapshot, then every delta; who reads too slowly gets a fresh one, and nobody else notices."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kitsu.protocol import ShowLevels, StateSnapshot, StreamNotice
from kitsu_orchestrator.stream import MAX_READERS, READER_LIMIT, Stream


class Show:
    """A stream, and how many lines wait: the state that snapshots show."""

    def __init__(self) -> None:
        self.waiting = 0
        self.stream = Stream(self.snapshot)

    def snapshot(self) -> StateSnapshot:
        levels = ShowLevels(mode="standby", muted=False, panic=None, resumed_at=0)
        return StateSnapshot(levels=levels, character="Kitsu", waiting=self.waiting)

    def page(self) -> AsyncIterator[str]:
        reader = self.stream.join()
        assert reader is not None
        return self.stream.read(reader)

    def change(self, times: int = 1) -> None:
        for _ in range(times):
            self.waiting += 1
            self.stream.publish(StreamNotice(level="info", code="waiting", message=str(self.waiting)))


async def take(page: AsyncIterator[str], count: int = 1) -> list[dict[str, Any]]:
    async with asyncio.timeout(5):
        return [json.loads(await anext(page)) for _ in range(count)]


def shown(frame: dict[str, Any]) -> tuple[str, int, int]:
    """Type, position, and the state that a page knows after it."""
    known = frame.get("waiting", 0) if frame["type"] == "state.snapshot" else int(frame["message"])
    return frame["type"], frame.get("seq", 0), known


async def silent(page: AsyncIterator[str]) -> asyncio.Task[str]:
    """The page's next frame, which has not come yet."""
    following = asyncio.ensure_future(anext(page))
    await asyncio.sleep(0.01)
    assert not following.done()
    return following


async def stop(*tasks: asyncio.Task[str]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_snapshot_comes_first_and_then_every_delta() -> None:
    show = Show()
    show.change(3)  # nobody looks
    page = show.page()
    assert [shown(frame) for frame in await take(page)] == [("state.snapshot", 3, 3)]
    following = await silent(page)
    show.change(2)
    assert shown(json.loads(await following)) == ("stream.notice", 4, 4)
    assert [shown(frame) for frame in await take(page)] == [("stream.notice", 5, 5)]
    await stop(await silent(page))
    assert show.stream.resets == 0


async def test_what_happens_while_the_snapshot_is_sent_is_not_lost() -> None:
    show = Show()
    page = show.page()
    await take(page)
    show.change(READER_LIMIT)
    frames = [shown(frame) for frame in await take(page, READER_LIMIT)]
    assert frames == [("stream.notice", number, number) for number in range(1, READER_LIMIT + 1)]
    await stop(await silent(page))


@pytest.mark.parametrize("missed", [1, 2, READER_LIMIT, 10 * READER_LIMIT])
async def test_a_slow_page_loses_the_oldest_and_gets_a_fresh_snapshot(missed: int) -> None:
    show = Show()
    page = show.page()
    await take(page)
    total = READER_LIMIT + missed
    show.change(total)
    assert [shown(frame) for frame in await take(page)] == [("state.snapshot", total, total)]
    assert show.stream.resets == 1
    show.change(2)
    frames = [shown(frame) for frame in await take(page, 2)]
    assert frames == [("stream.notice", total + 1, total + 1), ("stream.notice", total + 2, total + 2)]
    await stop(await silent(page))


async def test_a_page_that_falls_behind_in_the_middle_of_its_frames_has_no_gap_without_a_snapshot() -> None:
    show = Show()
    page = show.page()
    await take(page)
    known = 0
    snapshots = 0
    for burst in (10, READER_LIMIT, 3, READER_LIMIT + 1, 2 * READER_LIMIT, 1):
        show.change(burst)
        for frame in await take(page, min(burst, 5)) if burst < READER_LIMIT else await take(page):
            kind, seq, state = shown(frame)
            assert state == seq, "a page knows what was true at that position"
            assert kind == "state.snapshot" or seq == known + 1
            known = seq
            snapshots += kind == "state.snapshot"
    while known < show.stream.seq:
        kind, seq, _ = shown((await take(page))[0])
        assert kind == "state.snapshot" or seq == known + 1
        known = seq
        snapshots += kind == "state.snapshot"
    assert snapshots == show.stream.resets > 0
    await stop(await silent(page))


async def test_falling_behind_again_during_the_fresh_snapshot_brings_another() -> None:
    show = Show()
    page = show.page()
    await take(page)
    for round_ in range(1, 4):
        show.change(READER_LIMIT + 1)
        assert (await take(page))[0]["type"] == "state.snapshot"
        assert show.stream.resets == round_


async def test_one_slow_page_is_no_matter_of_the_others() -> None:
    show = Show()
    slow, quick = show.page(), show.page()
    await take(slow)
    await take(quick)
    for number in range(1, 2 * READER_LIMIT):
        show.change()
        assert [shown(frame) for frame in await take(quick)] == [("stream.notice", number, number)]
    assert (await take(slow))[0]["type"] == "state.snapshot"
    assert show.stream.resets == 1


async def test_there_are_only_so_many_pages_and_one_that_leaves_makes_room() -> None:
    show = Show()
    readers = [show.stream.join() for _ in range(MAX_READERS)]
    assert None not in readers
    assert show.stream.join() is None, "a place is taken by joining, not by reading"
    assert readers[0] is not None
    show.stream.leave(readers[0])
    show.stream.leave(readers[0])
    assert show.stream.join() is not None
    assert show.stream.join() is None


async def test_what_came_between_joining_and_reading_is_in_the_snapshot() -> None:
    show = Show()
    page = show.page()
    show.change(READER_LIMIT + 1)
    assert [shown(frame) for frame in await take(page)] == [("state.snapshot", READER_LIMIT + 1, READER_LIMIT + 1)]
    show.change()
    assert (await take(page))[0]["type"] == "stream.notice"
    assert show.stream.resets == 0
