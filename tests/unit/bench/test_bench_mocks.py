import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from bench.engines import mock_engines
from bench.errors import BenchError
from bench.http_server import read_request
from bench.journal import Follower, Journal
from bench.mock_llm import last_user_text
from bench.mock_tts import CHUNK, wav_header
from bench.replies import question, reply_to
from bench.rest import Door
from bench.script import at_most, plain
from bench.speeds import Speeds


@asynccontextmanager
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as made:
        yield made


async def test_both_engines_speak_their_protocol_and_write_their_journal(tmp_path: Path) -> None:
    async with mock_engines(tmp_path, Speeds(realtime_factor=100)) as engines, client() as http:
        body = {"messages": [{"role": "user", "content": question(2)}], "stream": True}
        answer = await http.post(f"{engines.llm_url}/chat/completions", json=body)
        lines = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
        assert lines[-1] == "[DONE]"
        deltas = [json.loads(line)["choices"][0]["delta"] for line in lines[:-1]]
        assert "".join(delta.get("content", "") for delta in deltas) == reply_to(question(2))
        events = [row["ev"] for row in engines.llm.rows()]
        assert (events[0], events[-1], events.count("tok")) == ("req", "end", len(reply_to(question(2)).split()))

        speech = {"input": "Hello.", "response_format": "pcm"}
        answer = await http.post(f"{engines.tts_url}/audio/speech", json=speech)
        assert answer.content == CHUNK * 4  # 6 characters of 60 ms
        assert [row["ev"] for row in engines.tts.rows()] == ["req", "chunk", "chunk", "end"]


async def test_engines_refuse_what_they_do_not_speak(tmp_path: Path) -> None:
    async with mock_engines(tmp_path, Speeds()) as engines, client() as http:
        for url, body in (
            (f"{engines.tts_url}/audio/speech", b'{"input": "x", "response_format": "mp3"}'),
            (f"{engines.tts_url}/audio/speech", b"["),
            (f"{engines.llm_url}/chat/completions", b"nonsense"),
        ):
            assert (await http.post(url, content=body)).status_code == 400
        assert (await http.get(f"{engines.llm_url}/nothing")).status_code == 404
        assert (await http.get(f"{engines.llm_url}/models")).json()["data"][0]["id"] == "mock"


async def test_a_client_that_leaves_is_noted(tmp_path: Path) -> None:
    async with mock_engines(tmp_path, Speeds()) as engines, client() as http:
        body = {"messages": [{"role": "user", "content": question(0)}], "stream": True}
        async with http.stream("POST", f"{engines.llm_url}/chat/completions", json=body) as answer:
            await anext(answer.aiter_raw())
        async with asyncio.timeout(5):
            while not any(row["ev"] == "gone" for row in engines.llm.rows()):  # noqa: ASYNC110  # a file has no event
                await asyncio.sleep(0.01)


def test_a_wav_header_says_how_much_follows() -> None:
    header = wav_header(4800)
    assert len(header) == 44
    assert int.from_bytes(header[40:], "little") == 4800


def test_content_in_parts_counts_as_text() -> None:
    parts = [{"type": "text", "text": "turn"}, {"type": "text", "text": "7"}]
    assert last_user_text([{"role": "user", "content": parts}, {"role": "assistant"}]) == "turn 7"
    assert last_user_text([]) == ""


def reader_of(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


async def test_requests_with_chunked_and_measured_bodies() -> None:
    measured = b"POST /a?b=c HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
    assert await read_request(reader_of(measured)) == ("/a", b"abc")
    chunked = b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
    assert await read_request(reader_of(chunked)) == ("/a", b"abcde")


@pytest.mark.parametrize(
    "data",
    [b"", b"GARBAGE\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"POST / HTTP/1.1\r\n"],
)
async def test_broken_requests_end_the_connection(data: bytes) -> None:
    with pytest.raises((ValueError, asyncio.IncompleteReadError)):
        await read_request(reader_of(data))


def test_a_journal_is_followed_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    with Follower(path) as follower:
        assert follower.rows() == []
        with Journal(path) as journal:
            journal.note("req", 1.5, id=1)
        with path.open("a") as file:
            file.write('{"ev": "en')
            file.flush()
            assert [row["ev"] for row in follower.rows()] == ["req"]
            file.write('d", "t": 2}\n')
        assert [row["ev"] for row in follower.rows(1)] == ["end"]
        assert len(follower) == 2
    with Journal(None) as nowhere:
        nowhere.note("req")


async def test_a_door_comes_back_when_its_server_hung_up() -> None:
    served = 0

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        served += 1
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer_once, "127.0.0.1", 0)
    async with server, Door("127.0.0.1", server.sockets[0].getsockname()[1], "t") as door:
        assert (await door.call("GET", "/")).json() == {}
        async with asyncio.timeout(5):
            while served < 2:
                try:
                    await door.call("POST", "/", {"a": 1})
                except ConnectionError:
                    continue
    with pytest.raises(ConnectionError):
        await door.open()


def test_bench_errors_carry_a_code() -> None:
    assert str(BenchError("no_sound", "nothing")) == "no_sound: nothing"


def test_figures_have_as_many_digits_as_they_deserve() -> None:
    assert [plain(value) for value in (3, 3.0, 0.784, 83.26)] == ["3", "3", "0.78", "83.3"]
    assert at_most(10)(10)
    assert not at_most(10)(10.1)
