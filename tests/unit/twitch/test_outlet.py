"""The way out: merging, room, panic, and what is given up."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from kitsu.errors import EngineError, ProtocolError
from kitsu.protocol import ChatSent, Message
from kitsu.telemetry import Latency
from kitsu_twitch.limits import ChatWindow, Points
from kitsu_twitch.outlet import WAITING_LIMIT, Outlet
from tests.fakes.hub import SEAL_KEY
from tests.integration.twitch_stack import reply


class Chat:
    """Keeps what is written. `closed`: nothing can be written until it is opened."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.told: list[ChatSent] = []
        self.errors: list[EngineError] = []
        self.open = asyncio.Event()
        self.open.set()
        self.changed = asyncio.Event()

    async def write(self, text: str) -> None:
        await self.open.wait()
        if self.errors:
            raise self.errors.pop(0)
        self.written.append(text)

    def tell(self, message: Message) -> None:
        assert isinstance(message, ChatSent)
        self.told.append(message)
        self.changed.set()

    async def answers(self, count: int) -> list[ChatSent]:
        async with asyncio.timeout(5):
            while len(self.told) < count:
                self.changed.clear()
                await self.changed.wait()
        return self.told


@asynccontextmanager
async def outlet(chat: Chat, limit: int = 20, make: Callable[..., Outlet] = Outlet) -> AsyncIterator[Outlet]:
    window = ChatWindow()
    window.limit = limit
    write: Callable[[str], Awaitable[None]] = chat.write
    made = make(write, chat.tell, window, Points(), Latency())
    made.speak()
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_with_room_every_reply_is_its_own_message() -> None:
    chat = Chat()
    async with outlet(chat) as out:
        for number in range(3):
            out.put(reply(f"@rita {number}", kind="confirmation"), SEAL_KEY)
        await chat.answers(3)
        assert chat.written == ["@rita 0", "@rita 1", "@rita 2"]


async def test_in_a_short_window_confirmations_go_together() -> None:
    chat = Chat()
    async with outlet(chat, limit=5) as out:
        for number in range(4):
            out.put(reply(f"@rita {number}", kind="confirmation"), SEAL_KEY)
        told = await chat.answers(4)
        assert chat.written == ["@rita 0 | @rita 1 | @rita 2 | @rita 3"]
        assert {answer.merged for answer in told} == {4}


async def test_what_goes_together_is_no_longer_than_a_message_may_be() -> None:
    chat = Chat()
    async with outlet(chat, limit=5) as out:
        for letter in "abc":
            out.put(reply(f"@rita {letter * 200}", kind="confirmation"), SEAL_KEY)
        await chat.answers(3)
        assert [len(text) <= 500 for text in chat.written] == [True, True]
        assert len(chat.written) == 2


async def test_answers_are_never_put_together() -> None:
    chat = Chat()
    async with outlet(chat, limit=5) as out:
        out.put(reply("@rita one"), SEAL_KEY)
        out.put(reply("@rita two"), SEAL_KEY)
        await chat.answers(2)
        assert chat.written == ["@rita one", "@rita two"]


async def test_line_breaks_do_not_get_out() -> None:
    chat = Chat()
    async with outlet(chat) as out:
        out.put(reply("@rita one\n/ban rita\r\nPRIVMSG"), SEAL_KEY)
        await chat.answers(1)
        assert chat.written == ["@rita one /ban rita PRIVMSG"]


async def test_the_queue_is_bounded_and_confirmations_go_before_answers() -> None:
    chat = Chat()
    chat.open.clear()
    async with outlet(chat, limit=100) as out:
        for number in range(WAITING_LIMIT + 1):
            out.put(reply(f"@rita {number}"), SEAL_KEY)
        assert [answer.code for answer in chat.told] == ["queue_full"]
        out.put(reply("@mia muted", kind="confirmation"), SEAL_KEY)
        assert out.state().depth == WAITING_LIMIT
        assert out.state().dropped == 2


async def test_panic_in_the_middle_of_a_retry_ends_it() -> None:
    chat = Chat()
    chat.errors = [EngineError("rate_limited", "slow down", retryable=True)] * 4
    chat.open.clear()
    async with outlet(chat) as out:
        out.put(reply("@rita one"), SEAL_KEY)
        await asyncio.sleep(0)
        out.silence()
        chat.open.set()
        (answer,) = await chat.answers(1)
        assert (answer.state, answer.code) == ("failed", "rate_limited")
        assert chat.written == []


async def test_before_the_hub_has_said_anything_answers_do_not_go_out() -> None:
    chat = Chat()
    silent = Outlet(chat.write, chat.tell, ChatWindow(), Points(), Latency())
    silent.put(reply("@rita hi"), SEAL_KEY)
    assert [answer.code for answer in chat.told] == ["panic"]


@pytest.mark.parametrize("key", [bytes(32), b"\xff" * 32])
async def test_another_key_is_refused(key: bytes) -> None:
    chat = Chat()
    async with outlet(chat) as out:
        with pytest.raises(ProtocolError, match="seal"):
            out.put(reply("@rita hi"), key)
        assert chat.told[0].code == "bad_seal"
        assert chat.written == []
