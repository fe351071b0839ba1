"""Whisper models for faster-whisper: a folder each at their publisher's; here as a whole or not at all."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kitsu_cli.downloads.fetch import Wanted, check_room, fetch, is_right, size_of
from kitsu_cli.downloads.progress import Progress
from kitsu_cli.downloads.source import Source
from kitsu_cli.downloads.trouble import GOES_ON, refused
from kitsu_cli.exits import VerbError

NAMES = ("tiny.en", "tiny", "base.en", "base", "small.en", "small", "medium.en", "medium", "large-v3")
LICENCE = "MIT: OpenAI's Whisper, converted for CTranslate2 by SYSTRAN"
WEIGHTS = "model.bin"
MAX_BYTES = 4_000_000_000


@dataclass(frozen=True, slots=True)
class Model:
    """One model and its files, before anybody said yes."""

    name: str
    files: tuple[tuple[str, int], ...]  # path at the publisher, bytes; the weights last

    @property
    def size_bytes(self) -> int:
        return sum(size for _, size in self.files)


def offer(source: Source, name: str) -> Model:
    """The model and how large it is.

    Raises:
        VerbError: `no_such_model`, `too_large`; see `size_of`.
    """
    if name not in NAMES:
        raise refused("no_such_model", f"There is no Whisper model {name!r}. There are: {', '.join(NAMES)}.")
    model = Model(name, tuple((path, size_of(source, path)) for path in _paths(name)))
    if model.size_bytes > MAX_BYTES:
        raise refused("too_large", f"{name} is larger than {MAX_BYTES // 1_000_000} MB; refused.")
    return model


def get(source: Source, model: Model, folder: Path, progress: Progress) -> bool:
    """Get it; False when it was there. Without its weights no recogniser takes a folder for a model.

    Raises:
        VerbError: see `fetch`. Unless the download can go on, nothing of the model is left.
    """
    here = folder / model.name
    files = [Wanted(path, here / path.rpartition("/")[2], size, "") for path, size in model.files]
    if all(is_right(wanted, wanted.target) for wanted in files):
        return False
    here.mkdir(parents=True, exist_ok=True)
    check_room(here, sum(wanted.size_bytes for wanted in files if not wanted.part.exists()))
    try:
        for wanted in files:
            fetch(source, wanted, progress)
    except VerbError as error:
        if error.code != GOES_ON:
            for wanted in files:
                wanted.part.unlink(missing_ok=True)
                wanted.target.unlink(missing_ok=True)
        raise
    return True


def _paths(name: str) -> Iterator[str]:
    """As the publisher lays them out; the weights come last."""
    root = f"faster-whisper-{name}/resolve/main"
    yield f"{root}/config.json"
    yield f"{root}/tokenizer.json"
    if name == "large-v3":
        yield f"{root}/preprocessor_config.json"
        yield f"{root}/vocabulary.json"
    else:
        yield f"{root}/vocabulary.txt"
    yield f"{root}/{WEIGHTS}"
