"""The launcher's door, by HTTP over a real socket-free ASGI transport; no process is started."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kitsu.config import Home, LogSettings, NetworkSettings
from kitsu.panic import PanicLatch
from kitsu.services import SERVICES
from kitsu_launcher.api import app
from kitsu_launcher.config import LauncherSettings
from kitsu_launcher.show import Show
from kitsu_launcher.system import this_system

TOKEN = "t" * 43
PANIC = {"panic_id": "p1", "pressed_at": 5, "by": "page"}


@pytest.fixture
def show(tmp_path: Path) -> Show:
    where = Home(root=tmp_path, logs=tmp_path / "logs", configs=tmp_path)
    where.make()
    return Show(
        SERVICES,
        where=where,
        settings=LauncherSettings(),
        logs=LogSettings(),
        network=NetworkSettings(),
        system=this_system(),
    )


@pytest.fixture
async def door(show: Show) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app(show, TOKEN, 9001))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:9001", headers=headers) as client:
        yield client


def code(answer: httpx.Response) -> Any:
    return answer.json()["error"]["code"]


async def test_healthz_needs_no_token(door: httpx.AsyncClient) -> None:
    assert (await door.get("/healthz", headers={"Authorization": ""})).json() == {"ok": True}


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer wrong", f"bearer {TOKEN}", f"Bearer {TOKEN}x"])
async def test_everything_else_does(door: httpx.AsyncClient, token: str) -> None:
    for method, path in (("GET", "/status"), ("POST", "/panic"), ("POST", "/stop"), ("POST", "/services/tts/stop")):
        answer = await door.request(method, path, headers={"Authorization": token})
        assert (answer.status_code, code(answer)) == (401, "bad_token")


async def test_foreign_hosts_and_web_pages_are_refused(door: httpx.AsyncClient, show: Show) -> None:
    assert code(await door.post("/stop", headers={"Host": "evil.example:9001"})) == "bad_host"
    assert code(await door.post("/stop", headers={"Origin": "http://127.0.0.1:9001"})) == "bad_origin"
    assert not show.stopping.is_set()


async def test_status_lists_every_service(door: httpx.AsyncClient) -> None:
    status = (await door.get("/status")).json()
    assert [service["name"] for service in status["services"]] == list(SERVICES)
    assert {service["state"] for service in status["services"]} == {"stopped"}
    assert status["urls"]["control"] == "http://127.0.0.1:8100"


async def test_panic_without_playout_says_so_and_is_latched(door: httpx.AsyncClient, tmp_path: Path) -> None:
    answer = (await door.post("/panic", json=PANIC)).json()
    assert (answer["panic_id"], answer["ordered"]) == ("p1", False)
    assert json.loads((tmp_path / "data/panic.json").read_text()) == PANIC


async def test_panic_without_a_body_is_a_panic(door: httpx.AsyncClient) -> None:
    assert (await door.post("/panic")).json()["panic_id"]


async def test_the_panic_that_holds_stays(door: httpx.AsyncClient, tmp_path: Path) -> None:
    await door.post("/panic", json=PANIC)
    await door.post("/panic", json=PANIC | {"panic_id": "p2"})
    held = PanicLatch(tmp_path / "data/panic.json").read()
    assert held is not None
    assert held.panic_id == "p1"


async def test_panic_does_not_depend_on_the_disk(door: httpx.AsyncClient, tmp_path: Path) -> None:
    (tmp_path / "data").rmdir()
    answer = await door.post("/panic", json=PANIC)
    assert answer.status_code == 200


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"panic_id": 1}', b"\xff", b'"x"', b'{"panic_id":"a","by":"b"}'])
async def test_bad_panic_bodies(door: httpx.AsyncClient, body: bytes, tmp_path: Path) -> None:
    answer = await door.post("/panic", content=body)
    assert (answer.status_code, code(answer)) == (400, "bad_body")
    assert not (tmp_path / "data/panic.json").exists()


async def test_large_bodies(door: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 1000

    assert code(await door.post("/panic", content=b"x" * 70_000)) == "body_too_large"
    assert code(await door.post("/panic", content=chunks())) == "body_too_large"


async def test_unknown_names_actions_paths_and_methods(door: httpx.AsyncClient) -> None:
    assert code(await door.post("/services/nope/start")) == "no_such_service"
    assert code(await door.post("/services/tts/dance")) == "no_such_action"
    assert code(await door.get("/nope")) == "not_found"
    assert code(await door.get("/panic")) == "bad_method"


async def test_stop_sets_the_flag(door: httpx.AsyncClient, show: Show) -> None:
    assert (await door.post("/stop")).status_code == 202
    assert show.stopping.is_set()


async def test_a_service_that_its_setting_turns_off_costs_no_process(tmp_path: Path) -> None:
    where = Home(root=tmp_path, logs=tmp_path / "logs", configs=tmp_path)
    where.make()
    ears = {"asr": SERVICES["asr"]}
    quiet = Show(
        ears,
        where=where,
        settings=LauncherSettings(),
        logs=LogSettings(),
        network=NetworkSettings(),
        system=this_system(),
    )
    async with asyncio.TaskGroup() as group:
        await quiet.start(group)
    (row,) = quiet.status()["services"]
    assert (row["state"], row["pid"]) == ("off", None)
    assert "KITSU__ASR__ENABLED" in row["reason"]
    assert quiet.status()["ready"]
