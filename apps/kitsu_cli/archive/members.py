"""What a backup may hold, how large each may be, and where it belongs.

manifest.json             what this is, and every other member's size and checksum
settings/kitsu.yaml       KITSU_HOME/configs/kitsu.yaml, when it says more than the defaults
settings/env              KITSU_HOME/.env
characters/NAME.yaml      configs/characters/NAME.yaml
data/kitsu.db             the database
secrets/NAME              only with --with-secrets
"""

import re
from dataclasses import dataclass
from pathlib import Path

from kitsu.home import Home
from kitsu_cli.exits import Exit, VerbError

FORMAT = 1
MANIFEST = "manifest.json"
SETTINGS = "settings/kitsu.yaml"
ENV = "settings/env"
DATABASE = "data/kitsu.db"
MAX_MEMBERS = 1000
MAX_TOTAL_BYTES = 8 << 30
MAX_TEXT_BYTES = 1 << 20
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?")  # names that Windows gives to devices


@dataclass(frozen=True, slots=True)
class _Kind:
    name: re.Pattern[str]
    max_bytes: int


_KINDS = (
    _Kind(re.compile(re.escape(MANIFEST)), MAX_TEXT_BYTES),
    _Kind(re.compile(re.escape(SETTINGS)), MAX_TEXT_BYTES),
    _Kind(re.compile(re.escape(ENV)), MAX_TEXT_BYTES),
    _Kind(re.compile(r"characters/[a-z0-9_-]{1,40}\.yaml"), MAX_TEXT_BYTES),
    _Kind(re.compile(re.escape(DATABASE)), 4 << 30),
    _Kind(re.compile(r"secrets/[a-z0-9][a-z0-9_-]{0,40}(\.[a-z0-9]{1,8})?"), 64 << 10),
)


def max_bytes(name: str) -> int | None:
    """How large a member of that name may be; None when there may be none."""
    if _RESERVED.fullmatch(name.rpartition("/")[2]):
        return None
    return next((kind.max_bytes for kind in _KINDS if kind.name.fullmatch(name)), None)


def target(where: Home, name: str) -> Path:
    """Where a member belongs. `name` passed `max_bytes`."""
    folder, _, rest = name.partition("/")
    match folder:
        case "characters":
            return where.configs / "characters" / rest
        case "secrets":
            return where.secrets / rest
        case "data":
            return where.data / rest
        case _:
            return where.env_file if name == ENV else where.root / "configs" / "kitsu.yaml"


def bad_archive(path: Path, why: str) -> VerbError:
    """It is not what `kitsu backup` writes."""
    return VerbError(Exit.FILE, "bad_archive", f"{path} is refused: {why}. Nothing was changed.")


def unwritable(path: Path, error: OSError) -> VerbError:
    """A file could not be written."""
    return VerbError(Exit.FILE, "file_not_written", f"{path} cannot be written: {error.strerror or error}.")
