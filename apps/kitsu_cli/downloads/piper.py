"""Voices of Piper: what is on offer, and getting one as a whole or not at all."""

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kitsu.filelock import FileLock
from kitsu_cli.downloads.card import Licence, licence
from kitsu_cli.downloads.fetch import Wanted, check_room, fetch, is_right, read_small
from kitsu_cli.downloads.manifest import MAX_TEXT_BYTES, NAME, Manifest, Remote, Voice
from kitsu_cli.downloads.progress import Progress
from kitsu_cli.downloads.source import Source
from kitsu_cli.downloads.trouble import GOES_ON, refused
from kitsu_cli.exits import Exit, VerbError

MAX_MANIFEST_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Offer:
    """A voice with its card, before anybody said yes."""

    voice: Voice
    card: str
    licence: Licence


def manifest(source: Source, pauses_s: Sequence[float] | None = None) -> Manifest:
    """The publisher's list.

    Raises:
        VerbError: see `read_small`; `bad_manifest`.
    """
    return Manifest(read_small(source, NAME, MAX_MANIFEST_BYTES, pauses_s))


def offer(source: Source, voice: Voice) -> Offer:
    """The voice and what its card says.

    Raises:
        VerbError: see `read_small`; `bad_checksum`.
    """
    text = _card(source, voice.card) if voice.card else ""
    return Offer(voice, text, licence(text))


def _card(source: Source, card: Remote) -> str:
    data = read_small(source, card.path, MAX_TEXT_BYTES)
    if hashlib.md5(data, usedforsecurity=False).hexdigest() != card.md5:
        raise refused("bad_checksum", f"{card.path} did not arrive as its publisher made it (wrong checksum).")
    return data.decode("utf-8", "replace")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Make the folder, and keep a second download out of it.

    Raises:
        VerbError: `download_runs`, `file_not_written`.
    """
    lock = FileLock(folder / ".download.lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = lock.acquire()
    except OSError as error:
        raise VerbError(Exit.FILE, "file_not_written", f"{folder} cannot be written: {error.strerror}.") from None
    if not taken:
        raise VerbError(Exit.REFUSED, "download_runs", "Another `kitsu download` runs. Wait until it has ended.")
    try:
        yield
    finally:
        lock.release()


def get(source: Source, offered: Offer, folder: Path, progress: Progress) -> bool:
    """Get the voice, its description and its card; False when all was there. The model comes last: while it is
    missing, no engine takes the voice for complete.

    Raises:
        VerbError: see `fetch`. Unless the download can go on, nothing of the voice is left.
    """
    voice = offered.voice
    files = [
        Wanted(remote.path, folder / name, remote.size_bytes, remote.md5)
        for remote, name in ((voice.config, f"{voice.key}.onnx.json"), (voice.model, f"{voice.key}.onnx"))
    ]
    if all(is_right(wanted, wanted.target) for wanted in files):
        return False
    check_room(folder, sum(wanted.size_bytes for wanted in files if not wanted.part.exists()))
    new: list[Path] = []
    try:
        new += [_keep_card(offered, folder)] if offered.card else []
        for wanted in files:
            new += [wanted.target] if fetch(source, wanted, progress) else []
    except VerbError as error:
        if error.code != GOES_ON:
            for path in (*new, *(wanted.part for wanted in files)):
                path.unlink(missing_ok=True)
        raise
    return True


def _keep_card(offered: Offer, folder: Path) -> Path:
    path = folder / f"{offered.voice.key}.MODEL_CARD.txt"
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        temporary.write_text(offered.card, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise VerbError(Exit.FILE, "file_not_written", f"{path} cannot be written: {error.strerror}.") from None
    finally:
        temporary.unlink(missing_ok=True)
    return path
