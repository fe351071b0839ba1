"""What must outlive a crash of this process, but not the show: words blocked for now, and lines that are held.

One small file that only the owner can read, written soon after a change and deleted when the show is stopped. The
launcher names each of its runs (`KITSU_SHOW`); what another one left is thrown away. Without one, nothing is kept.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from kitsu.errors import GateError
from kitsu.protocol import Author, Clock
from kitsu.safety import Why
from kitsu.safety.own import OwnList, OwnTerm
from kitsu.telemetry import log
from kitsu_orchestrator.held import HeldLine, HeldLines
from kitsu_orchestrator.lines import Job
from kitsu_orchestrator.stream import Tell

SHOW = "KITSU_SHOW"
LOST = "What was kept of this show is damaged: words that you blocked for now count no more, and held lines are gone."
NOT_KEPT = "Words blocked for now and held lines would not survive a crash: data/this_show.json cannot be written"
MAX_BYTES = 16 << 20  # far more than 500 held lines and 2,000 words need
LOOK_EVERY_S = 30.0  # for held lines whose time has run out


class Waiting(msgspec.Struct, frozen=True):
    """A held line on disk."""

    turn_id: str
    text: str
    author: Author
    conv: str
    clock: Clock
    message_id: str
    paid: int
    asked: bool
    accepted_at: int  # unix µs
    why: Why
    at: int  # unix µs
    until: float  # unix s

    @classmethod
    def of(cls, held: HeldLine, left_s: float) -> "Waiting":
        """As it is written down."""
        job = held.job
        return cls(
            job.turn_id,
            job.text,
            job.author,
            job.conv,
            job.clock,
            job.message_id,
            job.paid,
            job.asked,
            job.accepted_at,
            held.why,
            held.at,
            time.time() + left_s,
        )

    def job(self) -> Job:
        """The line, as it came in. Wants a running loop."""
        return Job(
            text=self.text,
            author=self.author,
            conv=self.conv,
            clock=self.clock,
            message_id=self.message_id,
            paid=self.paid,
            asked=self.asked,
            turn_id=self.turn_id,
            accepted_at=self.accepted_at,
        )


class Kept(msgspec.Struct, frozen=True):
    """The file."""

    show: str
    now_only: tuple[OwnTerm, ...] = ()
    held: tuple[Waiting, ...] = ()


class ThisShow:
    """Reads the file once, then keeps it up to date."""

    def __init__(self, path: Path, show: str) -> None:
        self.tell: Tell = lambda level, code, message: None
        self._path = path
        self._temporary = path.with_name(f".{path.name}.new")
        self._show = show
        self._wake = asyncio.Event()
        self._writing = threading.Lock()
        self._over = not show
        self._lost = False  # what was kept could not be taken up
        self._trouble = ""  # why the file could not be written last
        self._found = self._read()
        self._written = _key(self._found)

    @property
    def now_only(self) -> OwnList:
        """The words that were blocked for now."""
        return OwnList(self._found.now_only)

    def restore(self, lines: HeldLines) -> None:
        """Put the lines back that waited; those whose time ran out meanwhile are forgotten."""
        for waiting in self._found.held:
            lines.put_back(waiting.job(), waiting.why, waiting.until - time.time(), waiting.at)

    def changed(self) -> None:
        """Write soon."""
        self._wake.set()

    async def keep(self, words: Callable[[], OwnList], lines: HeldLines) -> None:
        """Write what changes, until cancelled."""
        if self._lost:
            self.tell("warn", "this_show_lost", LOST)
        while not self._over:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._wake.wait()
            self._wake.clear()
            held = tuple(Waiting.of(line, left_s) for line, left_s in lines.waiting())
            kept = Kept(self._show, words().blocked, held)
            if _key(kept) != self._written:
                self._complain(await asyncio.to_thread(self._write, kept))

    def forget(self) -> None:
        """The show is over: nothing is kept any more."""
        with self._writing:
            self._over = True
            self._delete()

    def _complain(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            self.tell("warn", "this_show_not_kept", f"{NOT_KEPT} ({trouble}).")
        self._trouble = trouble

    def _read(self) -> Kept:
        try:
            with self._path.open("rb") as file:
                data = file.read(MAX_BYTES)
            kept = msgspec.json.decode(data, type=Kept)
            words = OwnList(kept.now_only)
            words.check()
        except FileNotFoundError:
            return Kept(self._show)
        except (OSError, ValueError, RecursionError, GateError) as error:  # msgspec's errors are ValueErrors
            self._lost = bool(self._show)
            log.error("this_show.lost", error=type(error).__name__)
            self._delete()
            return Kept(self._show)
        if kept.show != self._show or not self._show:
            self._delete()
            return Kept(self._show)
        return kept

    def _write(self, kept: Kept) -> str:
        """Replace the file, or delete it when there is nothing to keep; why that failed. In a thread."""
        with self._writing:
            if self._over:
                return ""
            try:
                if kept.now_only or kept.held:
                    self._replace(msgspec.json.encode(kept))
                else:
                    self._path.unlink(missing_ok=True)
            except OSError as error:
                log.error("this_show.not_written", error=error.strerror)
                return error.strerror or type(error).__name__
            self._written = _key(kept)
            return ""

    def _replace(self, data: bytes) -> None:
        self._temporary.unlink(missing_ok=True)
        binary = getattr(os, "O_BINARY", 0)
        descriptor = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | binary, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)  # no fsync: a machine that dies takes the show with it
            self._temporary.replace(self._path)
        finally:
            self._temporary.unlink(missing_ok=True)

    def _delete(self) -> None:
        for path in (self._path, self._temporary):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _key(kept: Kept) -> tuple[Any, ...]:
    """What tells one content from another."""
    return kept.now_only, tuple(waiting.turn_id for waiting in kept.held)
