"""Once, after she has spoken for the first time: `kitsu start` offers a natural voice and a language model.

What offers is imported only then: every start would wait for it.
"""

import json
import sys
import time

from kitsu.config import Home, PolicySettings, load
from kitsu.errors import KitsuError
from kitsu_cli import screen
from kitsu_cli.asking import somebody_there, yes


def offer_once(where: Home) -> None:
    """Offer what is missing, if somebody is there and she has spoken here. Whatever the answer, never again."""
    marker = where.data / "offered.json"
    if not somebody_there() or marker.exists() or not _has_spoken(where):
        return
    try:
        marker.write_text(json.dumps({"at": round(time.time())}), encoding="utf-8")
    except OSError:
        return  # it could not be remembered, and asking at every start would be worse than never
    try:
        _offer_voice(where)
        _offer_model()
    except KitsuError as error:  # the show runs: a download that failed is no failed start
        screen.write_note([error.message])


def _has_spoken(where: Home) -> bool:
    return any(where.turns.glob("*.wav"))


def _offer_voice(where: Home) -> None:
    from kitsu_cli.downloads.installed import voices
    from kitsu_cli.first_run.natural import KEY
    from kitsu_cli.verbs import download

    if voices(where.piper_voices):
        return
    sys.stderr.write(
        "\nShe speaks with the small built-in voice. There are natural ones; licence and size are shown first.\n"
    )
    if yes(f"Look at {KEY}?") and download.get_voices([KEY], agreed=False):
        screen.write_note(["It speaks after: kitsu restart tts"])


def _offer_model() -> None:
    from kitsu_cli.doctor import neighbours
    from kitsu_cli.verbs import download

    (row,) = neighbours.ollama()
    if row.state == "ok" or not row.do.startswith("kitsu download model "):
        return  # there is a model, or no Ollama
    name = load("policy", PolicySettings).models[0]
    sys.stderr.write(f"\nOllama runs and has no model for her. {name} takes some gigabytes.\n")
    if yes(f"Look at {name}?") and download.get_models([name], agreed=False):
        screen.write_note(["It answers after: kitsu restart policy"])
