"""The base of every worker, against a hub that speaks the real wire."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from kitsu.errors import EngineError, ProtocolError
from kitsu.process import State
from kitsu.protocol import (
    Capabilities,
    HelloAccepted,
    HelloRefused,
    Message,
    PolicyDelta,
    PolicyRespond,
    Role,
    ServiceError,
    ServiceHealth,
    TtsAudio,
    encode,
)
from kitsu.protocol.frames import MAX_BINARY_BYTES
from kitsu.worker import Process, Worker
from tests.fakes.hub import FakeHub, furnish, joined, running


class RecordingProcess(Process):
    """Remembers what the launcher would be told."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.told: list[tuple[bool, State, str]] = []

    def report(self, *, ready: bool = True, state: State = "ok", reason: str = "") -> None:
        self.told.append((ready, state, reason))


class Parrot(Worker):
    """Answers each request with its prompt."""

    role: Role = "policy"  # type: ignore[misc]
    feels: tuple[State, str] | None = None

    def __init__(self, process: Process) -> None:
        super().__init__(process)
        self.joins: list[HelloAccepted] = []
        self.losses = 0

    async def start(self, stack: AsyncExitStack) -> Capabilities:
        if self.feels:
            self.feel(*self.feels)
        return Capabilities(engine="parrot")

    async def joined(self, accepted: HelloAccepted) -> None:
        self.joins.append(accepted)

    async def lost(self) -> None:
        self.losses += 1

    def handle(self, message: Message, payload: memoryview | None) -> None:
        assert isinstance(message, PolicyRespond)
        match message.prompt:
            case "break":
                raise EngineError("model_failed", "The model is gone.")
            case "break later":
                self.tasks.create_task(self._break())
            case "feel bad":
                self.feel("degraded", "no model")
            case prompt:
                self.send(PolicyDelta(text=prompt, turn_id=message.turn_id))

    async def _break(self) -> None:
        raise EngineError("model_failed", "The model is gone.")


class UnwellParrot(Parrot):
    feels = ("degraded", "the model does not answer yet")


async def test_hello_carries_what_the_hub_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeHub() as hub:
        hub.gens = {"stage": 7}
        async with joined(Parrot, hub, tmp_path, monkeypatch) as worker:
            (hello,) = hub.hellos
            assert (hello.role, hello.name, hello.capabilities.engine) == ("policy", "policy", "parrot")
            assert hello.token == (tmp_path / "secrets" / "token").read_text().strip()
            health = await hub.expect(ServiceHealth)
            assert (health.state, set(health.queues)) == ("ok", {"control", "media"})
            assert isinstance(worker, Parrot)
            assert worker.joins[0].gens == {"stage": 7}


async def test_messages_are_answered_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeHub() as hub, joined(Parrot, hub, tmp_path, monkeypatch):
        for number in range(20):
            await hub.send(PolicyRespond(prompt=str(number)))
        await hub.expect(PolicyDelta, text="19")
        assert [delta.text for delta in hub.all(PolicyDelta)] == [str(number) for number in range(20)]


async def test_media_arrives_with_its_payload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeHub() as hub, joined(Parrot, hub, tmp_path, monkeypatch) as worker:
        await worker.send_media(TtsAudio(segment=0, chunk=0, position=0, rate_hz=48_000), b"\1\2")
        frame = await hub.expect_frame(TtsAudio)
        assert frame.payload == b"\1\2"


async def test_a_refused_hello_ends_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeHub() as hub:
        hub.refuse = ("bad_token", "Wrong token.")
        furnish(tmp_path, hub.port, monkeypatch)
        with pytest.raises(ExceptionGroup) as caught:
            async with asyncio.timeout(5):
                await Parrot(RecordingProcess("policy")).run()
        assert caught.group_contains(ProtocolError, match="bad_token: Wrong token")


async def test_a_hub_that_shows_it_the_door_ends_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeHub() as hub:
        furnish(tmp_path, hub.port, monkeypatch)
        task = asyncio.ensure_future(Parrot(RecordingProcess("policy")).run())
        await hub.send(HelloRefused(code="role_taken", message="A newer worker plays policy now."))
        with pytest.raises(ExceptionGroup) as caught:
            await task
        assert caught.group_contains(ProtocolError, match="role_taken")


@pytest.mark.parametrize("answer", [PolicyDelta(text="hello?"), ServiceError(code="x", message="y")])
async def test_another_answer_to_hello_ends_the_worker(
    answer: Message, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def serve_nonsense(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(encode(answer))

    async with serve(serve_nonsense, "127.0.0.1", 0) as server:
        furnish(tmp_path, next(iter(server.sockets)).getsockname()[1], monkeypatch)
        with pytest.raises(ExceptionGroup) as caught:
            await Parrot(RecordingProcess("policy")).run()
        assert caught.group_contains(ProtocolError, match="bad_hello")


async def test_it_comes_back_when_the_hub_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeHub() as hub, joined(Parrot, hub, tmp_path, monkeypatch) as worker:
        for count in (2, 3):
            await hub.drop()
            await hub.joins(count)
        await hub.send(PolicyRespond(prompt="still there?"))
        await hub.expect(PolicyDelta, text="still there?")
        assert isinstance(worker, Parrot)
        assert worker.losses == 2


async def test_it_waits_for_a_hub_that_starts_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeHub() as hub:
        port = hub.port
    furnish(tmp_path, port, monkeypatch)
    tries = asyncio.Event()
    waits: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        waits.append((low, high))
        if len(waits) == 3:
            tries.set()
        return low

    monkeypatch.setattr("kitsu.worker.base.random.uniform", uniform)
    process = RecordingProcess("policy")
    async with running(Parrot(process)):
        async with asyncio.timeout(5):
            await tries.wait()
        assert process.told[0] == (False, "degraded", "waiting for the hub")
        late = FakeHub()
        late.port = port
        async with late:
            await late.expect(ServiceHealth)
            assert process.told[-1] == (True, "ok", "")
    assert set(waits) == {(0.5, 1.0)}  # jitter: nobody comes back in step


async def test_what_it_felt_before_it_joined_is_not_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeHub() as hub:
        furnish(tmp_path, hub.port, monkeypatch)
        process = RecordingProcess("policy")
        async with running(UnwellParrot(process)):
            health = await hub.expect(ServiceHealth)
            assert (health.state, health.reason) == ("degraded", "the model does not answer yet")
            assert process.told[-1] == (True, "degraded", "the model does not answer yet")


async def test_a_change_of_health_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeHub() as hub, joined(Parrot, hub, tmp_path, monkeypatch):
        await hub.expect(ServiceHealth, state="ok")
        await hub.send(PolicyRespond(prompt="feel bad"))
        await hub.send(PolicyRespond(prompt="feel bad"))
        await hub.send(PolicyRespond(prompt="done"))
        await hub.expect(ServiceHealth, state="degraded", reason="no model")
        await hub.expect(PolicyDelta)
        assert len(hub.all(ServiceHealth, state="degraded")) == 1


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("", "bad_json"),
        ('{"type":"policy.respond"}', "bad_message"),
        (b"\xff\xff", "frame_truncated"),
        ("[" * 100_000, "bad_message"),
    ],
)
async def test_broken_frames_are_answered_and_survived(
    frame: str | bytes, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FakeHub() as hub, joined(Parrot, hub, tmp_path, monkeypatch):
        await hub.send_raw(frame)
        await hub.send(PolicyRespond(prompt="alive"))
        await hub.expect(ServiceError, code=code)
        await hub.expect(PolicyDelta, text="alive")
        assert len(hub.hellos) == 1


async def test_an_oversized_frame_costs_only_the_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeHub() as hub, joined(Parrot, hub, tmp_path, monkeypatch):
        await hub.send_raw(bytes(MAX_BINARY_BYTES + 1))
        await hub.joins(2)


async def test_unknown_types_are_logged_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="kitsu")
    async with FakeHub() as hub, joined(Parrot, hub, tmp_path, monkeypatch):
        for number in range(300):
            await hub.send_raw('{"type":"mind.read"}')
            await hub.send_raw(f'{{"type":"mind.read.{number}"}}')
        await hub.send(PolicyRespond(prompt="done"))
        await hub.expect(PolicyDelta)
    names = [record.__dict__["name_"] for record in caplog.records if record.message == "protocol.unknown_type"]
    assert names.count("mind.read") == 1
    assert len(names) == 100


@pytest.mark.parametrize("how", ["break", "break later"])
async def test_a_fault_in_the_worker_ends_it(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeHub() as hub:
        furnish(tmp_path, hub.port, monkeypatch)
        task = asyncio.ensure_future(Parrot(Process("policy")).run())
        await hub.send(PolicyRespond(prompt=how))
        with pytest.raises(ExceptionGroup) as caught:
            await task
        assert caught.group_contains(EngineError, match="model_failed")


async def test_a_producer_that_waits_for_the_lost_hub_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeHub() as hub, joined(Parrot, hub, tmp_path, monkeypatch) as worker:
        sound = TtsAudio(segment=0, chunk=0, position=0, rate_hz=48_000)
        await hub.drop()
        async with asyncio.timeout(5):
            for _ in range(1000):
                await worker.send_media(sound, bytes(100))
