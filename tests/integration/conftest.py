from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kitsu_cli.__main__ import main
from tests.fakes.door import FakeDoor, open_door
from tests.fakes.orchestrator import FakeOrchestrator


@pytest.fixture
def download(capsys: pytest.CaptureFixture[str]) -> Any:
    """`kitsu download …` in this process: exit code, stdout, stderr."""

    def run(*argv: str) -> tuple[int, str, str]:
        try:
            code = main(["download", *argv])
        except SystemExit as error:
            code = int(error.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
async def orchestrator() -> AsyncIterator[FakeOrchestrator]:
    async with FakeOrchestrator() as running:
        yield running


@pytest.fixture
async def door(
    orchestrator: FakeOrchestrator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FakeDoor]:
    async with open_door(orchestrator, tmp_path, monkeypatch) as opened:
        yield opened
