"""Requests that the orchestrator must refuse: each in the one shape of errors, and the show is as it was before."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from kitsu.protocol import PlayoutUse, PolicyRespond
from kitsu_orchestrator.lines import MAX_CODE_POINTS
from tests.integration.orchestrator_stack import TOKEN, Stack, stack

pytestmark = pytest.mark.asyncio(loop_scope="module")
JSON = {"content-type": "application/json"}
PATHS = {
    "/healthz", "/status", "/chat", "/say", "/turns", "/turns/{turn_id}", "/turns/{turn_id}/audio.wav",
    "/control/panic", "/control/resume", "/control/skip", "/control/volume", "/control/device", "/control/topics",
    "/control/{verb}", "/devices", "/voice", "/vts", "/vts/expr", "/vts/reset", "/modules/{name}",
    "/events/asr", "/ears", "/ears/devices", "/ears/use", "/ears/mode", "/ears/{verb}", "/transcribe",
    "/obs", "/obs/scene", "/obs/preset", "/obs/text", "/obs/reset", "/obs/restore", "/obs/setup",
    "/turns/{turn_id}/why", "/safety/verdicts", "/safety/held",
    "/safety/held/{turn_id}", "/safety/words", "/safety/block", "/safety/unblock", "/safety/allow",
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def show(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    async with stack(tmp_path_factory.mktemp("rest")) as show:
        (tmp_path_factory.getbasetemp() / "secret.wav").write_bytes(b"secret")
        await show.chat("hello")
        yield show


async def state(show: Stack) -> dict[str, Any]:
    now = await show.get("/status")
    return {name: now[name] for name in ("waiting", "current", "dropped", "levels", "store_error")}


async def refused(show: Stack, method: str, path: str, **request: Any) -> tuple[int, str]:
    """Status and code of a refusal that changed nothing."""
    before = await state(show)
    answer = await show.http.request(method, path, **request)
    assert 400 <= answer.status_code < 500 or answer.status_code == 503, answer.text
    assert set(answer.json()) == {"error"}
    error = answer.json()["error"]
    assert set(error) == {"code", "message"}
    assert error["message"]
    assert TOKEN not in answer.text
    assert await state(show) == before
    return answer.status_code, error["code"]


DOORS: dict[str, tuple[dict[str, str | bytes], int, str]] = {
    "no token": ({"authorization": ""}, 401, "bad_token"),
    "another token": ({"authorization": "Bearer " + "u" * 43}, 401, "bad_token"),
    "token alone": ({"authorization": TOKEN}, 401, "bad_token"),
    "another scheme": ({"authorization": f"Basic {TOKEN}"}, 401, "bad_token"),
    "half a token": ({"authorization": f"Bearer {TOKEN[:20]}"}, 401, "bad_token"),
    "garbled": ({"authorization": b"Bearer \xff\xfe\xc3"}, 401, "bad_token"),
    "foreign host": ({"host": "evil.example"}, 421, "bad_host"),
    "host of another port": ({"host": "127.0.0.1:1"}, 421, "bad_host"),
    "foreign origin": ({"origin": "http://evil.example"}, 403, "bad_origin"),
    "origin of nobody": ({"origin": "null"}, 403, "bad_origin"),
}


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize("request_", [("GET", "/status"), ("POST", "/control/panic"), ("GET", "/no/such")])
async def test_the_door_is_shut(show: Stack, name: str, request_: tuple[str, str]) -> None:
    headers, status, code = DOORS[name]
    assert await refused(show, *request_, headers=headers) == (status, code)


@pytest.mark.parametrize(
    "name", [name for name, (_, status, _) in DOORS.items() if status != 421 and name != "garbled"]
)
async def test_the_page_stream_is_shut_too(show: Stack, name: str) -> None:
    headers = {"authorization": f"Bearer {TOKEN}", **{key: str(value) for key, value in DOORS[name][0].items()}}
    with pytest.raises(InvalidStatus):
        await connect(f"ws://127.0.0.1:{show.port}/stream", additional_headers=headers, proxy=None)


async def test_whether_it_is_alive_may_be_asked_without_a_token(show: Stack) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"http://127.0.0.1:{show.port}/healthz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        for headers in ({"host": "evil.example"}, {"origin": "http://evil.example"}):
            answer = await http.get(f"http://127.0.0.1:{show.port}/healthz", headers=headers)
            assert answer.is_client_error


UNREADABLE: dict[str, tuple[bytes, dict[str, str], int]] = {
    "nothing": (b"", JSON, 422),
    "not JSON": (b"hello", JSON, 422),
    "array": (b'["hi"]', JSON, 422),
    "null": (b"null", JSON, 422),
    "not UTF-8": (b'{"text":"\xff\xfe"}', JSON, 400),
    "deep": (b"[" * 60_000, JSON, 400),
    "deep in a field": (b'{"text":' + b"[" * 30_000 + b"]" * 30_000 + b"}", JSON, 400),
    "million digits": (b'{"text":"hi","timeout_s":' + b"9" * 60_000 + b"}", JSON, 400),
    "a form": (b"text=hi", {"content-type": "application/x-www-form-urlencoded"}, 422),
    "plain text": (b'{"text":"hi"}', {"content-type": "text/plain"}, 422),
    "65 KB": (b'{"text":"' + b"x" * (64 << 10) + b'"}', JSON, 413),
    "1 MB": (b'{"text":"' + b"x" * (1 << 20) + b'"}', JSON, 413),
}


@pytest.mark.parametrize("path", ["/chat", "/say", "/events/asr"])
@pytest.mark.parametrize("name", UNREADABLE)
async def test_a_body_that_cannot_be_read_is_refused(show: Stack, path: str, name: str) -> None:
    content, headers, expected = UNREADABLE[name]
    status, code = await refused(show, "POST", path, content=content, headers=headers)
    assert (status, code) == (expected, "body_too_large" if expected == 413 else "bad_request")


async def test_a_megabyte_that_was_not_announced_is_refused(show: Stack) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"text":"'
        for _ in range(64):
            yield b"x" * (16 << 10)
        yield b'"}'

    assert await refused(show, "POST", "/chat", content=pieces(), headers=JSON) == (413, "body_too_large")


LINES: dict[str, tuple[str, str]] = {
    "no text": ("{}", "bad_request"),
    "text is null": ('{"text":null}', "bad_request"),
    "text is a number": ('{"text":1}', "bad_request"),
    "unknown field": ('{"text":"hi","admin":true}', "bad_request"),
    "unknown field that is half a character": ('{"text":"hi","\\ud800":1}', "bad_request"),
    "unknown field of 60 KB": ('{"text":"hi","' + "x" * 60_000 + '":1}', "bad_request"),
    "empty": ('{"text":""}', "empty_text"),
    "blank": ('{"text":" \\t\\r\\n\\u00a0\\u3000"}', "empty_text"),
    "control characters": ('{"text":"\\u0000\\u0007\\u001b\\u007f\\u0085"}', "empty_text"),
    "characters that nobody sees": ('{"text":"\\u200b\\u200d\\ufeff\\u2066\\u2069"}', "empty_text"),
    "half a character": ('{"text":"\\ud800"}', "bad_request"),
    "too long": (json.dumps({"text": "x" * (MAX_CODE_POINTS + 1)}), "text_too_long"),
    "too many foxes": (json.dumps({"text": "🦊" * (MAX_CODE_POINTS + 1)}), "text_too_long"),
    "no time": ('{"text":"hi","wait":true,"timeout_s":0}', "bad_request"),
    "negative time": ('{"text":"hi","wait":true,"timeout_s":-1}', "bad_request"),
    "NaN time": ('{"text":"hi","wait":true,"timeout_s":NaN}', "bad_request"),
    "endless time": ('{"text":"hi","wait":true,"timeout_s":Infinity}', "bad_request"),
    "time in words": ('{"text":"hi","timeout_s":"soon"}', "bad_request"),
    "no conv": ('{"text":"hi","conv":""}', "bad_request"),
    "conv in capitals": ('{"text":"hi","conv":"Stage"}', "bad_request"),
    "conv with a path": ('{"text":"hi","conv":"../stage"}', "bad_request"),
    "conv with a line break": ('{"text":"hi","conv":"stage\\n"}', "bad_request"),
    "long conv": (json.dumps({"text": "hi", "conv": "x" * 81}), "bad_request"),
}
CHAT_ONLY = {
    "role of nobody": {"role": "admin"},
    "no author": {"author": ""},
    "author of blanks": {"author": " \t"},
    "long author": {"author": "x" * 81},
    "author is half a character": {"author": "\ud800"},
    "clock of nobody": {"clock": "sundial"},
    "long message id": {"message_id": "x" * 129},
}


@pytest.mark.parametrize("path", ["/chat", "/say"])
@pytest.mark.parametrize("name", LINES)
async def test_a_line_that_is_not_right_is_refused(show: Stack, path: str, name: str) -> None:
    content, code = LINES[name]
    assert await refused(show, "POST", path, content=content.encode(), headers=JSON) == (422, code)


HEARD = {
    "nothing": {},
    "empty": {"text": ""},
    "blank": {"text": " \u3000"},
    "half a character": {"text": "\ud800"},
    "too long": {"text": "x" * (MAX_CODE_POINTS + 1)},
    "unknown field": {"text": "hi", "admin": True},
    "role of nobody": {"text": "hi", "role": "operator"},
    "name is half a character": {"text": "hi", "name": "\udfff"},
    "long name": {"text": "hi", "name": "x" * 81},
    "long id": {"text": "hi", "utterance": "x" * 65},
    "conv with a path": {"text": "hi", "conv": "../stage"},
    "too sure": {"text": "hi", "confidence": 1.5},
    "from the future": {"text": "hi", "endpoint_ms": -1},
    "an hour ago": {"text": "hi", "endpoint_ms": 3_600_000},
    "NaN": {"text": "hi", "confidence": float("nan")},
    "endless": {"text": "hi", "endpoint_ms": float("inf")},
}


@pytest.mark.parametrize("name", HEARD)
async def test_what_another_tool_heard_wrongly_is_refused(show: Stack, name: str) -> None:
    status, _ = await refused(show, "POST", "/events/asr", content=json.dumps(HEARD[name]).encode(), headers=JSON)
    assert status == 422


@pytest.mark.parametrize("name", CHAT_ONLY)
async def test_an_author_that_is_not_right_is_refused(show: Stack, name: str) -> None:
    content = json.dumps({"text": "hi", **CHAT_ONLY[name]}).encode()
    status, code = await refused(show, "POST", "/chat", content=content, headers=JSON)
    assert (status, code) == (422, "empty_text" if name == "author of blanks" else "bad_request")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/no/such", None, 404, "not_found"),
        ("GET", "/chat", None, 405, "method_not_allowed"),
        ("POST", "/control/explode", None, 404, "no_such_verb"),
        ("POST", "/modules/nobody", {"action": "start"}, 404, "no_such_service"),
        ("POST", "/modules/..%2fstatus", {"action": "start"}, 404, "not_found"),
        ("POST", "/modules/tts", {"action": "explode"}, 422, "bad_request"),
        ("POST", "/modules/tts", {"action": "stop"}, 503, "launcher_missing"),
        ("POST", "/control/skip", {"conv": "Stage"}, 422, "bad_request"),
        ("POST", "/control/volume", None, 422, "bad_request"),
        ("POST", "/control/volume", {"percent": -1}, 422, "bad_request"),
        ("POST", "/control/volume", {"percent": 101}, 422, "bad_request"),
        ("POST", "/control/volume", {"percent": 50.5}, 422, "bad_request"),
        ("POST", "/control/volume", {"percent": 1 << 70}, 422, "bad_request"),
        ("POST", "/voice", {"engine": "espeak", "voice": "x" * 121}, 422, "bad_request"),
        ("POST", "/control/device", None, 422, "bad_request"),
        ("POST", "/control/device", {"device": "x" * 201}, 422, "bad_request"),
        ("POST", "/control/device", {"device": 3}, 422, "bad_request"),
        ("POST", "/control/device", {"device": " "}, 422, "bad_request"),
        ("POST", "/ears/mute", None, 503, "asr_missing"),
        ("POST", "/ears/explode", None, 422, "bad_request"),
        ("POST", "/ears/mode", {"mode": "open"}, 503, "asr_missing"),
        ("POST", "/ears/mode", {"mode": "loud"}, 422, "bad_request"),
        ("POST", "/ears/mode", {"mode": "open", "conv": "../x"}, 422, "bad_request"),
        ("POST", "/ears/use", {"device": " "}, 422, "bad_request"),
        ("POST", "/ears/use", {"device": "default"}, 503, "asr_missing"),
        ("GET", "/ears/devices", None, 503, "asr_missing"),
        ("POST", "/transcribe", None, 503, "asr_missing"),
        ("POST", "/transcribe?language=German", None, 422, "bad_request"),
        ("GET", "/turns?limit=many", None, 422, "bad_request"),
        ("GET", "/turns/nobody", None, 404, "no_such_turn"),
        ("GET", "/turns/%00", None, 404, "no_such_turn"),
        ("GET", "/turns/%00/why", None, 404, "no_such_turn"),
        ("GET", "/turns/%ed%a0%80/why", None, 404, "no_such_turn"),
        ("POST", "/safety/held/%ed%a0%80", {"answer": "deny"}, 404, "not_held"),
        ("POST", "/safety/unblock", {"term": "nothing"}, 404, "no_such_term"),
        ("GET", "/turns/%ed%a0%80", None, 404, "no_such_turn"),
        ("GET", "/turns/" + "x" * 20_000, None, 404, "no_such_turn"),
    ],
)
async def test_what_does_not_exist_is_refused(
    show: Stack, method: str, path: str, body: Any, status: int, code: str
) -> None:
    assert await refused(show, method, path, json=body) == (status, code)


@pytest.mark.parametrize(
    "turn_id",
    ["..%2fsecret", "..%2f..%2fsecret.wav", "..%5c..%5csecret", "%2e%2e", "%2fetc%2fpasswd", "..;", "secret.wav%00"],
)
async def test_recordings_are_the_only_files_that_can_be_had(show: Stack, turn_id: str) -> None:
    assert (await refused(show, "GET", f"/turns/{turn_id}/audio.wav"))[0] == 404


async def test_how_many_turns_are_shown_is_bounded(show: Stack) -> None:
    for limit in (-5, 0, 1, 10**30):
        assert len(await show.get(f"/turns?limit={limit}")) >= 1


async def test_the_list_of_shapes_has_the_paths_of_the_readme(show: Stack) -> None:
    assert set((await show.get("/openapi.json"))["paths"]) == PATHS


async def test_after_all_of_it_a_line_of_the_greatest_length_is_answered(show: Stack) -> None:
    assert (await show.chat("x" * MAX_CODE_POINTS))["outcome"] == "spoken"


async def test_the_same_message_is_answered_once(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        assert (await show.chat("hi", message_id="m1"))["outcome"] == "spoken"
        again = await show.chat("hi", message_id="m1")
        assert (again["outcome"], again["reason"]) == ("dropped", "duplicate")
        assert await show.get(f"/turns/{again['turn_id']}") == again
        assert (await show.get("/status"))["dropped"] == {"duplicate": 1}
        assert (await show.chat("hi", message_id="m2"))["outcome"] == "spoken"
        assert len(show.brain.all(PolicyRespond)) == 2


@pytest.mark.parametrize("path", ["/chat", "/say"])
async def test_too_many_conversations_are_refused_and_leave_nothing_open(tmp_path: Path, path: str) -> None:
    async with stack(tmp_path, intake={"max_conversations": 2}) as show:
        show.brain.auto = False
        await show.send("hi", conv="page:1")
        await show.brain.expect(PolicyRespond)
        answer = await show.http.post(path, json={"text": "hi", "conv": "page:2"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "too_many_conversations")
        turns = await show.get("/turns")
        assert [turn["conv"] for turn in turns if turn["outcome"] is None] == ["page:1"]
        await show.post("/control/skip", {"conv": "page:1"})
        show.brain.auto = True
        assert (await show.chat("hi", conv="page:1"))["outcome"] == "spoken"
        assert (await show.chat("hi", conv="page:2"))["outcome"] == "spoken"


async def test_a_voice_cannot_be_chosen_while_there_is_none(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        await show.voice.leave()
        assert await refused(show, "POST", "/voice", json={"engine": "nobody"}) == (503, "voice_missing")


async def test_a_device_cannot_be_chosen_or_looked_for_while_nothing_plays(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        waiting = asyncio.create_task(show.post("/control/device", {"device": "headphones"}, status=503))
        await show.clock.expect(PlayoutUse)
        await show.clock.leave()
        assert (await waiting)["error"]["code"] == "playout_missing", "whoever waits is told at once"
        assert await refused(show, "POST", "/control/device", json={"device": "none"}) == (503, "playout_missing")
        assert await refused(show, "GET", "/devices") == (503, "playout_missing")


HALF = b'"\\ud800"'


@pytest.mark.parametrize(
    ("path", "body"), [("/control/device", b'{"device":%b}' % HALF), ("/voice", b'{"engine":%b}' % HALF)]
)
@pytest.mark.asyncio(loop_scope="module")
async def test_half_a_character_is_no_name(show: Stack, path: str, body: bytes) -> None:
    assert await refused(show, "POST", path, content=body, headers=JSON) == (422, "bad_request")


PRESSES = [b"", b"hello", b"[", b"null", b"\xff\xfe", b'{"by":1}', b'{"by":"\\ud800"}', b"[" * 60_000,
           b'{"pressed_at":-1}', b'{"pressed_at":1e400}', b'{"panic_id":"' + b"x" * 65 + b'"}']  # fmt: skip


async def test_a_press_that_cannot_be_read_is_a_press_and_a_chat_line_ends_as_panic(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        for number, body in enumerate(PRESSES):
            answer = (await show.http.post("/control/panic", content=body, headers=JSON)).json()
            assert answer["panicked"], body[:40]
            assert {row["state"] for row in answer["exits"]} == {"confirmed"}
            turn = await show.chat("hi")
            assert (turn["outcome"], turn["reason"], turn["heard"]) == ("panic", "panic", "")
            assert (await show.get("/status"))["dropped"] == {"panic": number + 1}
            assert (await show.post("/control/resume"))["panic"] is None
        assert (await show.chat("hi"))["outcome"] == "spoken"


async def test_a_press_from_the_future_ends_with_the_next_resume(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        assert (await show.post("/control/panic", {"pressed_at": 1 << 70}))["panicked"]
        await show.post("/control/resume")
        assert (await show.post("/control/panic", {"pressed_at": 1}))["panicked"] is False
        assert (await show.chat("hi"))["outcome"] == "spoken"


async def test_a_page_gets_a_snapshot_and_then_rising_numbers(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        await show.chat("before")
        async with show.page() as page:
            first = await page.next()
            assert first["type"] == "state.snapshot"
            assert [turn["outcome"] for turn in first["recent"]] == ["spoken"]
            await page.socket.send("pages have nothing to say here")
            await show.post("/control/mute")
            await show.post("/control/unmute")
            turn = await show.chat("hi")
            await page.until("turn.ended", turn_id=turn["turn_id"])
            numbers = [frame["seq"] for frame in page.frames]
            assert numbers == list(range(first["seq"], first["seq"] + len(numbers)))
