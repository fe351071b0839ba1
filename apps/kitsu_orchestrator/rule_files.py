"""The files that the gate's rules are made from."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kitsu.config import SafetySettings
from kitsu.safety import Rulebook, load_rulebook
from kitsu.safety.own import OwnList, read_own

Fingerprint = tuple[tuple[str, int, int], ...]  # path, mtime (ns), bytes


@dataclass(frozen=True, slots=True)
class RuleFiles:
    """Where the rules lie, and how they are read."""

    folder: Path
    own: Path
    settings: SafetySettings = field(default_factory=SafetySettings)

    def load(self) -> tuple[Rulebook, OwnList]:
        """Everything, compiled. For a thread.

        Raises:
            GateError: `rules_missing` or `rules_invalid`, naming file and line.
            ConfigError: `bad_setting`.
        """
        own = read_own(self.own)
        settings = self.settings
        return load_rulebook(self.folder, family_mode=settings.family_mode, levels=settings.level_of), own

    def fingerprint(self) -> Fingerprint:
        """What changes when a file does. For a thread."""
        return tuple(_prints([*sorted(self.folder.glob("*.yaml")), self.own]))

    def with_own_of_now(self, seen: Fingerprint) -> Fingerprint:
        """`seen`, but for the operator's own words, which we have just written. For a thread."""
        return tuple(row for row in seen if row[0] != str(self.own)) + tuple(_prints([self.own]))

    def lost_own(self, before: Fingerprint, now: Fingerprint) -> bool:
        """Whether the operator's own words were there before, and are gone."""
        return str(self.own) in {path for path, *_ in before} - {path for path, *_ in now}


def _prints(paths: list[Path]) -> Iterator[tuple[str, int, int]]:
    for path in paths:
        try:
            found = path.stat()
        except OSError:
            continue
        yield str(path), found.st_mtime_ns, found.st_size
