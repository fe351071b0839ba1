"""An Ollama server on a real socket, well-behaved or not, written from its documented wire (docs/api.md).

async with FakeOllama() as ollama:
    ollama.reply = ["Hello", " there"]
    ollama.script(cut_after(1))       # the next request to /api/chat with messages; later ones get `reply`
"""

import asyncio
import json
import re
from collections import deque
from collections.abc import Sequence
from typing import Any, Self

from tests.fakes.ollama_exchange import CREATED_AT, Exchange, Script

SIZE = 4_683_075_271  # bytes of a model's weights
STUB_SIZE = 384  # of a model that runs in Ollama's cloud: only its description lies here
_DURATION = re.compile(r"[-+]?(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+")


class FakeOllama:
    """`chats` are the decoded bodies of /api/chat, `calls` the method and path of everything that came."""

    def __init__(self, *models: str, port: int = 0) -> None:
        self.models: dict[str, int] = dict.fromkeys(models or ("llama3.1:8b",), SIZE)
        self.thinking: set[str] = set()  # models that can think
        self.strict_about_think = False  # refuses `think` at all where a model cannot
        self.reply: Sequence[str] = ("Hello", " there", ",", " friend", ".")
        self.structured = '{"mood": "happy"}'
        self.loaded: set[str] = set()
        self.chats: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.connections = 0
        self.aborted = asyncio.Event()
        self.asked = asyncio.Event()
        self.tags_script: Script | None = None
        self.load_script: Script | None = None
        self.port = port
        self._scripts: deque[Script] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def script(self, *scripts: Script) -> None:
        """How the next asks are answered, one script each."""
        self._scripts.extend(scripts)

    def forget(self) -> None:
        """Start counting anew."""
        self.chats.clear()
        self.calls.clear()
        self.asked.clear()
        self.aborted.clear()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Be gone, with every open connection."""
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                lengths = [int(line[15:]) for line in head.splitlines() if line.lower().startswith("content-length:")]
                body = await reader.readexactly(lengths[0] if lengths else 0)
                method, path, _ = head.split(" ", 2)
                exchange = Exchange(self, reader, writer)
                self.calls.append(f"{method} {path}")
                await self._route(method, path, body, exchange)
                if exchange.closes:
                    return
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client went, or the test is over
        finally:
            writer.close()

    async def _route(self, method: str, path: str, body: bytes, exchange: Exchange) -> None:
        routes = {
            "/": ("GET", self._root),
            "/api/version": ("GET", self._version),
            "/api/tags": ("GET", self._tags),
            "/api/chat": ("POST", self._chat),
            "/api/pull": ("POST", self._pull),
        }
        if path not in routes:
            await exchange.text(404, "404 page not found")
        elif routes[path][0] != method:
            await exchange.text(405, "405 method not allowed")
        elif method == "POST" and not body:
            await exchange.refuse(400, "missing request body")
        elif method == "POST" and not _take(body, exchange):
            await exchange.refuse(400, "invalid character looking for beginning of value")
        else:
            await routes[path][1](exchange)

    async def _root(self, exchange: Exchange) -> None:
        await exchange.text(200, "Ollama is running")

    async def _version(self, exchange: Exchange) -> None:
        """docs/api.md, Version."""
        await exchange.object({"version": "0.12.6"})

    async def _tags(self, exchange: Exchange) -> None:
        """docs/api.md, List Local Models."""
        if self.tags_script is not None:
            await self.tags_script(exchange)
            return
        await exchange.object({"models": [_listed(_full(name), size) for name, size in self.models.items()]})

    async def _pull(self, exchange: Exchange) -> None:
        """docs/api.md, Pull a Model: a manifest, layers, checks, success."""
        if not exchange.model:
            await exchange.refuse(400, "model is required")
            return
        await exchange.head()
        layer = {"status": "pulling 8eeb52dfb3bb", "digest": "sha256:8eeb52dfb3bb", "total": SIZE}
        for step in ({"status": "pulling manifest"}, layer, {**layer, "completed": SIZE}):
            await exchange.line(step)
        for status in ("verifying sha256 digest", "writing manifest", "success"):
            await exchange.line({"status": status})
        self.models[exchange.model] = SIZE
        await exchange.over()

    async def _chat(self, exchange: Exchange) -> None:
        self.chats.append(exchange.body)
        refusal = self._refusal(exchange)
        if refusal is not None:
            await exchange.refuse(*refusal)
        elif not exchange.body.get("messages"):
            await self._load(exchange)
        else:
            self.asked.set()
            self.loaded.add(_full(exchange.model))
            await (self._scripts.popleft() if self._scripts else self._answer)(exchange)

    def _refusal(self, exchange: Exchange) -> tuple[int, str] | None:
        """What the service does not take: status and text, as its chat handler has them."""
        body, model = exchange.body, exchange.model
        if not model:
            return 400, "model is required"
        if isinstance(keep_alive := body.get("keep_alive"), str) and not _DURATION.fullmatch(keep_alive):
            return 400, f'time: invalid duration "{keep_alive}"'
        if _full(model) not in map(_full, self.models):
            return 404, f"model '{model}' not found"
        think = body.get("think")
        if not isinstance(think, bool | None) and think not in ("low", "medium", "high", "max"):
            return 400, f'invalid think value: "{think}"'
        if (think or (self.strict_about_think and think is not None)) and model not in self.thinking:
            return 400, f'"{model}" does not support thinking'
        if body.get("format") not in (None, "", "json") and not isinstance(body["format"], dict):
            return 500, 'invalid format; expected "json" or a valid JSON Schema object'
        return None

    async def _load(self, exchange: Exchange) -> None:
        """docs/api.md, Load a model and Unload a model: empty messages, and keep_alive 0 to unload."""
        if self.load_script is not None:
            await self.load_script(exchange)
            return
        unload = exchange.body.get("keep_alive") in (0, "0", "0s")
        (self.loaded.discard if unload else self.loaded.add)(_full(exchange.model))
        reason = "unload" if unload else "load"
        message = {"role": "assistant", "content": ""}
        answer = {"model": exchange.model, "created_at": CREATED_AT, "message": message}
        await exchange.object({**answer, "done_reason": reason, "done": True})

    async def _answer(self, exchange: Exchange) -> None:
        """docs/api.md, Structured outputs (`format`), and docs/modelfile, num_predict: the most tokens."""
        reply = [self.structured] if isinstance(exchange.body.get("format"), dict) else list(self.reply)
        most = exchange.body.get("options", {}).get("num_predict", -1)
        said = reply if most < 0 else reply[:most]
        thoughts = exchange.model in self.thinking and exchange.body.get("think") is not False
        await speak(said, "stop" if said == reply else "length", thoughts=("Hm", "...") if thoughts else ())(exchange)


def _take(body: bytes, exchange: Exchange) -> bool:
    """Whether the body is a JSON object."""
    try:
        exchange.body = json.loads(body)
    except ValueError:
        return False
    return isinstance(exchange.body, dict)


def _full(model: str) -> str:
    """docs/api.md, Model names: the tag is optional and defaults to latest."""
    return model if ":" in model else f"{model}:latest"


def _listed(model: str, size: int) -> dict[str, Any]:
    details = {"parent_model": "", "format": "gguf", "family": "llama", "families": ["llama"]}
    return {
        "name": model,
        "model": model,
        "modified_at": "2025-05-04T17:37:44.706015396-07:00",
        "size": size,
        "digest": "a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72",
        "details": {**details, "parameter_size": "8.0B", "quantization_level": "Q4_K_M"},
    }


def speak(tokens: Sequence[str], reason: str = "stop", *, thoughts: Sequence[str] = ()) -> Script:
    """A whole answer. docs/capabilities/thinking.mdx: thoughts come first, in a field of their own."""

    async def script(exchange: Exchange) -> None:
        await exchange.head()
        for thought in thoughts:
            await exchange.token(thinking=thought)
        for token in tokens:
            await exchange.token(token)
        await exchange.end(reason, len(tokens))

    return script
