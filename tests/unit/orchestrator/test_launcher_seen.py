"""The launcher as the orchestrator sees it: whatever answers at its port, an error and no crash."""

import asyncio

import pytest

from kitsu.errors import KitsuError
from kitsu_orchestrator.launcher import MAX_ANSWER_BYTES, Launcher
from tests.fakes.scripted_http import black_hole, scripted_http

TOKEN = "t" * 43

ODD: dict[str, tuple[int, bytes]] = {
    "not JSON": (200, b"hello"),
    "no bytes": (200, b""),
    "not UTF-8": (200, b'"\xff"'),
    "an array": (200, b"[1, 2]"),
    "null": (200, b"null"),
    "endless": (200, b'"' + b"x" * MAX_ANSWER_BYTES + b'"'),
    "deep": (200, b"[" * 100_000),
    "an error that is a text": (409, b'{"error": "no"}'),
    "an error without one": (409, b"{}"),
    "an error that is an array": (500, b"[]"),
    "an error that is null": (409, b'{"error": null}'),
}


@pytest.mark.parametrize("name", ODD)
async def test_a_launcher_that_answers_oddly_is_an_error_and_no_crash(name: str) -> None:
    with scripted_http() as fake:
        fake.answers = {"POST /services/tts/stop": ODD[name], "GET /status": ODD[name]}
        launcher = Launcher(fake.url, TOKEN)
        with pytest.raises(KitsuError):
            await launcher.order("tts", "stop")
        assert await launcher.status() is None, "an error of the launcher is no status of it"


async def test_a_launcher_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kitsu_orchestrator.launcher.TIMEOUT_S", 0.1)
    with black_hole() as port:
        launcher = Launcher(f"http://127.0.0.1:{port}", TOKEN)
        async with asyncio.timeout(2):
            assert await launcher.status() is None
