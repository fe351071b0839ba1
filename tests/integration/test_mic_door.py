"""Browsers' microphones at the control door: what gets through, and what does not."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from kitsu.protocol import AsrTalk, HelloAccepted, HelloRefused, MicAudio, MicClosed, MicOpened, decode
from kitsu_control.mics import MAX_SOUND_BYTES
from tests.fakes.door import FakeDoor, hello
from tests.fakes.orchestrator import FakeOrchestrator

HELLO = {"type": "mic.hello", "rate_hz": 16_000}


@asynccontextmanager
async def microphone(door: FakeDoor, conv: str = "page:abc", **fields: Any) -> AsyncIterator[tuple[Any, str]]:
    async with door.socket(f"/api/v1/mic?conv={conv}", **door.bearer) as socket:
        accepted = decode(await hello(socket, json.dumps(HELLO | fields))).message
        assert isinstance(accepted, HelloAccepted)
        yield socket, accepted.session


async def refusal(socket: ClientConnection) -> str:
    message = decode(await asyncio.wait_for(socket.recv(), 5)).message
    assert isinstance(message, HelloRefused)
    with pytest.raises(ConnectionClosed):
        await asyncio.wait_for(socket.recv(), 5)
    return message.code


async def test_sound_and_talk_key_reach_the_hub(door: FakeDoor, orchestrator: FakeOrchestrator) -> None:
    async with microphone(door, label="my browser", name="Robin", mode="push_to_talk") as (socket, mic):
        opened = await orchestrator.expect(MicOpened)
        assert (opened.conv, opened.mic, opened.label, opened.mode) == ("page:abc", mic, "my browser", "push_to_talk")
        assert (opened.speaker.name, opened.speaker.role) == ("Robin", "host")
        await socket.send(json.dumps({"type": "mic.talk", "pressed": True}))
        assert (await orchestrator.expect(AsrTalk)).pressed
        await socket.send(b"\x01\x02" * 320)
        await socket.send(b"\x03\x04" * 320)
        first, second = [await orchestrator.expect(MicAudio) for _ in range(2)]
        assert (first.position, second.position, first.rate_hz, first.conv) == (0, 320, 16_000, "page:abc")
    assert (await orchestrator.expect(MicClosed)).mic == mic


async def test_strangers_do_not_get_in(door: FakeDoor) -> None:
    with pytest.raises(InvalidStatus):
        async with door.socket("/api/v1/mic"):
            pass
    with pytest.raises(InvalidStatus):
        async with door.socket("/api/v1/mic?conv=../../etc", **door.bearer):
            pass


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ("", "bad_hello"),
        ("[" * 500, "bad_hello"),
        (b"\x00\x01", "bad_hello"),
        (json.dumps({"type": "sink.hello"}), "bad_hello"),
        (json.dumps(HELLO | {"role": "god"}), "bad_hello"),
        (json.dumps(HELLO | {"rate_hz": 4_000}), "bad_rate"),
        (json.dumps(HELLO | {"rate_hz": 10**12}), "bad_rate"),
        ("x" * 5_000, "frame_too_large"),
    ],
)
async def test_wrong_hellos(door: FakeDoor, first: str | bytes, code: str) -> None:
    async with door.socket("/api/v1/mic", **door.bearer) as socket:
        await socket.send(first)
        assert await refusal(socket) == code


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (["hello"], "bad_message"),
        ([json.dumps({"type": "mic.talk", "pressed": "yes"})], "bad_message"),
        ([json.dumps({"type": "control.panic"})], "bad_message"),
        ([bytes(MAX_SOUND_BYTES + 2)], "frame_too_large"),
        ([bytes(30_000)] * 10, "too_fast"),
        ([b""] * 400, "too_many_frames"),
    ],
)
async def test_what_a_microphone_may_not_send(door: FakeDoor, frames: list[str | bytes], code: str) -> None:
    async with microphone(door) as (socket, _):
        for frame in frames:
            try:
                await socket.send(frame)
            except ConnectionClosed:
                break
        assert await refusal(socket) == code
