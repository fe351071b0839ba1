from typing import Any

import pytest

from kitsu_cli.__main__ import main


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
