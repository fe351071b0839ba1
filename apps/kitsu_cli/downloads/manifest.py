"""The publisher's list of Piper voices, `voices.json`. Whatever it says is checked before a file is touched.

{"en_US-amy-low": {"key": …, "name": …, "language": {"code": …}, "quality": …, "num_speakers": 1,
                   "files": {"en/en_US/amy/low/en_US-amy-low.onnx": {"size_bytes": …, "md5_digest": …}, …}}, …}
"""

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kitsu_cli.downloads.trouble import refused
from kitsu_cli.exits import VerbError
from kitsu_cli.screen import plain

NAME = "voices.json"
CARD = "MODEL_CARD"
MAX_MODEL_BYTES = 2_000_000_000
MAX_TEXT_BYTES = 5_000_000
_KEY = re.compile(r"\w[\w+]*(-[\w+]+)+")
_STEP = re.compile(r"\w[\w+.-]*(?<!\.)")
_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Remote:
    """One file at the publisher."""

    path: str
    size_bytes: int
    md5: str


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice, as the publisher describes it."""

    key: str
    language: str
    quality: str
    speakers: int
    model: Remote  # NAME.onnx
    config: Remote  # NAME.onnx.json
    card: Remote | None  # its licence and origin, as text

    @property
    def size_bytes(self) -> int:
        return self.model.size_bytes + self.config.size_bytes


class Manifest:
    """The list, checked one voice at a time: one odd entry must not take the others away."""

    def __init__(self, data: bytes) -> None:
        """Raises:
        VerbError: `bad_manifest`.
        """
        try:
            entries = json.loads(data)
        except (ValueError, RecursionError):
            raise refused("bad_manifest", f"The list of voices ({NAME}) is not JSON.") from None
        if not isinstance(entries, dict):
            raise refused("bad_manifest", f"The list of voices ({NAME}) has not the form that Piper's publisher uses.")
        self._entries: dict[str, Any] = entries

    def voices(self) -> Iterator[Voice]:
        """All voices that can be used."""
        for key in sorted(self._entries):
            try:
                yield self.voice(key)
            except VerbError:
                continue

    def voice(self, name: str) -> Voice:
        """One voice.

        Raises:
            VerbError: `no_such_voice`, `bad_manifest`.
        """
        if name not in self._entries:
            near = difflib.get_close_matches(name, self._entries, 3)
            advice = f"Did you mean {', '.join(map(plain, near))}?" if near else "kitsu download list shows all."
            raise refused("no_such_voice", f"There is no voice {plain(name)!r}. {advice}")
        try:
            return _voice(name, self._entries[name])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise refused(
                "bad_manifest",
                f"The publisher describes {plain(name)!r} in a way that is refused ({plain(str(error))}).",
            ) from None


def _voice(key: str, entry: Any) -> Voice:
    if not _KEY.fullmatch(key) or len(key) > 100 or entry["key"] != key:
        raise ValueError("its name")
    named: dict[str, Remote] = {}
    for path, about in entry["files"].items():
        name = path.rpartition("/")[2]
        if name in named:
            raise ValueError(f"{name} stands there twice")
        limit = MAX_MODEL_BYTES if name.endswith(".onnx") else MAX_TEXT_BYTES
        named[name] = _remote(path, about, limit)
    return Voice(
        key=key,
        language=plain(str(entry["language"]["code"]))[:20],
        quality=plain(str(entry["quality"]))[:20],
        speakers=int(entry["num_speakers"]),
        model=named[f"{key}.onnx"],
        config=named[f"{key}.onnx.json"],
        card=named.get(CARD),
    )


def _remote(path: str, about: Any, limit: int) -> Remote:
    steps = path.split("/")
    if len(path) > 300 or not all(_STEP.fullmatch(step) for step in steps):
        raise ValueError(f"the path {path[:80]!r}")
    size, md5 = about["size_bytes"], about["md5_digest"]
    if type(size) is not int or not 0 < size <= limit:
        raise ValueError(f"the size {str(size)[:30]}")
    if not isinstance(md5, str) or not _MD5.fullmatch(md5):
        raise ValueError("a checksum that is none")
    return Remote(path, size, md5)
