"""Pages that come in crowds, talk, or never read: the show goes on, and nobody waits for them."""

import asyncio
import json
import socket
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from kitsu.protocol import StreamNotice
from kitsu_orchestrator.stream import MAX_READERS, READER_LIMIT
from tests.integration.orchestrator_stack import TOKEN, Stack, stack


def stream(show: Stack, **options: Any) -> connect:
    headers = {"authorization": f"Bearer {TOKEN}"}
    url = f"ws://127.0.0.1:{show.port}/stream"
    return connect(url, additional_headers=headers, compression=None, proxy=None, **options)


async def frame_of(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(5):
        frame: dict[str, Any] = json.loads(await socket.recv())
    return frame


async def test_only_so_many_pages_are_served_and_one_that_leaves_makes_room(tmp_path: Path) -> None:
    async with stack(tmp_path) as show, AsyncExitStack() as pages:
        for _ in range(MAX_READERS - 1):
            await frame_of(await pages.enter_async_context(stream(show)))
        last = await stream(show)
        await frame_of(last)
        with pytest.raises(InvalidStatus):
            await stream(show)
        last.transport.abort()
        await last.wait_closed()
        await show.chat("hi")  # its end is noticed by then
        assert (await frame_of(await pages.enter_async_context(stream(show))))["type"] == "state.snapshot"


async def test_a_crowd_of_pages_at_once_is_bounded_too(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        opened = await asyncio.gather(*(stream(show) for _ in range(3 * MAX_READERS)), return_exceptions=True)
        sockets = [found for found in opened if not isinstance(found, BaseException)]
        served = 0
        for page in sockets:
            try:
                served += (await frame_of(page))["type"] == "state.snapshot"
            except ConnectionClosed:
                continue
        await asyncio.gather(*(page.close() for page in sockets))
        assert 0 < served <= MAX_READERS


@pytest.mark.parametrize("said", ["hello", b"\x00\x01", "[" * 100_000, '{"type":"control.panic"}', ""])
async def test_what_a_page_says_is_ignored(tmp_path: Path, said: str | bytes) -> None:
    async with stack(tmp_path) as show, show.page() as page:
        for _ in range(50):
            await page.socket.send(said)
        turn = await show.chat("hi")
        assert turn["outcome"] == "spoken"
        await page.until("turn.ended", turn_id=turn["turn_id"])


async def test_a_page_that_says_more_than_a_megabyte_is_closed(tmp_path: Path) -> None:
    async with stack(tmp_path) as show, show.page() as page:
        await page.socket.send(bytes((1 << 20) + 1))
        await asyncio.wait_for(page.socket.wait_closed(), 5)
        assert page.socket.close_code == 1009
        assert (await show.chat("hi"))["outcome"] == "spoken"


async def test_a_page_that_never_reads_loses_the_oldest_and_nobody_waits_for_it(tmp_path: Path) -> None:
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        async with stack(tmp_path) as show:
            raw.connect(("127.0.0.1", show.port))
            raw.setblocking(False)
            async with stream(show, sock=raw, max_queue=1, ping_interval=None) as page:
                for _ in range(4 * READER_LIMIT):
                    show.show.stream.publish(StreamNotice(level="info", code="noise", message="x" * 20_000))
                    await asyncio.sleep(0)
                assert (await show.chat("hi"))["outcome"] == "spoken"
                last, snapshots = 0, []
                while last < show.show.stream.seq:
                    frame = await frame_of(page)
                    seq = frame.get("seq", 0)
                    if frame["type"] == "state.snapshot":
                        snapshots.append(seq)
                    else:
                        assert seq == last + 1, "a gap, and no snapshot to fill it"
                    last = seq
                assert len(snapshots) >= 2
                assert show.show.stream.resets == len(snapshots) - 1
