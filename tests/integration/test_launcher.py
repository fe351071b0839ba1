"""The launcher over real processes that behave and misbehave."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from kitsu.config import Home, LogSettings, NetworkSettings
from kitsu.home import CHECKOUT
from kitsu.protocol.control import Panic
from kitsu.telemetry.files import log_files
from kitsu_launcher.config import LauncherSettings
from kitsu_launcher.show import Show
from kitsu_launcher.system import this_system
from tests.fakes.launch import table

QUICK = LauncherSettings(hang_s=0.6, start_s=10, stop_s=0.5, terminate_s=0.3, restart_max_s=0.3)


class Stage:
    """A show and ways to look at it."""

    def __init__(self, show: Show, where: Home) -> None:
        self.show = show
        self.where = where

    def status(self, name: str) -> dict[str, Any]:
        return self.show.find(name).status()

    async def until(self, true: Callable[[], object], within_s: float = 10.0) -> None:
        async with asyncio.timeout(within_s):
            while not true():  # noqa: ASYNC110 - what changes is another process's doing: there is no event
                await asyncio.sleep(0.01)

    async def ready(self, name: str) -> int:
        await self.until(lambda: self.status(name)["ready"])
        pid = self.status(name)["pid"]
        assert isinstance(pid, int)
        return pid

    def events(self, name: str) -> list[dict[str, Any]]:
        text = "".join(path.read_text(encoding="utf-8") for path in log_files(self.where.logs, name))
        return [json.loads(line) for line in text.splitlines()]

    def said(self, name: str, event: str) -> list[dict[str, Any]]:
        return [entry for entry in self.events(name) if entry.get("event") == event]


Open = Callable[..., Any]


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    where = Home(root=tmp_path, logs=tmp_path / "logs", configs=tmp_path)
    where.make()

    @asynccontextmanager
    async def opened(*names: str, settings: LauncherSettings = QUICK) -> AsyncIterator[Stage]:
        show = Show(
            table(names),
            where=where,
            settings=settings,
            logs=LogSettings(),
            network=NetworkSettings(),
            system=this_system(),
        )
        async with asyncio.TaskGroup() as group:
            await show.start(group)
            try:
                yield Stage(show, where)
            finally:
                await show.stop()

    return opened


def gone(pid: int) -> bool:
    """Whether it runs no more; whose child it was may still have to take notice."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def timed(what: Awaitable[object]) -> float:
    began = time.perf_counter()
    await what
    return time.perf_counter() - began


async def test_healthy_services_start_and_stop_by_order(stage: Open) -> None:
    async with stage("one=healthy", "two=healthy") as s:
        pids = [await s.ready("one"), await s.ready("two")]
        assert s.show.status()["ready"]
        assert s.status("one")["state"] == "ok"
    assert s.status("one")["exit_code"] == 0
    assert s.said("one", "bye")
    assert not any(psutil.pid_exists(pid) for pid in pids)


async def test_the_running_file_names_what_runs(stage: Open) -> None:
    async with stage("healthy") as s:
        pid = await s.ready("healthy")
        data = json.loads(s.where.running_file.read_text())
        assert data["services"]["healthy"][0] == pid
        assert data["urls"]["launcher"] == "http://127.0.0.1:9001"


async def test_a_killed_service_is_back_at_once(stage: Open) -> None:
    async with stage("healthy") as s:
        for restarts in (1, 2, 3):
            pid = await s.ready("healthy")
            psutil.Process(pid).kill()
            await s.until(lambda gone=pid: s.status("healthy")["pid"] not in (None, gone))
            await s.ready("healthy")
            assert s.status("healthy")["restarts"] == restarts


async def test_a_crashing_service_pauses_between_tries_and_says_why(stage: Open) -> None:
    async with stage("crashing", "healthy") as s:
        pid = await s.ready("healthy")
        await s.until(lambda: s.status("crashing")["state"] == "waiting")
        assert "the fox ran away" in s.status("crashing")["reason"]
        assert await s.ready("healthy") == pid


async def test_a_wrong_setting_is_not_tried_again(stage: Open) -> None:
    async with stage("refusing") as s:
        await s.until(lambda: s.status("refusing")["state"] == "failed")
        assert s.status("refusing")["reason"] == "policy.engine = 'x'"
        assert (s.status("refusing")["restarts"], s.status("refusing")["exit_code"]) == (0, 3)
        assert not s.show.status()["ready"]


async def test_a_hanging_service_is_started_again(stage: Open) -> None:
    async with stage("hanging") as s:
        pid = await s.ready("hanging")
        await s.until(lambda: s.status("hanging")["restarts"] == 1)
        assert not psutil.pid_exists(pid)
        assert s.status("hanging")["exit_code"] == -9


async def test_a_service_that_never_beats_is_started_again(stage: Open) -> None:
    slow = LauncherSettings(hang_s=0.5, start_s=0.5, stop_s=0.2, terminate_s=0.2)
    async with stage("silent", settings=slow) as s:
        await s.until(lambda: s.status("silent")["restarts"] >= 1)
        assert not s.status("silent")["ready"]


async def test_one_that_ignores_everything_is_killed_in_time(stage: Open) -> None:
    async with stage("deaf") as s:
        pid = await s.ready("deaf")
        took = await timed(s.show.act("deaf", "stop"))
    assert QUICK.stop_s + QUICK.terminate_s <= took < 3
    assert not psutil.pid_exists(pid)


async def test_all_are_stopped_at_once_not_one_after_the_other(stage: Open) -> None:
    async with stage("a=deaf", "b=deaf", "c=deaf", "d=deaf") as s:
        for name in "abcd":
            await s.ready(name)
        assert await timed(s.show.stop()) < 2 * (QUICK.stop_s + QUICK.terminate_s)


async def test_grandchildren_go_too(stage: Open) -> None:
    async with stage("family") as s:
        pid = await s.ready("family")
        first = s.said("family", "grandchild")[0]["pid"]
        psutil.Process(pid).kill()
        await s.until(lambda: not psutil.pid_exists(first))
        await s.until(lambda: len(s.said("family", "grandchild")) == 2)
        await s.ready("family")
    second = s.said("family", "grandchild")[1]["pid"]
    await s.until(lambda: gone(second))


async def test_whatever_a_service_writes_the_log_stays_json(stage: Open) -> None:
    async with stage("flooding") as s:
        await s.ready("flooding")
        await s.until(lambda: s.said("flooding", "after"))
    assert all(isinstance(entry, dict) for entry in s.events("flooding"))
    assert max(len(str(entry)) for entry in s.events("flooding")) < 70_000


async def test_panic_reaches_playout_by_its_stdin(stage: Open) -> None:
    async with stage("playout=healthy", "other=healthy") as s:
        await s.ready("playout")
        answer = s.show.panic(Panic(panic_id="p1", pressed_at=7, by="cli"))
        assert answer["ordered"]
        await s.until(lambda: s.said("playout", "order"))
        assert s.said("playout", "order")[0]["order"] == {
            "verb": "panic",
            "panic": {"panic_id": "p1", "pressed_at": 7, "by": "cli"},
        }
        assert not s.said("other", "order")


async def test_one_service_stops_starts_and_restarts(stage: Open) -> None:
    async with stage("one=healthy", "two=healthy") as s:
        first, other = await s.ready("one"), await s.ready("two")
        await s.show.act("one", "stop")
        assert (s.status("one")["state"], s.status("one")["pid"]) == ("stopped", None)
        assert s.show.status()["ready"]
        await s.show.act("one", "start")
        second = await s.ready("one")
        await s.show.act("one", "restart")
        third = await s.ready("one")
        await s.show.act("one", "start")
        assert await s.ready("one") == third
        assert len({first, second, third}) == 3
        assert await s.ready("two") == other


async def test_a_failed_service_can_be_started_by_hand(stage: Open) -> None:
    async with stage("refusing") as s:
        await s.until(lambda: s.status("refusing")["state"] == "failed")
        await s.show.act("refusing", "start")
        assert s.status("refusing")["state"] == "starting"
        await s.until(lambda: s.status("refusing")["state"] == "failed")
