"""Other programs on this machine: Ollama, OBS, VTube Studio; and Twitch."""

from collections.abc import Sequence
from typing import Any

from kitsu.config import PolicySettings, home, load, read
from kitsu_cli.doctor.finding import Finding
from kitsu_cli.doctor.wire import NobodyThereError, OddAnswerError, first_message, get_json

OBS_PORT = 4455
VTS_PORT = 8001
MODELS_SHOWN = 6
ASK_VTS = {
    "apiName": "VTubeStudioPublicAPI",
    "apiVersion": "1.0",
    "requestID": "kitsu-doctor",
    "messageType": "APIStateRequest",
}


def ollama() -> Sequence[Finding]:
    """The server of language models, and what it has."""
    settings = load("policy", PolicySettings)
    url = settings.ollama_url.rstrip("/")
    needed = settings.engine == "ollama"
    try:
        version = get_json(f"{url}/api/version")
        tags = get_json(f"{url}/api/tags")
        names = [str(model["name"]) for model in tags["models"]]
        found = f"{version['version']!s:.20}"
    except NobodyThereError:
        do = "start Ollama" if needed else "optional: a language model on this machine"
        return [Finding("ollama", "broken" if needed else "off", f"does not run at {url}", do)]
    except OddAnswerError as error:
        return [Finding("ollama", "broken", f"{url} {error}", "restart Ollama, or correct policy.ollama_url")]
    except (KeyError, TypeError):
        return [Finding("ollama", "broken", f"{url} does not answer like Ollama", "correct policy.ollama_url")]
    return [_models(found, names, settings, needed=needed)]


def _models(version: str, names: list[str], settings: PolicySettings, *, needed: bool) -> Finding:
    shown = ", ".join(names[:MODELS_SHOWN]) + (f" and {len(names) - MODELS_SHOWN} more" if names[MODELS_SHOWN:] else "")
    known = {*names, *(name.removesuffix(":latest") for name in names)}
    if known.intersection(settings.models):
        return Finding("ollama", "ok", f"{version}, {shown}")
    found = f"{version}, it has {shown}, none of policy.models" if names else f"{version}, no model yet"
    return Finding("ollama", "broken" if needed else "off", found, f"kitsu download model {settings.models[0]}")


def obs() -> Sequence[Finding]:
    """Whether OBS's websocket answers. The overlay itself needs no websocket."""
    try:
        hello = first_message(OBS_PORT)
        version = hello["d"]["obsWebSocketVersion"]
        password = "with a password" if hello["d"].get("authentication") else "without a password"
    except NobodyThereError:
        found = f"does not answer on port {OBS_PORT}"
        return [Finding("obs", "off", found, "to be seen: start OBS, Tools, WebSocket Server Settings, Enable")]
    except OddAnswerError as error:
        return [Finding("obs", "broken", f"port {OBS_PORT} {error}", "restart OBS, or end what has its port")]
    except (KeyError, TypeError, AttributeError):
        return [Finding("obs", "broken", f"port {OBS_PORT} is not OBS", "end what has its port")]
    return [Finding("obs", "ok", f"websocket {version!s:.20}, {password}")]


def vtube_studio() -> Sequence[Finding]:
    """Whether VTube Studio's API answers."""
    try:
        answer: Any = first_message(VTS_PORT, ASK_VTS)
        active, version = answer["data"]["active"], answer["data"]["vTubeStudioVersion"]
    except NobodyThereError:
        found = f"does not answer on port {VTS_PORT}"
        return [Finding("vtube studio", "off", found, "to be seen: start it and allow its API (Start API)")]
    except OddAnswerError as error:
        return [Finding("vtube studio", "broken", f"port {VTS_PORT} {error}", "restart it, or end what has its port")]
    except (KeyError, TypeError):
        return [Finding("vtube studio", "broken", f"port {VTS_PORT} is not VTube Studio", "end what has its port")]
    if not active:
        return [Finding("vtube studio", "off", f"{version!s:.20}, its API is switched off", "its settings, Start API")]
    return [Finding("vtube studio", "ok", f"{version!s:.20}")]


def twitch() -> Sequence[Finding]:
    """Whether there is a login, or a channel to read. Whether Twitch still takes it, `services` says."""
    settings = read().values.get("twitch", {})
    channel, mode = str(settings.get("channel", "")), str(settings.get("mode", "auto"))
    if mode == "off":
        return [Finding("twitch", "off", "switched off: twitch.mode")]
    if mode != "anonymous" and home().twitch_file.is_file():
        return [Finding("twitch", "ok", f"logged in, for the chat of {channel or 'that account'}")]
    if channel and mode != "login":
        found = f"reads the chat of {channel}, without a login: she cannot write there"
        return [Finding("twitch", "ok", found, "to write: kitsu login twitch")]
    how = "kitsu login twitch; or only read: KITSU__TWITCH__CHANNEL=NAME in .env"
    return [Finding("twitch", "broken" if mode == "login" else "off", "no login, and no channel to read", how)]
