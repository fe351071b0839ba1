"""The Windows ladder with the platform injected: Job Objects played by psutil on real processes."""

import asyncio
import subprocess
import sys

import psutil
import pytest

from kitsu_launcher.child import Child
from kitsu_launcher.config import LauncherSettings
from kitsu_launcher.windows import CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW, WindowsSystem

SETTINGS = LauncherSettings(stop_s=0.3, terminate_s=0.1)


class FakeJobs:
    """Kernel32's Job Objects: what is assigned takes its descendants along."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.members: dict[int, psutil.Process] = {}

    def create(self) -> int:
        self.calls.append("create")
        return 42

    def assign(self, job: int, pid: int) -> None:
        self.calls.append("assign")
        self.members[job] = psutil.Process(pid)

    def terminate(self, job: int) -> None:
        self.calls.append("terminate")
        process = self.members[job]
        if process.is_running():
            for member in [*process.children(recursive=True), process]:
                member.kill()

    def close(self, job: int) -> None:
        self.calls.append("close")


class Windows(WindowsSystem):
    """Its own way with trees, but flags that the machine of the test understands."""

    spawn_options = {}  # noqa: RUF012 - a constant stands in for the property


def test_services_get_a_group_and_no_window() -> None:
    flags = WindowsSystem(FakeJobs()).spawn_options["creationflags"]
    assert flags == CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW
    if sys.platform == "win32":
        assert flags == subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW


async def run(module: str, children_path: None) -> tuple[int, FakeJobs]:
    jobs = FakeJobs()
    beating = asyncio.Event()
    child = await Child.spawn(
        f"tests.fakes.children.{module}",
        Windows(jobs),
        on_stdout=lambda line: beating.set(),
        on_stderr=lambda line: None,
    )
    await beating.wait()
    stopping = asyncio.ensure_future(child.stop(SETTINGS))
    code = await child.wait()
    await stopping
    return code, jobs


async def test_a_service_that_obeys_ends_by_itself(children_path: None) -> None:
    code, jobs = await run("healthy", children_path)
    assert code == 0
    assert jobs.calls[:2] == ["create", "assign"]
    assert jobs.calls[-1] == "close"


@pytest.mark.parametrize("module", ["deaf", "hanging"])
async def test_one_that_does_not_obey_ends_with_its_job(module: str, children_path: None) -> None:
    code, jobs = await run(module, children_path)
    assert code != 0
    assert "terminate" in jobs.calls
    assert jobs.calls[-1] == "close"


async def test_a_job_that_cannot_be_made_leaves_no_process(children_path: None) -> None:
    class Refused(FakeJobs):
        def assign(self, job: int, pid: int) -> None:
            super().assign(job, pid)
            raise PermissionError(5, "access denied")

    jobs = Refused()
    with pytest.raises(PermissionError):
        await Child.spawn(
            "tests.fakes.children.healthy", Windows(jobs), on_stdout=lambda line: None, on_stderr=lambda line: None
        )
    assert not jobs.members[42].is_running()
