"""Panic: the latch that survives restarts, and pressing the button over both paths.

Panic is a level. The latch file says whether it holds; a file that cannot be read counts as a panic (fail closed).
Light on purpose: `kitsu panic` must be done within 200 ms of its start.
"""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from kitsu.protocol.control import Panic
from kitsu.protocol.envelope import new_id, now_us


def pressed(by: str) -> Panic:
    """A panic that begins now."""
    return Panic(panic_id=new_id(), pressed_at=now_us(), by=by)


@dataclass(frozen=True, slots=True)
class PanicLatch:
    """`data/panic.json`: written by the orchestrator and, on the second path, by the launcher."""

    path: Path

    def read(self) -> Panic | None:
        """The panic that holds, if one does."""
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            if data is None:
                return None
            return Panic(panic_id=str(data["panic_id"]), pressed_at=int(data["pressed_at"]), by=str(data["by"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return Panic(panic_id="unreadable", pressed_at=now_us(), by="restart")

    def write(self, panic: Panic | None) -> None:
        """Replace the file in one step.

        Raises:
            OSError: the disk is full or not writable. Panic itself must not depend on this.
        """
        data = panic and {"panic_id": panic.panic_id, "pressed_at": panic.pressed_at, "by": panic.by}
        temporary = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        try:
            with temporary.open("w", encoding="utf-8") as file:
                json.dump(data, file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
        finally:
            temporary.unlink(missing_ok=True)
