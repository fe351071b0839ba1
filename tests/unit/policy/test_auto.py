"""The choice between Ollama and her own lines, as the hub and the operator see it."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kitsu.config import PolicySettings
from kitsu.errors import ConfigError, EngineError
from kitsu.protocol import (
    Intent,
    PolicyDelta,
    PolicyFailed,
    PolicyFinished,
    PolicyPrepare,
    PolicyRespond,
    ServiceError,
    ServiceHealth,
)
from kitsu_policy.brain import Piece
from kitsu_policy.engines import make
from kitsu_policy.engines.auto import AutoBrain
from kitsu_policy.worker import PolicyWorker
from tests.fakes.hub import FakeHub, joined
from tests.fakes.ollama import STUB_SIZE, FakeOllama
from tests.fakes.ollama_exchange import Exchange, Script
from tests.fakes.ollama_faults import cut_after, error_after, hang_after, page, refuse, unloaded

KITSU = PolicyPrepare(
    character="Kitsu", system="You are Kitsu.", intents={"fallback": Intent(lines=("A line here.", "One there."))}
)
OWN_LINES = KITSU.intents["fallback"].lines
MODELS = "Hello there, friend."


class Heard:
    """What a brain's owner hears of it."""

    def __init__(self, brain: AutoBrain) -> None:
        self.errors: list[EngineError] = []
        self._brain = brain
        self._changed = asyncio.Event()
        brain.on_change = self._changed.set
        brain.on_error = self.errors.append

    async def until(self, engine: str, within_s: float = 2.0) -> None:
        """Wait until another engine answers, as the brain itself tells."""
        async with asyncio.timeout(within_s):
            while self._brain.active.name != engine:
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def ready(url: str, *, first_look_s: float = 5, **settings: Any) -> AsyncIterator[tuple[AutoBrain, Heard]]:
    """A brain that has looked once and knows its character."""
    async with AsyncExitStack() as stack:
        chosen = PolicySettings(ollama_url=url, **settings)
        brain = AutoBrain(chosen, look_every_s=0.02, first_look_s=first_look_s)
        heard = Heard(brain)
        await brain.load(stack)
        brain.prepare(KITSU)
        yield brain, heard


async def hear(brain: AutoBrain, **fields: Any) -> tuple[str, set[str]]:
    """An answer, and who gave it."""
    request = PolicyRespond(**{"prompt": "viewer: hi", "plain": "hi", **fields})
    async with aclosing(brain.answer(request)) as pieces:
        heard = [piece async for piece in pieces]
    assert [piece.end for piece in heard].count("stop") == 1
    return "".join(piece.text for piece in heard), {piece.engine for piece in heard}


async def test_ollama_when_it_is_there() -> None:
    async with FakeOllama() as ollama, ready(ollama.url) as (brain, _):
        assert (brain.active.name, brain.note, brain.trouble) == ("ollama", "llama3.1:8b by Ollama", "")
        assert brain.active.features == ()
        assert await hear(brain) == (MODELS, {"ollama"})


async def test_her_own_lines_while_nothing_is_there() -> None:
    async with FakeOllama() as ollama:
        url = ollama.url
    async with ready(url) as (brain, heard):
        assert brain.note == f"demo brain: her own lines; no Ollama answers at {url.removeprefix('http://')}"
        assert (brain.active.name, brain.active.features, brain.trouble) == ("scripted", ("demo",), "")
        text, engines = await hear(brain)
        assert (text in OWN_LINES, engines, heard.errors) == (True, {"scripted"}, [])


async def test_up_when_it_appears_and_down_when_it_goes() -> None:
    async with FakeOllama() as ollama:
        port = ollama.port
    async with ready(f"http://127.0.0.1:{port}") as (brain, heard):
        async with FakeOllama(port=port):
            await heard.until("ollama")
            assert await hear(brain) == (MODELS, {"ollama"})
        await heard.until("scripted")
        assert "no Ollama answers" in brain.note
        assert "no language model any more" in brain.trouble
        async with FakeOllama(port=port):
            await heard.until("ollama")
            assert brain.trouble == ""


async def test_a_model_that_is_pulled_is_noticed() -> None:
    async with FakeOllama("phi:latest") as ollama, ready(ollama.url) as (brain, heard):
        assert "ollama pull llama3.1:8b" in brain.note
        assert (brain.active.name, brain.trouble) == ("scripted", "")
        ollama.models["llama3:8b"] = 4_000_000_000
        await heard.until("ollama")
        assert brain.note == "llama3:8b by Ollama"


async def test_a_model_that_runs_elsewhere_is_not_chosen() -> None:
    async with FakeOllama() as ollama:
        ollama.models["llama3.1:8b"] = STUB_SIZE
        async with ready(ollama.url) as (brain, _):
            assert brain.active.name == "scripted"
        assert not ollama.chats


async def test_a_remote_ollama_is_not_asked() -> None:
    async with ready("http://192.0.2.1:11434") as (brain, _):
        assert brain.active.name == "scripted"
        assert "policy.engine = ollama" in brain.note
        assert (await hear(brain))[1] == {"scripted"}


async def test_something_else_at_its_port() -> None:
    async with FakeOllama() as ollama:
        ollama.tags_script = page()
        async with ready(ollama.url) as (brain, heard):
            assert "does not speak as an Ollama does" in brain.note
            assert (await hear(brain))[1] == {"scripted"}
            assert heard.errors == []


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (refuse(500, "out of memory"), "model_error"),
        (refuse(429, "slow down"), "model_busy"),
        (error_after(0), "model_error"),
        (cut_after(0), "model_cut"),
        (hang_after(0), "model_timeout"),
        (page(), "bad_stream"),
        (unloaded(), "model_unloaded"),
    ],
)
async def test_an_answer_that_fails_before_its_first_word_is_hers(script: Script, code: str) -> None:
    async with FakeOllama() as ollama, ready(ollama.url, first_token_timeout_s=0.2) as (brain, heard):
        ollama.script(script)
        text, engines = await hear(brain)
        assert (text in OWN_LINES, engines) == (True, {"scripted"})
        assert [error.code for error in heard.errors] == [code]
        assert "her own lines answer" in heard.errors[0].message
        assert brain.active.name == "scripted"
        assert brain.trouble
        await heard.until("ollama")
        assert brain.trouble == ""
        assert await hear(brain) == (MODELS, {"ollama"})


async def test_an_answer_that_fails_after_its_first_word_is_not_given_twice() -> None:
    async with FakeOllama() as ollama, ready(ollama.url) as (brain, heard):
        ollama.script(error_after(2))
        answer = brain.answer(PolicyRespond(prompt="hi", plain="hi"))
        pieces = [await anext(answer), await anext(answer)]
        with pytest.raises(EngineError, match="model_error"):
            await anext(answer)
        assert pieces == [Piece(" 0", engine="ollama"), Piece(" 1", engine="ollama")]
        assert len(heard.errors) == 1


async def test_a_form_is_not_filled_in_with_her_own_lines() -> None:
    async with FakeOllama() as ollama, ready(ollama.url) as (brain, _):
        ollama.script(refuse(500, "oops"))
        with pytest.raises(EngineError, match="model_error"):
            await hear(brain, schema="{}")


async def test_a_form_that_is_none_is_no_reason_to_leave_the_model() -> None:
    async with FakeOllama() as ollama, ready(ollama.url) as (brain, heard):
        with pytest.raises(EngineError, match="bad_schema"):
            await hear(brain, schema="{")
        assert (brain.active.name, heard.errors) == ("ollama", [])


async def test_a_model_that_fails_again_and_again_gets_longer_pauses() -> None:
    async with FakeOllama() as ollama, ready(ollama.url) as (brain, heard):
        pauses = []
        for _ in range(4):
            ollama.script(refuse(500, "oops"))
            await hear(brain)
            begin = asyncio.get_running_loop().time()
            await heard.until("ollama")
            pauses.append(asyncio.get_running_loop().time() - begin)
        assert [later > 0.02 * 2**n * 0.9 for n, later in enumerate(pauses, 1)] == [True] * 4


async def test_a_model_that_loads_for_long_does_not_hold_up_the_start() -> None:
    loaded = asyncio.Event()

    async def slowly(exchange: Exchange) -> None:
        await loaded.wait()
        await unloaded("load")(exchange)

    async with FakeOllama() as ollama:
        ollama.load_script = slowly
        async with ready(ollama.url, first_look_s=0.1) as (brain, heard):
            assert "not ready yet" in brain.note
            assert (await hear(brain))[1] == {"scripted"}
            loaded.set()
            await heard.until("ollama")


async def test_not_prepared_is_no_reason_to_leave_the_model() -> None:
    async with FakeOllama() as ollama, AsyncExitStack() as stack:
        brain = AutoBrain(PolicySettings(ollama_url=ollama.url))
        await brain.load(stack)
        with pytest.raises(EngineError, match="not_prepared"):
            await hear(brain)
        assert brain.active.name == "ollama"


def test_a_wrong_address_stops_the_start() -> None:
    with pytest.raises(ConfigError, match=r"policy\.ollama_url"):
        AutoBrain(PolicySettings(ollama_url="nonsense"))


NOTHING_HEAVY = """
import asyncio, sys
from contextlib import AsyncExitStack
from kitsu.config import PolicySettings
from kitsu_policy.engines import make

async def main():
    async with AsyncExitStack() as stack:
        await make(PolicySettings(ollama_url="http://127.0.0.1:9")).load(stack)

asyncio.run(main())
print(sorted({"httpx", "ollama", "pydantic", "psutil"} & set(sys.modules)))
"""


def test_without_an_ollama_nothing_heavy_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", NOTHING_HEAVY], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_without_the_package_she_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("kitsu_policy.engines.ollama")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "kitsu_policy.ollama_server", raising=False)
    monkeypatch.setitem(sys.modules, "ollama", None)
    async with FakeOllama() as ollama:
        async with ready(ollama.url) as (brain, _):
            assert "pip install kitsu[ollama]" in brain.note
            assert (await hear(brain))[1] == {"scripted"}
        with pytest.raises(ConfigError, match="engine_not_installed"):
            make(PolicySettings(engine="ollama", ollama_url=ollama.url))


async def test_the_hub_hears_of_every_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kitsu_policy.worker.make", lambda settings: AutoBrain(settings, look_every_s=0.05))
    async with FakeOllama() as ollama:
        port = ollama.port
    async with FakeHub() as hub:
        settings = (("policy.ollama_url", f"http://127.0.0.1:{port}"),)
        async with joined(PolicyWorker, hub, tmp_path, monkeypatch, settings):
            assert hub.hellos[0].capabilities.engine == "scripted"
            await hub.send(KITSU)
            async with FakeOllama(port=port) as ollama:
                await _until_engine(hub, "ollama")
                await hub.send(PolicyRespond(conv="stage", turn_id="t1", prompt="hi", plain="hi"))
                assert (await hub.expect(PolicyFinished)).engine == "ollama"
                ollama.script(refuse(500, "oops"))
                await hub.send(PolicyRespond(conv="stage", turn_id="t2", prompt="hi", plain="hi"))
                finished = await hub.expect(PolicyFinished, turn_id="t2")
                assert finished.engine == "scripted"
                assert "".join(delta.text for delta in hub.all(PolicyDelta, turn_id="t2")) in OWN_LINES
                assert (await hub.expect(ServiceError)).code == "model_error"
                await hub.expect(ServiceHealth, state="degraded")
                await _until_engine(hub, "ollama")
                ollama.script(error_after(2))
                await hub.send(PolicyRespond(conv="stage", turn_id="t3", prompt="hi", plain="hi"))
                assert (await hub.expect(PolicyFailed)).engine == "ollama"


async def _until_engine(hub: FakeHub, engine: str) -> None:
    async with asyncio.timeout(5):
        while not (told := hub.all(ServiceHealth)) or told[-1].capabilities.engine != engine:
            await hub.expect(ServiceHealth)
