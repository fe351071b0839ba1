"""The list of models that the installed coqui-tts carries (`TTS/.models.json`): which VITS voices there are, and where.

{"tts_models": {"de": {"thorsten": {"vits": {"github_rls_url": "https://…/NAME.zip", "license": …, "author": …}}}}}

It names neither sizes nor checksums. Only voices whose licence lets money be made with them are on offer.
"""

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kitsu.home import Home
from kitsu_cli.downloads.trouble import refused
from kitsu_cli.exits import Exit, VerbError
from kitsu_cli.screen import plain

NAME = ".models.json"
MAX_BYTES = 5_000_000
FREE = {  # licences, as the list writes them, that allow commercial use
    "apache 2.0": "Apache-2.0",
    "apache2": "Apache-2.0",
    "bsd-3-clause": "BSD-3-Clause",
    "cc-by-4.0": "CC-BY-4.0 (name its author)",
    "cc-by-sa 4.0": "CC-BY-SA-4.0 (name its author, share changes alike)",
    "cc0": "CC0-1.0",
    "mit": "MIT",
    "mpl": "MPL-2.0",
    "mpl 2.0": "MPL-2.0",
    "mpl2": "MPL-2.0",
}
_KEY = re.compile(r"[A-Za-z0-9_-]{1,80}")
_URL = re.compile(r"https?://[^\s?#]+/[A-Za-z0-9][A-Za-z0-9._-]{0,150}\.zip")


@dataclass(frozen=True, slots=True)
class CoquiVoice:
    """One voice, as coqui's list describes it."""

    key: str  # the name of its folder: LANGUAGE-DATASET-MODEL
    language: str
    url: str  # a zip file
    licence: str
    author: str

    @property
    def file(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def lines(self) -> tuple[str, ...]:
        """Licence and origin, for people."""
        author = f"Author: {self.author}" if self.author else "Author: not stated"
        return (f"License: {self.licence}", author, f"Source: {self.url}")


def path_in(home: Home) -> Path:
    """Where the installed coqui-tts keeps the list.

    Raises:
        VerbError: `engine_not_installed`.
    """
    site = "Lib/site-packages", "lib/python3*/site-packages"
    found = [path for where in site for path in sorted((home.coqui / "venv").glob(f"{where}/TTS/{NAME}"))]
    if not found:
        message = "Coqui is not installed here, and its list of voices comes with it. First: kitsu install coqui"
        raise VerbError(Exit.REFUSED, "engine_not_installed", message)
    return found[0]


class CoquiManifest:
    """The list, checked one voice at a time."""

    def __init__(self, data: bytes) -> None:
        """Raises:
        VerbError: `bad_manifest`.
        """
        try:
            entries = json.loads(data)["tts_models"]
            found = {f"{a}-{b}-{c}": (a, e) for a, x in entries.items() for b, y in x.items() for c, e in y.items()}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise refused("bad_manifest", f"Coqui's list of voices ({NAME}) has not the form it should have.") from None
        self._entries: dict[str, tuple[str, Any]] = found

    @classmethod
    def of(cls, home: Home) -> "CoquiManifest":
        """Of the installed coqui-tts.

        Raises:
            VerbError: `engine_not_installed`, `bad_manifest`.
        """
        try:
            with path_in(home).open("rb") as file:
                return cls(file.read(MAX_BYTES))
        except OSError as error:
            message = f"Coqui's list of voices cannot be read: {error.strerror}."
            raise VerbError(Exit.FILE, "file_not_read", message) from None

    def voices(self) -> Iterator[CoquiVoice]:
        """All voices that can be used."""
        for key in sorted(self._entries):
            try:
                yield self.voice(key)
            except VerbError:
                continue

    def voice(self, name: str) -> CoquiVoice:
        """One voice.

        Raises:
            VerbError: `no_such_voice`, `licence_restricted`, `bad_manifest`.
        """
        language, entry = self._entries.get(name, ("", None))
        if not isinstance(entry, dict):
            raise self._unknown(name)
        stated = plain(str(entry.get("license", "")))[:100] or "none"
        licence = FREE.get(stated.casefold())
        if licence is None:
            message = f"{name}: its licence is stated as {stated!r}. Kitsu fetches only what may earn money."
            raise refused("licence_restricted", message)
        if not _is_vits(name, entry):
            raise self._unknown(name)
        url = entry["github_rls_url"]
        if not _KEY.fullmatch(name) or not isinstance(url, str) or not _URL.fullmatch(url):
            raise refused("bad_manifest", f"Coqui's list describes {plain(name)!r} in a way that is refused.")
        return CoquiVoice(name, plain(language)[:20], url, licence, plain(str(entry.get("author", "")))[:100])

    def _unknown(self, name: str) -> VerbError:
        known = [key for key, (_, entry) in self._entries.items() if _is_vits(key, entry)]
        near = difflib.get_close_matches(name, known, 3)
        advice = f"Did you mean {', '.join(map(plain, near))}?" if near else "kitsu download list coqui shows all."
        return refused("no_such_voice", f"There is no coqui voice {plain(name)!r} to be had. {advice}")


def _is_vits(key: str, entry: Any) -> bool:
    """A VITS model in one zip file; what lies in a hub of models has other forms."""
    return isinstance(entry, dict) and "github_rls_url" in entry and "vits" in key.split("-", 2)[-1]
