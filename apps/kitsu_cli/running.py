"""Where the show that runs now is. Light: `kitsu panic` goes through here."""

import json
from dataclasses import dataclass

from kitsu.home import Home, home
from kitsu_cli.exits import Exit, VerbError
from kitsu_cli.rest import Door

NAMES = ("orchestrator", "launcher", "control")


@dataclass(frozen=True, slots=True)
class Doors:
    """The three doors that verbs talk to."""

    orchestrator: Door
    launcher: Door
    control: Door


def doors() -> Doors:
    """The doors of this home's show: as its launcher noted them, else as the settings say.

    Raises:
        VerbError: NOT_RUNNING when there is no token: nothing was ever started here.
        ConfigError: a setting is wrong.
    """
    where = home()
    token = _token(where)
    urls = _noted(where) or _configured()
    return Doors(*(Door(f"the {name}", urls[name], token) for name in NAMES))


def _token(where: Home) -> str:
    """The token as it stands. Whether its file is as private as it should be is for `start` and `doctor` to say."""
    try:
        return where.token_file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise VerbError(
            Exit.NOT_RUNNING, "not_running", f"Kitsu was never started in {where.root}. Run: kitsu start"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise VerbError(Exit.SETTINGS, "bad_token_file", f"{where.token_file} cannot be read: {error}") from None


def _noted(where: Home) -> dict[str, str] | None:
    """Addresses from the running launcher: they stay right when the settings were changed since it started."""
    try:
        urls = json.loads(where.running_file.read_text(encoding="utf-8"))["urls"]
        found = {name: str(urls[name]) for name in NAMES}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if all(url.startswith("http://") for url in found.values()) else None


def _configured() -> dict[str, str]:
    from kitsu.config import NetworkSettings, load

    network = load("network", NetworkSettings)
    return {
        "orchestrator": network.orchestrator_url,
        "launcher": network.launcher_url,
        "control": network.control_url,
    }
