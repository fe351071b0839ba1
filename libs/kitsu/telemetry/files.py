"""Log files on disk: `<service>-2026-01-31.jsonl`, then `.1.jsonl`, `.2.jsonl` … when a day's file is full."""

import re
from pathlib import Path

LOG_NAME = re.compile(r"(?P<service>[a-z_]+)-(?P<day>\d{4}-\d{2}-\d{2})(?:\.(?P<number>\d+))?\.jsonl")


def log_files(folder: Path, service: str | None = None) -> list[Path]:
    """Log files, oldest first; of one service or of all."""
    found = [(m, path) for path in folder.glob("*.jsonl") if (m := LOG_NAME.fullmatch(path.name))]
    wanted = [(m["day"], int(m["number"] or 0), path) for m, path in found if service in (None, m["service"])]
    return [path for _, _, path in sorted(wanted)]
