"""Other programs on this machine: Ollama, OBS, VTube Studio; and Twitch."""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from kitsu.config import PolicySettings, home, load, read, section_type
from kitsu_cli.doctor.finding import Finding, State
from kitsu_cli.doctor.wire import NobodyThereError, OddAnswerError, first_message, get_json

OBS_PORT = 4455
MODELS_SHOWN = 6
ENABLE_VTS = "KITSU__VTS__ENABLED=true in .env, kitsu restart vts, click Allow in VTube Studio"
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
    """Whether OBS's websocket answers, and takes our password. The overlay itself needs no websocket."""
    settings = read().values.get("obs", {})
    port, password = int(settings.get("port", OBS_PORT)), str(settings.get("password", ""))
    try:
        hello = first_message(port)["d"]
        version, challenge = hello["obsWebSocketVersion"], hello.get("authentication")
    except NobodyThereError:
        found = f"does not answer on port {port}"
        return [Finding("obs", "off", found, "to be seen: start OBS, Tools, WebSocket Server Settings, Enable")]
    except OddAnswerError as error:
        return [Finding("obs", "broken", f"port {port} {error}", "restart OBS, or end what has its port")]
    except (KeyError, TypeError, AttributeError):
        return [Finding("obs", "broken", f"port {port} is not OBS", "end what has its port")]
    found = f"websocket {version!s:.20}, {'with' if challenge else 'without'} a password"
    if not password:
        how = "its password (Show Connect Info)" if challenge else "the line KITSU__OBS__CONNECT=always"
        do = f"put {how} into .env{' as KITSU__OBS__PASSWORD' if challenge else ''}, then: kitsu restart obs"
        wanted = settings.get("connect") == "always" and not challenge
        return [Finding("obs", "ok" if wanted else "off", f"{found}; not connected", "" if wanted else do)]
    return [_obs_signed_in(port, password, found)]


def _obs_signed_in(port: int, password: str, found: str) -> Finding:
    try:
        identified = first_message(port, then=lambda hello: {"op": 1, "d": _identify(hello["d"], password)})["op"] == 2
    except (NobodyThereError, OddAnswerError, KeyError, TypeError, AttributeError):
        identified = False
    if not identified:
        do = "copy it again from OBS into KITSU__OBS__PASSWORD in .env, then: kitsu restart obs"
        return Finding("obs", "broken", f"{found}, and not the one in .env", do)
    return Finding("obs", "ok", f"{found}; it takes ours")


def _identify(hello: dict[str, Any], password: str) -> dict[str, Any]:
    """obs-websocket's sign-in: base64(sha256(base64(sha256(password + salt)) + challenge))."""
    if "authentication" not in hello:
        return {"rpcVersion": 1, "eventSubscriptions": 0}
    salt, challenge = str(hello["authentication"]["salt"]), str(hello["authentication"]["challenge"])
    secret = b64encode(sha256((password + salt).encode()).digest())
    proof = b64encode(sha256(secret + challenge.encode()).digest()).decode()
    return {"rpcVersion": 1, "eventSubscriptions": 0, "authentication": proof}


def vtube_studio() -> Sequence[Finding]:
    """Whether VTube Studio's API answers, and whether Kitsu is told to move its model."""
    settings: Any = load("vts", section_type("vts"))
    port = settings.port
    try:
        answer: Any = first_message(port, ASK_VTS)
        active, version = answer["data"]["active"], answer["data"]["vTubeStudioVersion"]
    except NobodyThereError:
        do = "start it, and switch on Start API in its settings" + ("" if settings.enabled else f"; then {ENABLE_VTS}")
        state: State = "broken" if settings.enabled else "off"
        return [Finding("vtube studio", state, f"does not answer on port {port}", do)]
    except OddAnswerError as error:
        return [Finding("vtube studio", "broken", f"port {port} {error}", "restart it, or end what has its port")]
    except (KeyError, TypeError):
        return [Finding("vtube studio", "broken", f"port {port} is not VTube Studio", "end what has its port")]
    if not active:
        state = "broken" if settings.enabled else "off"
        return [Finding("vtube studio", state, f"{version!s:.20}, its API is switched off", "its settings, Start API")]
    if not settings.enabled:
        return [Finding("vtube studio", "off", f"{version!s:.20}, Kitsu does not use it", f"to use it: {ENABLE_VTS}")]
    return [Finding("vtube studio", "ok", f"{version!s:.20}", "kitsu vts status shows what its model can do")]


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
