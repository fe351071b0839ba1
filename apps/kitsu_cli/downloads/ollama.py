"""Models of Ollama: its server downloads them itself; we ask it to, and show how far it is."""

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from kitsu_cli.downloads.fetch import PAUSES_S
from kitsu_cli.downloads.progress import Progress
from kitsu_cli.downloads.source import CONNECT_S, client_for
from kitsu_cli.downloads.trouble import AGAIN, CutError, cut_off, refused
from kitsu_cli.exits import Exit, VerbError
from kitsu_cli.screen import plain

MAX_LINE_BYTES = 1 << 20
SILENCE_S = 600.0  # checking a large model on a slow disk takes minutes without a word
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:-]{0,199}")


def pull(url: str, name: str, progress: Progress, pause: Callable[[float], None] = time.sleep) -> None:
    """Have the server at `url` download `name`. It goes on by itself where it stopped.

    Raises:
        VerbError: `bad_model_name`, `ollama_not_running`, `no_such_model`, `no_space`, `connection_cut`, `pull_failed`.
    """
    if not NAME.fullmatch(name):
        raise VerbError(Exit.USAGE, "bad_model_name", f"{plain(name)!r} is no name of a model, such as llama3.2:3b.")
    why = ""
    with client_for(url) as client:
        for wait_s in (*PAUSES_S, None):
            try:
                return _pull_once(client, url, name, progress)
            except CutError as error:
                why = str(error)
                if wait_s is not None:
                    pause(wait_s)
    raise cut_off(f"Ollama at {url}", why)


def licence_of(url: str, name: str) -> str:
    """The first line of a model's licence, as its maker wrote it; empty when the server does not tell."""
    try:
        with client_for(url) as client:
            answer = client.post(f"{url}/api/show", json={"model": name}, timeout=10.0).json()
        lines = [line.strip() for line in str(answer.get("license") or "").splitlines() if line.strip()]
    except (httpx.HTTPError, ValueError, AttributeError, RecursionError):
        return ""
    return plain(lines[0])[:160] if lines else ""


def _pull_once(client: httpx.Client, url: str, name: str, progress: Progress) -> None:
    timeout = httpx.Timeout(CONNECT_S, read=SILENCE_S)
    ended = False
    try:
        with client.stream("POST", f"{url}/api/pull", json={"model": name}, timeout=timeout) as response:
            for line in _lines(response):
                _report(line, name, progress)
                ended = ended or line.get("status") == "success"
            if response.status_code != 200:
                raise refused("pull_failed", f"Ollama refused {name} (HTTP {response.status_code}).")
    except httpx.ConnectError:
        message = f"Ollama does not answer at {url}. Install and start Ollama, then run the same command again."
        raise VerbError(Exit.NOT_RUNNING, "ollama_not_running", message) from None
    except httpx.TransportError as error:
        raise CutError(str(error) or type(error).__name__) from None
    except (httpx.InvalidURL, httpx.TooManyRedirects) as error:
        raise refused("bad_address", f"policy.ollama_url = {url} is not Ollama ({error}).") from None
    if not ended:
        raise CutError("it ended early")


def _lines(response: httpx.Response) -> Iterator[dict[str, Any]]:
    """One JSON object a line."""
    waiting = b""
    for chunk in response.iter_raw():
        *whole, waiting = (waiting + chunk).split(b"\n")
        yield from (_object(line) for line in whole if line.strip())
        if len(waiting) > MAX_LINE_BYTES:
            raise _nonsense()
    if waiting.strip():
        yield _object(waiting)


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise _nonsense() from None
    if not isinstance(found, dict):
        raise _nonsense()
    return found


def _nonsense() -> VerbError:
    return refused("pull_failed", "What answers at policy.ollama_url does not speak like Ollama.")


def _report(line: dict[str, Any], name: str, progress: Progress) -> None:
    if "error" in line:
        raise _error(name, plain(str(line["error"]))[:200])
    total, done = line.get("total"), line.get("completed", 0)
    if isinstance(total, int) and isinstance(done, int) and total > 0:
        progress.show(f"{name} {str(line.get('digest', '')).removeprefix('sha256:')[:8]}", min(done, total), total)


def _error(name: str, said: str) -> VerbError:
    """Ollama's own words, sorted."""
    low = said.lower()
    if "no space" in low or "disk full" in low or "not enough space" in low:
        return VerbError(Exit.FILE, "no_space", f"Ollama has no room for {name} ({said}). Make room and try again.")
    if "does not exist" in low or "not found" in low:
        return refused("no_such_model", f"Ollama's library has no model {name!r} ({said}).")
    if any(word in low for word in ("dial tcp", "lookup", "timeout", "eof", "connection", "retries")):
        return refused("connection_cut", f"Ollama could not reach its library ({said}). {AGAIN}")
    return refused("pull_failed", f"Ollama could not download {name}: {said}")
