"""`kitsu download` for coqui: the list, and getting voices by name."""

from collections.abc import Sequence
from typing import Any

from kitsu import coqui as installed
from kitsu.config import DownloadSettings, home, load
from kitsu_cli import screen
from kitsu_cli.downloads import coqui
from kitsu_cli.downloads.agreeing import agree
from kitsu_cli.downloads.coqui_manifest import CoquiManifest, CoquiVoice
from kitsu_cli.downloads.piper import alone
from kitsu_cli.downloads.progress import Progress
from kitsu_cli.downloads.trouble import megabytes
from kitsu_cli.exits import Exit


def show_list(wanted: Sequence[str], *, as_json: bool) -> int:
    """The voices that may be used for money and can be had; those whose name begins with one of `wanted`."""
    voices = [voice for voice in CoquiManifest.of(home()).voices() if voice.key.startswith(tuple(wanted))]
    here = installed.voices(home())
    if as_json:
        screen.write_json({"voices": [_row(voice, here=voice.key in here) for voice in voices]})
        return Exit.OK
    screen.write([[(f"{'voice':<44}{'language':<14}licence", "bright_black")]])
    for voice in voices:
        sign = "  ✓ here" if voice.key in here else ""
        text = screen.fit(f"coqui/{voice.key}", 43) + " " + screen.fit(voice.language, 14)
        screen.write([[(f"{text}{voice.licence.partition(' (')[0]}{sign}", "")]])
    print(f"\n{len(voices)} voices. Get one, its licence and size are shown first: kitsu download coqui/NAME")
    return Exit.OK


def get(names: Sequence[str], *, agreed: bool, quiet: bool = False) -> list[dict[str, Any]] | None:
    """Get coqui's VITS voices; None when the person said no.

    Raises:
        VerbError: USAGE when nobody can be asked, DOWNLOAD, FILE, REFUSED.
    """
    where, mirror = home(), load("downloads", DownloadSettings).mirror
    manifest = CoquiManifest.of(where)
    offers = [coqui.offer(where, manifest.voice(name), mirror) for name in dict.fromkeys(names)]
    if not quiet:
        screen.write_note(line for offered in offers for line in _about(offered))
    if not agree(agreed, quiet=quiet):
        return None
    with alone(coqui.workshop(where)), Progress(quiet=quiet) as progress:
        rows = []
        for offered in offers:
            new = coqui.get(where, offered, mirror, progress)
            rows.append(_row(offered.voice) | {"state": "downloaded" if new else "already here"})
    if not quiet:
        screen.write_note([f"To speak with it: kitsu voice coqui/{offers[0].voice.key}"])
    return rows


def _about(offered: coqui.CoquiOffer) -> list[str]:
    voice = offered.voice
    size = "already here" if offered.here else megabytes(offered.size_bytes)
    return [f"coqui/{voice.key}  {voice.language}, {size}", *(f"  {line}" for line in voice.lines)]


def _row(voice: CoquiVoice, **more: Any) -> dict[str, Any]:
    return {"name": f"coqui/{voice.key}", "language": voice.language, "licence": list(voice.lines), **more}
