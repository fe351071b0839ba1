"""A home of one's own, with no setting from outside."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kitsu.config import Source, read

Settings = Callable[..., Source]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """`settings(yaml=…, env=…, KITSU__TTS__ENGINE=…)` reads them as a start would."""
    for name in [name for name in os.environ if name.upper().startswith("KITSU")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KITSU_HOME", str(tmp_path))
    file = tmp_path / "configs" / "kitsu.yaml"
    file.parent.mkdir()

    def make(*, yaml: str | bytes = "", env: str | bytes | None = None, **variables: str) -> Source:
        file.write_bytes(yaml.encode() if isinstance(yaml, str) else yaml)
        if env is not None:
            (tmp_path / ".env").write_bytes(env.encode() if isinstance(env, str) else env)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        read.cache_clear()
        return read()

    yield make
    read.cache_clear()
