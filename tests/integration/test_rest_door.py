"""What passes the REST door comes out clean, and files and disks that misbehave harm nobody."""

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from kitsu.config import CHECKOUT
from kitsu.protocol import PanicConfirmed, PlayoutClose, PlayoutFinished, PolicyRespond, now_us
from tests.fakes.workers import ids
from tests.integration.orchestrator_stack import TOKEN, Stack, stack

README = CHECKOUT / "apps" / "kitsu_orchestrator" / "README.md"
module_loop = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Stack, Path]]:
    folder = tmp_path_factory.mktemp("door")
    async with stack(folder) as show:
        yield show, folder


ENDLESS = b'{"panic_id":"1","pressed_at":1e999,"by":"cli"}'
HIDDEN = {
    "NUL": "\0",
    "escape": "\x1b[31m",
    "delete": "\x7f",
    "C1": "\x85\x9b",
    "line breaks": "\r\n\n",
    "line and paragraph separators": "\u2028\u2029",
    "direction overrides": "\u202e\u202d\u202a\u202c",
    "direction isolates": "\u2066\u2067\u2069",
    "direction marks": "\u200e\u200f\u061c",
    "byte order mark": "\ufeff",
    "annotations": "\ufff9\ufffb",
    "tags": "\U000e0041\U000e007f",
}


@module_loop
@pytest.mark.parametrize("name", HIDDEN)
async def test_what_hides_in_a_good_line_reaches_nobody(shared: tuple[Stack, Path], name: str) -> None:
    (show, folder), hidden = shared, HIDDEN[name]
    async with show.page() as page:
        turn = await show.chat(f"hel{hidden}lo there", author=f"An{hidden}n")
        await page.until("turn.ended", turn_id=turn["turn_id"])
    assert turn["outcome"] == "spoken"
    assert re.fullmatch("hel ?(\\[31m)?lo there", turn["text"])
    await show.get("/turns")  # everything is written
    places: dict[str, Any] = {
        "story": turn,
        "page": page.frames,
        "brain": msgspec.to_builtins(show.brain.all(PolicyRespond, turn_id=turn["turn_id"])),
        "overlay": [msgspec.to_builtins(frame.message) for frame in show.door.frames],
    }
    with sqlite3.connect(folder / "data" / "kitsu.db") as database:
        places["disk"] = database.execute("SELECT * FROM turn WHERE turn_id = ?", (turn["turn_id"],)).fetchall()
    database.close()
    for place, found in places.items():
        texts = _texts(json.loads(json.dumps(found)))
        assert texts
        raw = {character for text in texts for character in text} & (set(hidden) - set("[31m"))
        assert not raw, f"{name} reached the {place}"


def _texts(found: Any) -> list[str]:
    """Every text inside, and inside of JSON columns."""
    if isinstance(found, str):
        return _texts(json.loads(found)) if found.startswith("{") else [found]
    inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return [text for value in inner for text in _texts(value)]


@module_loop
@pytest.mark.parametrize("author", ["\0\x07\x1b", "\u202e\u2066", "\u200b\ufeff", "\n"])
async def test_a_name_of_characters_that_nobody_sees_is_refused(shared: tuple[Stack, Path], author: str) -> None:
    answer = await shared[0].post("/chat", {"text": "hi", "author": author}, status=422)
    assert answer["error"]["code"] == "empty_text"


async def test_who_waits_too_briefly_is_told_and_the_turn_goes_on(tmp_path: Path) -> None:
    async with stack(tmp_path, held=True) as show:
        answer = await show.post("/chat", {"text": "hi", "wait": True, "timeout_s": 0.05}, status=504)
        assert answer["error"]["code"] == "timeout"
        await show.clock.expect(PlayoutClose)
        await show.clock.release()
        assert (await show.ended(answer["error"]["turn_id"]))["outcome"] == "spoken"


@module_loop
async def test_the_readme_and_the_list_of_shapes_know_the_same_paths(shared: tuple[Stack, Path]) -> None:
    told = set()
    for row in re.findall(r"^\| (`.*?`) \|", README.read_text().partition("## Its door")[2], re.MULTILINE):
        for path in re.findall(r"(?<!WS )(/[^`]*)`", row):
            before, _, choice = path.partition("{")
            told |= {before + word for word in choice.rstrip("}").split(",")} if "," in choice else {path}
    assert len(told) > 15
    shapes = {re.sub(r"\{\w+\}", "[^/]+", path) for path in (await shared[0].get("/openapi.json"))["paths"]}
    assert [path for path in told if not any(re.fullmatch(shape, path) for shape in shapes)] == []
    assert [shape for shape in shapes if not any(re.fullmatch(shape, path) for path in told)] == []


@module_loop
@pytest.mark.parametrize("wav", ["../secret.wav", "/etc/passwd", "..", ".", "a/../../secret.wav", "x\r\ny: z", "\0"])
async def test_a_clock_that_names_another_file_gives_nothing_away(shared: tuple[Stack, Path], wav: str) -> None:
    show, folder = shared
    (folder / "artifacts" / "secret.wav").write_bytes(b"secret")
    show.clock.held = True
    turn_id = await show.send("hi")
    closing = await show.clock.expect(PlayoutClose, turn_id=turn_id)
    await show.clock.send(PlayoutFinished(**ids(closing), reason="played", heard=(), audio_ms=10.0, wav=wav))
    del show.clock.turns[turn_id]
    show.clock.held = False
    assert (await show.ended(turn_id))["wav"] == wav
    answer = await show.http.get(f"/turns/{turn_id}/audio.wav")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_audio")


@pytest.mark.parametrize("latch", [b"", b"{", b"\xff", b"[]", b'{"panic_id":"1"}', b"[" * 100_000, ENDLESS])
async def test_a_panic_file_that_cannot_be_read_is_a_panic_until_resumed(tmp_path: Path, latch: bytes) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "panic.json").write_bytes(latch)
    async with stack(tmp_path) as show:
        assert (await show.get("/status"))["levels"]["panic"]["panic_id"] == "unreadable"
        assert show.clock.accepted.levels.panic is not None
        assert (await show.chat("hi"))["outcome"] == "panic"
        assert (await show.post("/say", {"text": "hi", "wait": True, "now": True}))["outcome"] == "panic"
        await show.post("/control/resume")
        assert (await show.chat("hi"))["outcome"] == "spoken"


async def test_an_exit_that_heard_of_a_panic_before_the_hub_is_not_late(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        early = PanicConfirmed(panic_id="p1", exit="overlay:1", latency_ms=1.0, detail="cleared")
        show.show.panic_desk.confirm(early)  # by the launcher's path; it is said only once
        answer = await show.post("/control/panic", {"panic_id": "p1", "pressed_at": now_us(), "by": "page"})
        assert ("overlay:1", "confirmed", "cleared") in [(e["exit"], e["state"], e["detail"]) for e in answer["exits"]]
        await show.post("/control/resume")
        answer = await show.post("/control/panic")
        assert "overlay:1" not in [e["exit"] for e in answer["exits"]]


@pytest.mark.parametrize("story", ["'{\"half'", "'[]'", "'null'", "'{}'", "X'ff'", "CAST(X'ff' AS TEXT)"])
async def test_a_story_that_rotted_on_disk_does_not_stop_the_show(tmp_path: Path, story: str) -> None:
    async with stack(tmp_path) as show:
        await show.chat("hi")
        await show.get("/turns")
    with sqlite3.connect(tmp_path / "data" / "kitsu.db") as database:
        database.execute(f"UPDATE turn SET story = {story}")
    database.close()
    async with stack(tmp_path) as show:
        assert (await show.chat("hello again"))["outcome"] == "spoken"
        assert (await show.http.get("/turns")).status_code in (200, 503)


@module_loop
async def test_half_a_request_holds_up_nobody(shared: tuple[Stack, Path]) -> None:
    show, _ = shared
    _, writer = await asyncio.open_connection("127.0.0.1", show.port)
    writer.write(
        f"POST /chat HTTP/1.1\r\nhost: 127.0.0.1:{show.port}\r\nauthorization: Bearer {TOKEN}\r\n"
        'content-type: application/json\r\ncontent-length: 999\r\n\r\n{"text":"hi"'.encode()
    )
    await writer.drain()
    assert (await show.chat("hi"))["outcome"] == "spoken"
    writer.transport.abort()
    assert await show.get("/healthz") == {"status": "ok"}
