"""VITS voices of coqui's: one zip file each, unpacked where the voice looks for it, as a whole or not at all."""

import json
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from kitsu.home import Home
from kitsu_cli.downloads.coqui_manifest import CoquiVoice
from kitsu_cli.downloads.fetch import Wanted, check_room, fetch, size_of
from kitsu_cli.downloads.progress import Progress
from kitsu_cli.downloads.source import Source, source_at
from kitsu_cli.downloads.trouble import GOES_ON, refused
from kitsu_cli.exits import Exit, VerbError

MODEL, CONFIG = "model.pth", "config.json"
MODEL_NAMES = ("model_file.pth", "model_file.pth.tar", MODEL, "checkpoint.pth")  # as coqui's own manager looks for it
BESIDE = {  # what may lie beside, and which of config.json's fields names it
    "speaker_ids.json": "speakers_file",
    "speaker_ids.pth": "speakers_file",
    "speakers.json": "d_vector_file",
    "speakers.pth": "d_vector_file",
    "language_ids.json": "language_ids_file",
    "scale_stats.npy": "",
    "LICENSE": "",
    "LICENSE.txt": "",
    "README.md": "",
}
MAX_ZIP_BYTES = 2_000_000_000
MAX_MODEL_BYTES = 3_000_000_000
MAX_TEXT_BYTES = 20_000_000
MAX_MEMBERS = 100
MAX_GROWTH = 30  # times the zip's own size: weights hardly pack
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class CoquiOffer:
    """A voice and its size, before anybody said yes."""

    voice: CoquiVoice
    size_bytes: int  # of the zip file
    here: bool


@contextmanager
def publisher(voice: CoquiVoice, mirror: str) -> Iterator[Source]:
    """Where the voice's file lies: at the address that coqui's list gives, or with the mirror's other files."""
    with source_at(mirror or voice.url.rpartition("/")[0]) as source:
        yield source


def offer(home: Home, voice: CoquiVoice, mirror: str) -> CoquiOffer:
    """The voice and how large it is.

    Raises:
        VerbError: see `size_of`; `too_large`.
    """
    if _whole(_folder(home, voice)):
        return CoquiOffer(voice, 0, here=True)
    with publisher(voice, mirror) as source:
        size = size_of(source, voice.file)
    if size > MAX_ZIP_BYTES:
        raise refused("too_large", f"{voice.file} is larger than {MAX_ZIP_BYTES // 1_000_000} MB; refused.")
    return CoquiOffer(voice, size, here=False)


def get(home: Home, offered: CoquiOffer, mirror: str, progress: Progress) -> bool:
    """Get and unpack it; False when it was there. `kitsu_cli.downloads.piper.alone` keeps others out of the folder.

    Raises:
        VerbError: see `fetch`; `bad_archive`. Unless the download can go on, nothing is left of it.
    """
    if offered.here:
        return False
    voice = offered.voice
    wanted = Wanted(voice.file, workshop(home) / voice.file, offered.size_bytes, "")
    fresh = workshop(home) / voice.key
    try:
        check_room(workshop(home), 2 * offered.size_bytes)  # the zip and what comes out of it
        with publisher(voice, mirror) as source:
            fetch(source, wanted, progress)
        shutil.rmtree(fresh, ignore_errors=True)
        unpack(wanted.target, fresh)
        _point_at_its_files(fresh, _folder(home, voice))
        (fresh / "LICENCE.txt").write_text("\n".join([*voice.lines, ""]), encoding="utf-8")
        _put(fresh, _folder(home, voice))
    except OSError as error:
        raise VerbError(Exit.FILE, "file_not_written", f"{fresh} cannot be written: {error.strerror}.") from None
    except VerbError as error:
        if error.code == GOES_ON:
            raise
        wanted.part.unlink(missing_ok=True)
        raise
    finally:
        wanted.target.unlink(missing_ok=True)
        shutil.rmtree(fresh, ignore_errors=True)
    return True


def workshop(home: Home) -> Path:
    """Where voices are on their way: not where the voice would take a half one for whole."""
    return home.coqui / "downloads"


def unpack(archive: Path, folder: Path) -> None:
    """What belongs to a voice, and nothing else, flat into `folder`.

    Raises:
        VerbError: `bad_archive`.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = _members(opened, archive.stat().st_size)
            folder.mkdir(parents=True)
            for name, info in members.items():
                _copy(opened, info, folder / name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, RuntimeError) as error:
        raise _bad(archive, f"it is damaged ({str(error)[:80]})") from None


def _members(opened: zipfile.ZipFile, packed_bytes: int) -> dict[str, zipfile.ZipInfo]:
    infos = [info for info in opened.infolist() if not info.is_dir()]
    archive = Path(opened.filename or "")
    if len(infos) > MAX_MEMBERS:
        raise _bad(archive, "it holds too many files")
    found: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = _name(PurePosixPath(info.filename.replace("\\", "/")).name)
        if not name:
            continue
        if name in found:
            raise _bad(archive, f"it holds {name} twice")
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG) or info.flag_bits & 1:
            raise _bad(archive, f"{name} in it is no plain file")
        limit = min(MAX_MODEL_BYTES, MAX_GROWTH * packed_bytes) if name == MODEL else MAX_TEXT_BYTES
        if info.file_size > limit:
            raise _bad(archive, f"{name} in it is too large")
        found[name] = info
    if not {MODEL, CONFIG} <= set(found):
        raise _bad(archive, "it holds no voice (model and config.json)")
    return found


def _name(name: str) -> str:
    """What a member is called here; empty: it does not belong to a voice."""
    if name in MODEL_NAMES:
        return MODEL
    return name if name == CONFIG or name in BESIDE else ""


def _copy(opened: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> None:
    """One member; the directory's size holds, whatever the packed data goes on to say."""
    left = info.file_size
    with opened.open(info) as packed, target.open("xb") as file:
        while left and (piece := packed.read(min(CHUNK_BYTES, left))):
            left -= len(piece)
            file.write(piece)
        if left or packed.read(1):
            raise zipfile.BadZipFile(f"{info.filename[:60]} is not as long as the directory says")


def _point_at_its_files(fresh: Path, final: Path) -> None:
    """config.json names files of the machine that trained it; coqui's own manager mends that in the same way."""
    path = fresh / CONFIG
    try:
        config: dict[str, Any] = json.loads(path.read_bytes())
        parts = [config, *(part for part in (config.get("model_args"),) if isinstance(part, dict))]
    except (ValueError, AttributeError, RecursionError):
        return  # with comments in it, say: coqui's reader takes more than JSON, and such a voice has one speaker
    for name, field in BESIDE.items():
        for part in parts:
            if field in part and (fresh / name).is_file():
                mended = str(final / name)
                part[field] = [mended] if isinstance(part[field], list) else mended
    path.write_text(json.dumps(config, indent=1), encoding="utf-8")


def _put(fresh: Path, final: Path) -> None:
    final.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(final, ignore_errors=True)  # a half one: a whole one was not fetched again
    fresh.replace(final)


def _folder(home: Home, voice: CoquiVoice) -> Path:
    return home.coqui / "models" / voice.key


def _whole(folder: Path) -> bool:
    return (folder / MODEL).is_file() and (folder / CONFIG).is_file()


def _bad(archive: Path, why: str) -> VerbError:
    return refused("bad_archive", f"{archive.name} is no voice of coqui's: {why}. It was thrown away.")
