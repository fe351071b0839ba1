"""A whole show with a body: real orchestrator, real clock, real worker, and the model in a VTube Studio moves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from kitsu.config import read
from kitsu.protocol import TtsAudio, TtsSynthesize, Viseme
from kitsu.worker import Process
from kitsu_orchestrator.show import Show
from kitsu_playout.worker import PlayoutWorker
from kitsu_vts.worker import VtsWorker
from tests.fakes.hub import furnish, running
from tests.fakes.vtube_studio import FakeVTubeStudio
from tests.fakes.workers import RATE_HZ, FakeBrain, FakeVoice, ids
from tests.integration.orchestrator_stack import TOKEN, serving


class MouthedVoice(FakeVoice):
    """Every chunk is an open mouth."""

    async def chunk(self, request: TtsSynthesize, ms: float, at_ms: float = 0.0) -> None:
        samples, at = round(ms * RATE_HZ / 1000), round(at_ms * RATE_HZ / 1000)
        audio = TtsAudio(
            **ids(request),
            segment=request.segment,
            chunk=round(at_ms / self.chunk_ms),
            position=at,
            rate_hz=RATE_HZ,
            visemes=(Viseme(at=at, viseme="aa"),),
        )
        await self.send(audio, b"\x01\x02" * samples)


@dataclass
class Body:
    """The show and its VTube Studio."""

    show: Show
    http: httpx.AsyncClient
    brain: FakeBrain
    studio: FakeVTubeStudio

    async def post(self, path: str, body: Any = None) -> tuple[int, Any]:
        answer = await self.http.post(path, json=body)
        return answer.status_code, answer.json()


@asynccontextmanager
async def body(folder: Path, monkeypatch: pytest.MonkeyPatch, *, enabled: bool = True) -> AsyncIterator[Body]:
    async with AsyncExitStack() as exits:
        studio = await exits.enter_async_context(FakeVTubeStudio())
        orchestrator, port = await exits.enter_async_context(serving(folder))
        (folder / "secrets").mkdir(exist_ok=True)
        token = folder / "secrets" / "token"
        token.write_text(TOKEN, encoding="ascii")
        token.chmod(0o600)
        furnish(folder, port, monkeypatch, (("vts.enabled", str(enabled).lower()), ("vts.port", studio.port)))
        http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"authorization": f"Bearer {TOKEN}"},
            trust_env=False,
            timeout=10,
        )
        await exits.enter_async_context(http)
        brain = await exits.enter_async_context(FakeBrain(port, TOKEN))
        await exits.enter_async_context(MouthedVoice(port, TOKEN))
        for worker in (PlayoutWorker(Process("playout")), VtsWorker(Process("vts"))):
            await exits.enter_async_context(running(worker))
        made = Body(orchestrator.show, http, brain, studio)
        await studio.until(lambda: made.show.vts.state.link == ("connected" if enabled else "off"))
        yield made
    read.cache_clear()


async def test_she_speaks_with_mouth_face_and_gesture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with body(tmp_path, monkeypatch) as made:
        made.brain.answers.append("[smile] Hello my friend, how are you? [wave] See you very soon, take care!")
        status, turn = await made.post("/chat", {"text": "hi", "wait": True})
        assert (status, turn["outcome"]) == (200, "spoken")
        assert max(values["MouthOpen"] for _, values in made.studio.injections) > 0.8
        assert made.studio.active() == {"smile"}
        assert made.studio.triggered == ["Wave"]
        await made.studio.until(lambda: made.studio.injections[-1][1]["MouthOpen"] == 0.0)


async def test_private_talk_moves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with body(tmp_path, monkeypatch) as made:
        made.brain.answers.append("[smile] Psst, this is between us.")
        _, turn = await made.post("/chat", {"text": "hi", "wait": True, "conv": "page:1", "clock": "offline"})
        assert turn["outcome"] == "spoken"
        assert made.studio.injections == type(made.studio.injections)()
        assert made.studio.active() == set()


async def test_panic_lists_the_body_as_an_exit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with body(tmp_path, monkeypatch) as made:
        made.brain.answers.append("[smile] " + "This is a long story about leaves. " * 10)
        await made.post("/chat", {"text": "hi"})
        await made.studio.until(lambda: made.studio.value("MouthOpen") > 0.8 and made.studio.active() == {"smile"})
        _, panic = await made.post("/control/panic", {"by": "test"})
        (row,) = [row for row in panic["exits"] if row["exit"] == "vts"]
        assert (row["state"], "face neutral" in row["detail"]) == ("confirmed", True)
        assert made.studio.value("MouthOpen") == 0.0
        assert made.studio.active() == set()
        status, error = await made.post("/vts/expr", {"word": "smile"})
        assert (status, error["error"]["code"]) == (409, "panicked")
        await made.post("/control/resume")
        assert (await made.post("/vts/expr", {"word": "smile"}))[0] == 200


async def test_orders_by_rest_are_gated_and_confirmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with body(tmp_path, monkeypatch) as made:
        status, done = await made.post("/vts/expr", {"word": "wave"})
        assert (status, done["confirmed_by"]) == (200, "hotkey event")
        assert done["latency_ms"] > 0
        for word, expected in (("glasses", 404), ("smug", 404), ("SMILE", 422), ("", 422), ("x" * 200, 422)):
            assert (await made.post("/vts/expr", {"word": word}))[0] == expected
        assert "glasses" not in made.studio.active()
        state = (await made.http.get("/vts")).json()
        assert (state["link"], state["model"], state["words"]["wave"]) == ("connected", "Fox", "hotkey Wave")
        status, state = await made.post("/vts/reset")
        assert (status, state["link"]) == (200, "connected")
        await made.studio.close()
        async with asyncio.timeout(2):  # the operator must know by then
            while (await made.http.get("/vts")).json()["link"] != "unreachable":
                pass
        status, error = await made.post("/vts/expr", {"word": "wave"})
        assert (status, error["error"]["code"]) == (503, "vts_not_connected")
        assert (await made.post("/chat", {"text": "still there?", "wait": True}))[1]["outcome"] == "spoken"


async def test_without_a_link_nothing_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with body(tmp_path, monkeypatch, enabled=False) as made:
        assert (await made.post("/chat", {"text": "hi", "wait": True}))[1]["outcome"] == "spoken"
        (service,) = [row for row in made.show.services.states() if row.role == "vts"]
        assert (service.state, "not configured" in service.reason) == ("ok", True)
        _, panic = await made.post("/control/panic")
        assert "vts" not in [row["exit"] for row in panic["exits"]]
        status, error = await made.post("/vts/expr", {"word": "smile"})
        assert (status, error["error"]["code"]) == (409, "panicked")
        assert made.studio.requests == []
