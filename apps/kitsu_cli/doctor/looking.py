"""The table of checks, and looking at all of them at once."""

import threading
import time
from collections.abc import Mapping, Sequence

from kitsu.errors import ConfigError
from kitsu_cli.doctor import ears, hardware, installation, neighbours, show, voices
from kitsu_cli.doctor.finding import Check, Finding

WITHIN_S = 3.5
"""For all checks together: with Python's own start the command returns within 5 s, whatever hangs."""

CHECKS: dict[str, Check] = {
    "python": installation.python,
    "home": installation.writable,
    "disk": installation.disk,
    "settings": installation.settings,
    "token": installation.token,
    "pages": installation.pages,
    "node": installation.node,
    "libraries": hardware.libraries,
    "sound": hardware.sound,
    "gpu": hardware.gpu,
    "voices": voices.all_voices,
    "vote": installation.vote,
    "ears": ears.ears,
    "ollama": neighbours.ollama,
    "obs": neighbours.obs,
    "vtube studio": neighbours.vtube_studio,
    "twitch": neighbours.twitch,
    "services": show.services,
    **{f"port of {name}": show.port_of(name) for name in show.PORTS},
}
"""In an order in which the first broken one explains the later ones."""


def findings(checks: Mapping[str, Check] = CHECKS, within_s: float = WITHIN_S) -> list[Finding]:
    """What every check found. One that hangs or fails is a finding too; the others do not wait for it."""
    answers: dict[str, Sequence[Finding]] = {}
    threads = [threading.Thread(target=_look, args=(*item, answers), daemon=True) for item in checks.items()]
    deadline = time.monotonic() + within_s
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0.0))
    late = f"no answer within {within_s:g} s"
    return [row for name in checks for row in answers.get(name) or [Finding(name, "broken", late, "look again later")]]


def _look(name: str, check: Check, answers: dict[str, Sequence[Finding]]) -> None:
    try:
        answers[name] = check()
    except ConfigError:
        answers[name] = [Finding(name, "off", "not looked at while a setting is wrong", "see settings")]
    except Exception as error:  # noqa: BLE001 - a doctor that stumbles over one illness must still see the others
        answers[name] = [Finding(name, "broken", f"the check itself failed: {error!r}", "please report it")]
