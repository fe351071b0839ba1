"""`kitsu download`: voices and models, each by name, after its licence and size were shown."""

from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from kitsu.config import DownloadSettings, PolicySettings, home, load
from kitsu_cli import screen
from kitsu_cli.downloads import coqui_voices, ollama, piper, whisper
from kitsu_cli.downloads.agreeing import agree
from kitsu_cli.downloads.installed import voices as installed_voices
from kitsu_cli.downloads.manifest import Voice
from kitsu_cli.downloads.progress import Progress
from kitsu_cli.downloads.source import source_at
from kitsu_cli.downloads.trouble import megabytes
from kitsu_cli.exits import Exit, VerbError

KEYS = {"voice": "voices", "model": "models", "ears": "ears"}
MODEL_NOTE = (
    "Ollama downloads it from its own library. Models have licences of their own; size and licence: its page there."
)


def run(arguments: Namespace) -> int:
    """List what there is, or get what was named."""
    if arguments.what == "list":
        of_coqui = [name.removeprefix("coqui").removeprefix("/") for name in arguments.names if _of_coqui(name)]
        if of_coqui:
            return coqui_voices.show_list(of_coqui, as_json=arguments.json)
        return show_list(arguments.names, as_json=arguments.json)
    if _of_coqui(arguments.what):
        arguments.what, arguments.names = "voice", [arguments.what, *arguments.names]
    if not arguments.names:
        message = (
            f"Name at least one {arguments.what}: kitsu download {arguments.what} NAME. All voices: kitsu download list"
        )
        raise VerbError(Exit.USAGE, "no_name", message)
    get = {"voice": get_voices, "ears": get_ears}.get(arguments.what, get_models)
    done = get(arguments.names, agreed=arguments.yes, quiet=arguments.json)
    if done is None:
        print("Nothing was downloaded.")
        return Exit.NO
    if arguments.json:
        screen.write_json({KEYS[arguments.what]: done})
    return Exit.OK


def show_list(wanted: Sequence[str], *, as_json: bool) -> int:
    """The publisher's voices, only those whose name or language begins with one of `wanted` if there are any."""
    with _publisher() as source:
        voices = [voice for voice in piper.manifest(source).voices() if _chosen(voice, wanted)]
    here = installed_voices(home().piper_voices)
    if as_json:
        screen.write_json({"voices": [_row(voice, here) for voice in voices]})
        return Exit.OK
    screen.write([[(f"{'voice':<44}{'language':<12}{'quality':<10}{'speakers':>8}{'size':>12}", "bright_black")]])
    for voice in voices:
        sign = "  ✓ here" if voice.key in here else ""
        text = screen.fit(voice.key, 44) + screen.fit(voice.language, 12) + screen.fit(voice.quality, 10)
        screen.write([[(f"{text}{voice.speakers:>8}{megabytes(voice.size_bytes):>12}{sign}", "")]])
    print(f"\n{len(voices)} voices. Get one, its licence is shown first: kitsu download voice NAME")
    print("Those of coqui (kitsu install coqui): kitsu download list coqui")
    return Exit.OK


def _chosen(voice: Voice, wanted: Sequence[str]) -> bool:
    texts = (voice.key.casefold(), voice.language.casefold())
    return not wanted or any(text.startswith(word.casefold()) for word in wanted for text in texts)


def _row(voice: Voice, here: Sequence[str]) -> dict[str, Any]:
    return {
        "name": voice.key,
        "language": voice.language,
        "quality": voice.quality,
        "speakers": voice.speakers,
        "bytes": voice.size_bytes,
        "here": voice.key in here,
    }


def get_voices(names: Sequence[str], *, agreed: bool, quiet: bool = False) -> list[dict[str, Any]] | None:
    """Get voices, Piper's and coqui's; None when the person said no.

    Raises:
        VerbError: USAGE when nobody can be asked, DOWNLOAD, FILE, REFUSED.
    """
    done: list[dict[str, Any]] = []
    for get, own in (
        (get_piper_voices, [name for name in names if not _of_coqui(name)]),
        (coqui_voices.get, [name.removeprefix("coqui/") for name in names if _of_coqui(name)]),
    ):
        rows = get(own, agreed=agreed, quiet=quiet) if own else []
        if rows is None:
            return None
        done += rows
    return done


def get_piper_voices(names: Sequence[str], *, agreed: bool, quiet: bool = False) -> list[dict[str, Any]] | None:
    """Get Piper voices; None when the person said no.

    Raises:
        VerbError: USAGE when nobody can be asked, DOWNLOAD, FILE, REFUSED.
    """
    folder = home().piper_voices
    with _publisher() as source:
        manifest = piper.manifest(source)
        offers = [piper.offer(source, manifest.voice(name)) for name in dict.fromkeys(names)]
        if not quiet:
            screen.write_note(line for offered in offers for line in _about(offered))
        if not agree(agreed, quiet=quiet):
            return None
        with piper.alone(folder), Progress(quiet=quiet) as progress:
            return [_result(offered, piper.get(source, offered, folder, progress)) for offered in offers]


def _about(offered: piper.Offer) -> list[str]:
    voice = offered.voice
    lines = [f"{voice.key}  {voice.language}, {voice.quality}, {megabytes(voice.size_bytes)}"]
    lines += [f"  {line}" for line in offered.licence.lines]
    if offered.licence.restricted:
        lines.append(
            "  ! This sounds as if money may not be made with it. A monetised stream makes money: read it first."
        )
    return lines


def _result(offered: piper.Offer, new: bool) -> dict[str, Any]:
    return {
        "name": offered.voice.key,
        "state": "downloaded" if new else "already here",
        "bytes": offered.voice.size_bytes,
        "licence": list(offered.licence.lines),
    }


def get_ears(names: Sequence[str], *, agreed: bool, quiet: bool = False) -> list[dict[str, Any]] | None:
    """Get Whisper models; None when the person said no. Raises like `get_voices`."""
    settings = load("downloads", DownloadSettings)
    with source_at(settings.mirror or settings.whisper_url) as source:
        models = [whisper.offer(source, name) for name in dict.fromkeys(names)]
        if not quiet:
            screen.write_note(f"{model.name}  {megabytes(model.size_bytes)}, {whisper.LICENCE}" for model in models)
        if not agree(agreed, quiet=quiet):
            return None
        folder = home().whisper_models
        with piper.alone(folder), Progress(quiet=quiet) as progress:
            return [
                {
                    "name": model.name,
                    "state": "downloaded" if whisper.get(source, model, folder, progress) else "already here",
                    "bytes": model.size_bytes,
                    "licence": [whisper.LICENCE],
                }
                for model in models
            ]


def get_models(names: Sequence[str], *, agreed: bool, quiet: bool = False) -> list[dict[str, Any]] | None:
    """Have Ollama get models; None when the person said no. Raises like `get_voices`, and NOT_RUNNING."""
    url = load("policy", PolicySettings).ollama_url.rstrip("/")
    if not quiet:
        screen.write_note([", ".join(map(screen.plain, names)), f"  {MODEL_NOTE}"])
    if not agree(agreed, quiet=quiet):
        return None
    done = []
    with Progress(quiet=quiet) as progress:
        for name in dict.fromkeys(names):
            ollama.pull(url, name, progress)
            done.append({"name": name, "state": "downloaded", "licence": ollama.licence_of(url, name)})
    if not quiet:
        screen.write_note(
            f"{row['name']}: {row['licence'] or 'its licence: ollama show NAME --license'}" for row in done
        )
    return done


def _of_coqui(name: str) -> bool:
    return name == "coqui" or name.startswith("coqui/")


def _publisher() -> Any:
    settings = load("downloads", DownloadSettings)
    return source_at(settings.mirror or settings.piper_url)
