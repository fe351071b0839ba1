"""Whether a step's inputs changed since it was done: sizes and times first, contents only when those differ."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

SKIPPED = frozenset({"node_modules", "build", ".svelte-kit", "__pycache__"})


class Stamp(NamedTuple):
    """A note that a step was done with these inputs. `extra` is an input that is no file."""

    file: Path
    inputs: tuple[Path, ...]
    extra: str = ""

    def fresh(self) -> bool:
        """Nothing changed. A touched file with the same contents is no change (and is noted, to stay quick)."""
        try:
            noted = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        if not isinstance(noted, dict):
            return False
        if noted.get("quick") == self._quick():
            return True
        if noted.get("full") != self._full():
            return False
        self.write()
        return True

    def write(self) -> None:
        """The step is done."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps({"quick": self._quick(), "full": self._full()}), encoding="utf-8")

    def _quick(self) -> str:
        return self._hash(f"{stat.st_size} {stat.st_mtime_ns}".encode() for stat in map(os.stat, self._files()))

    def _full(self) -> str:
        return self._hash(path.read_bytes() for path in self._files())

    def _hash(self, contents: Iterable[bytes]) -> str:
        digest = hashlib.sha256(self.extra.encode())
        for path, content in zip(self._files(), contents, strict=True):
            name = os.path.relpath(path, self.file.parent)  # a checkout may be moved
            for part in (name.encode(), content):
                digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()

    def _files(self) -> list[Path]:
        return [file for path in self.inputs for file in sorted(_walk(path))]


def _walk(path: Path) -> Iterator[Path]:
    """The file, or every file below the folder that somebody wrote (not what tools made there)."""
    if path.is_file():
        yield path
    elif path.is_dir():
        for entry in path.iterdir():
            if entry.name not in SKIPPED:
                yield from _walk(entry)
