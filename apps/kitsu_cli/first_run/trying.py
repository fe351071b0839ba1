"""Trying every part aloud, with one line about each."""

from argparse import Namespace
from collections.abc import Iterator, Sequence

from kitsu.config import home
from kitsu.errors import KitsuError
from kitsu_cli import asking, screen
from kitsu_cli.doctor import Finding, neighbours
from kitsu_cli.exits import Exit
from kitsu_cli.first_run.questions import Answers
from kitsu_cli.running import doors
from kitsu_cli.verbs import start

HELLO = "Hello! This is my voice. If you can hear me, we are nearly done."
QUESTION = "hello, who are you?"
TURN_S = 60.0


def try_parts(wanted: Answers) -> Iterator[Finding]:
    """Start the show, or give it the new settings; then hear her, and look for the programs that were named."""
    show = _show()
    yield show
    if show.state == "ok":
        listeners = _listeners()
        if listeners.state == "off":
            asking.answer("\nOpen the link above, click on the page once, then press Enter here: she speaks. ")
            listeners = _listeners()
        yield listeners
        yield _spoken(
            "voice", "/say", HELLO, "tts", ("spoken", "fallback"), "piper" if wanted.voice == "natural" else ""
        )
        yield _spoken("brain", "/chat", QUESTION, "policy", ("spoken",))
    if wanted.obs:
        yield from neighbours.obs()
    if wanted.vtube_studio:
        yield from neighbours.vtube_studio()
    if wanted.channel:
        yield from neighbours.twitch()


def _show() -> Finding:
    arguments = Namespace(services=[], timeout=TURN_S, foreground=False, json=False)
    try:
        launcher = start.running_launcher()
        if launcher is None:
            code = start.bring_up(arguments)
        else:
            for name in ("policy", "tts", "twitch", "vts"):
                launcher.post(f"/services/{name}/restart", timeout_s=TURN_S)
            start.report(start.until_settled(launcher, arguments, home(), None), arguments)
            code = Exit.OK
    except KitsuError as error:
        return Finding("show", "broken", error.message, "kitsu doctor")
    return Finding(
        "show", "ok" if code == Exit.OK else "broken", "runs" if code == Exit.OK else "not all of it", "kitsu logs"
    )


def _spoken(part: str, path: str, text: str, role: str, good: Sequence[str], engine_wanted: str = "") -> Finding:
    try:
        body = {"text": text, "wait": True, "timeout_s": TURN_S}
        turn = doors().orchestrator.post(path, body, timeout_s=TURN_S + 2)
        outcome, engine = str(turn["outcome"]), str(turn["engine"].get(role, "?"))
        heard, first_ms = str(turn["heard"]), float(turn["first_audio_ms"] or 0)
    except KitsuError as error:
        return Finding(part, "broken", error.message, f"kitsu logs {role}")
    except (KeyError, TypeError, ValueError, AttributeError):
        return Finding(part, "broken", "what answers is not Kitsu", "kitsu doctor")
    if outcome not in good:
        return Finding(part, "broken", f"it ended as {outcome}, {turn.get('reason')}", f"kitsu logs {role}")
    if not engine.startswith(engine_wanted):
        return Finding(part, "broken", f"{engine} spoke instead of {engine_wanted}", f"kitsu logs {role}")
    return Finding(part, "ok", f"{engine}, first sound after {first_ms:.0f} ms: “{screen.plain(heard)[:70]}”")


def _listeners() -> Finding:
    try:
        listening = bool(doors().orchestrator.get("/status").get("listening"))
    except (KitsuError, AttributeError):
        return Finding("sound", "broken", "the show does not say who listens", "kitsu status")
    if listening:
        return Finding("sound", "ok", "somebody listens: a page, the overlay or a sound device")
    return Finding(
        "sound", "off", "nobody listens yet, so you heard nothing", "open the link above, click on the page once"
    )
