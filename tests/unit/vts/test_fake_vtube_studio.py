"""The fake is as its documentation says; driven by pyvts as it is, which shows pyvts' faults too."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from kitsu_vts.lane import _load_pyvts
from tests.fakes.vtube_studio import FakeVTubeStudio, Hotkey, owl

pyvts = _load_pyvts()
HEAD = {"apiName": "VTubeStudioPublicAPI", "apiVersion": "1.0"}
PLUGIN = {"pluginName": "My Plugin", "pluginDeveloper": "Somebody"}


class Raw:
    """A plugin without a library."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def ask(self, kind: str, data: Any = None, **more: Any) -> dict[str, Any]:
        """A request's whole answer."""
        await self.socket.send(json.dumps({**HEAD, "requestID": "r1", "messageType": kind, "data": data, **more}))
        answer: dict[str, Any] = json.loads(await self.socket.recv())
        return answer

    async def error(self, kind: str, data: Any = None, **more: Any) -> int:
        """The error that a request gets."""
        answer = await self.ask(kind, data, **more)
        assert answer["messageType"] == "APIError", answer
        return int(answer["data"]["errorID"])

    async def log_in(self, name: str = "My Plugin") -> str:
        """Token and session."""
        who = {**PLUGIN, "pluginName": name}
        token = (await self.ask("AuthenticationTokenRequest", who))["data"]["authenticationToken"]
        answer = await self.ask("AuthenticationRequest", {**who, "authenticationToken": token})
        assert answer["data"]["authenticated"] is True
        return str(token)


@pytest.fixture
async def studio() -> AsyncIterator[FakeVTubeStudio]:
    async with FakeVTubeStudio() as made:
        yield made


@pytest.fixture
async def raw(studio: FakeVTubeStudio) -> AsyncIterator[Raw]:
    async with connect(f"ws://127.0.0.1:{studio.port}", proxy=None) as socket:
        yield Raw(socket)


async def test_state_needs_no_permission_and_ids_come_back(studio: FakeVTubeStudio, raw: Raw) -> None:
    answer = await raw.ask("APIStateRequest")
    assert (answer["messageType"], answer["requestID"]) == ("APIStateResponse", "r1")
    assert answer["data"] == {
        "active": True,
        "vTubeStudioVersion": studio.version,
        "currentSessionAuthenticated": False,
    }
    await raw.socket.send(json.dumps({**HEAD, "messageType": "APIStateRequest"}).encode())  # binary UTF-8 is read too
    assert len(json.loads(await raw.socket.recv())["requestID"]) == 36


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("{", 2),
        ("[]", 2),
        (json.dumps({"apiName": "x"}), 3),
        (json.dumps({**HEAD, "apiVersion": "2.0"}), 4),
        (json.dumps({**HEAD, "requestID": "ü", "messageType": "x"}), 5),
        (json.dumps({**HEAD, "requestID": "x" * 65, "messageType": "x"}), 5),
        (json.dumps(HEAD), 6),
        (json.dumps({**HEAD, "messageType": "DanceRequest"}), 7),
        (json.dumps({**HEAD, "messageType": "CurrentModelRequest"}), 8),
    ],
)
async def test_general_errors(raw: Raw, message: str, error: int) -> None:
    await raw.socket.send(message)
    assert json.loads(await raw.socket.recv())["data"]["errorID"] == error


@pytest.mark.parametrize(
    ("change", "error"),
    [({"pluginName": "ab"}, 52), ({"pluginDeveloper": "x" * 33}, 53), ({"pluginIcon": "bm8="}, 54), ({}, 50)],
)
async def test_the_question_and_its_refusals(
    studio: FakeVTubeStudio, raw: Raw, change: dict[str, str], error: int
) -> None:
    studio.popup = "deny"
    assert await raw.error("AuthenticationTokenRequest", PLUGIN | change) == error


async def test_one_question_at_a_time_and_the_answer_comes_with_the_click(studio: FakeVTubeStudio, raw: Raw) -> None:
    studio.popup = "hold"
    waiting = asyncio.create_task(raw.ask("AuthenticationTokenRequest", PLUGIN))
    await studio.until(lambda: studio.asking)
    async with connect(f"ws://127.0.0.1:{studio.port}", proxy=None) as socket:
        assert await Raw(socket).error("AuthenticationTokenRequest", PLUGIN) == 51
    assert not waiting.done()
    await studio.click(allow=True)
    assert len((await waiting)["data"]["authenticationToken"]) <= 64


async def test_a_wrong_token_is_no_error_but_a_missing_one_is(raw: Raw) -> None:
    answer = await raw.ask("AuthenticationRequest", PLUGIN | {"authenticationToken": "wrong"})
    assert answer["data"]["authenticated"] is False
    assert await raw.error("AuthenticationRequest", PLUGIN) == 100
    assert await raw.error("AuthenticationRequest", {"authenticationToken": "x", "pluginDeveloper": "abc"}) == 101


async def test_revoked_in_the_middle_of_a_session(studio: FakeVTubeStudio, raw: Raw) -> None:
    await raw.log_in()
    await raw.ask("ParameterCreationRequest", {"parameterName": "MyOne", "min": 0, "max": 1, "defaultValue": 0})
    await raw.ask("ParameterCreationRequest", {"parameterName": "MyOne1", "min": 0, "max": 1, "defaultValue": 0})
    assert "MyOne1" in studio.parameters.all
    studio.revoke()
    assert await raw.error("CurrentModelRequest") == 50
    assert "MyOne1" not in studio.parameters.all


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({}, 450),
        ({"parameterValues": []}, 450),
        ({"parameterValues": [{"id": "MouthOpen", "value": "1"}]}, 451),
        ({"parameterValues": [{"id": "MouthOpen", "value": 1e7}]}, 451),
        ({"parameterValues": [{"id": "MouthOpen", "value": 1, "weight": 2}]}, 452),
        ({"parameterValues": [{"id": "MouthOpen", "value": 1}, {"id": "Nose", "value": 1}]}, 453),
        ({"mode": "multiply", "parameterValues": [{"id": "MouthOpen", "value": 1}]}, 455),
    ],
)
async def test_what_may_not_be_injected(studio: FakeVTubeStudio, raw: Raw, data: dict[str, Any], error: int) -> None:
    await raw.log_in()
    assert await raw.error("InjectParameterDataRequest", data) == error
    assert studio.value("MouthOpen") == 0.0  # all or nothing


async def test_a_parameter_is_lost_after_a_second(raw: Raw, studio: FakeVTubeStudio) -> None:
    now = 100.0
    studio.parameters._now = lambda: now
    studio.parameters.all["MouthOpen"].tracked = 0.3
    await raw.log_in()
    half = {"parameterValues": [{"id": "MouthOpen", "value": 0.9, "weight": 0.5}]}
    assert (await raw.ask("InjectParameterDataRequest", half))["data"] == {}
    assert studio.value("MouthOpen") == pytest.approx(0.6)
    now += 0.99
    assert studio.value("MouthOpen") == pytest.approx(0.6)
    now += 0.02
    assert studio.value("MouthOpen") == 0.3


async def test_one_plugin_sets_a_parameter_and_any_number_adds(raw: Raw, studio: FakeVTubeStudio) -> None:
    await raw.log_in()
    value = {"parameterValues": [{"id": "MouthOpen", "value": 0.5}]}
    await raw.ask("InjectParameterDataRequest", value)
    async with connect(f"ws://127.0.0.1:{studio.port}", proxy=None) as socket:
        other = Raw(socket)
        await other.log_in("Another")
        assert await other.error("InjectParameterDataRequest", value) == 454
        await other.ask("InjectParameterDataRequest", {**value, "mode": "add"})
    assert studio.value("MouthOpen") == 1.0


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"parameterName": "abc"}, 350),
        ({"parameterName": "with space"}, 350),
        ({"parameterName": "MouthOpen"}, 354),
        ({"min": "0"}, 351),
        ({"explanation": "x" * 256}, 353),
    ],
)
async def test_parameters_that_cannot_be_created(raw: Raw, change: dict[str, Any], error: int) -> None:
    await raw.log_in()
    good = {"parameterName": "MyParam", "min": 0, "max": 1, "defaultValue": 0}
    assert await raw.error("ParameterCreationRequest", good | change) == error


async def test_expressions(raw: Raw, studio: FakeVTubeStudio) -> None:
    await raw.log_in()
    assert await raw.error("ExpressionActivationRequest", {"expressionFile": "smile", "active": True}) == 650
    assert await raw.error("ExpressionActivationRequest", {"expressionFile": "no.exp3.json", "active": True}) == 651
    await raw.ask("ExpressionActivationRequest", {"expressionFile": "smile.exp3.json", "active": True})
    assert studio.active() == {"smile"}
    assert await raw.error("ExpressionStateRequest", {"expressionFile": "no.exp3.json"}) == 601
    await studio.load(None)
    assert (await raw.ask("ExpressionStateRequest"))["data"]["expressions"] == []
    assert await raw.error("ExpressionActivationRequest", {"expressionFile": "smile.exp3.json", "active": True}) == 652


async def test_hotkeys_queue_and_cool_down(raw: Raw, studio: FakeVTubeStudio) -> None:
    await raw.log_in()
    assert studio.model is not None
    studio.model.hotkeys += [Hotkey(f"k{index}") for index in range(40)]
    studio.freeze_queue()
    assert await raw.error("HotkeyTriggerRequest", {"hotkeyID": "nothing"}) == 202
    await raw.ask("HotkeyTriggerRequest", {"hotkeyID": "wAVe"})  # a name in any case
    assert await raw.error("HotkeyTriggerRequest", {"hotkeyID": "Wave"}) == 203
    for index in range(31):
        await raw.ask("HotkeyTriggerRequest", {"hotkeyID": f"k{index}"})
    assert await raw.error("HotkeyTriggerRequest", {"hotkeyID": "k39"}) == 200
    studio.hotkeys.step()
    assert studio.triggered == ["Wave"]
    await studio.load(None)
    assert await raw.error("HotkeyTriggerRequest", {"hotkeyID": "Wave"}) == 201


async def test_events_of_model_and_hotkeys(raw: Raw, studio: FakeVTubeStudio) -> None:
    await raw.log_in()
    assert await raw.error("EventSubscriptionRequest", {"eventName": "Nothing", "subscribe": True}) == 950
    wrong = {"eventName": "ModelLoadedEvent", "subscribe": True, "config": {"modelID": ["x"]}}
    assert await raw.error("EventSubscriptionRequest", wrong) == 100_050
    for name in ("ModelLoadedEvent", "HotkeyTriggeredEvent"):
        answer = await raw.ask("EventSubscriptionRequest", {"eventName": name, "subscribe": True, "config": {}})
    assert answer["data"]["subscribedEventCount"] == 2
    await studio.press("Wave")
    event = json.loads(await raw.socket.recv())
    assert (event["messageType"], event["data"]["hotkeyName"]) == ("HotkeyTriggeredEvent", "Wave")
    await studio.load(owl())
    told = [json.loads(await raw.socket.recv())["data"] for _ in range(2)]
    assert [(one["modelLoaded"], one["modelName"]) for one in told] == [(False, "Fox"), (True, "Owl")]
    assert (await raw.ask("EventSubscriptionRequest", {"subscribe": False}))["data"]["subscribedEvents"] == []


# pyvts as it is: what kitsu_vts.lane is there for


@pytest.fixture
async def client(studio: FakeVTubeStudio, tmp_path: Path) -> AsyncIterator[Any]:
    info = {"plugin_name": "abc", "developer": "abc", "authentication_token_path": str(tmp_path / "token.txt")}
    where = {"version": "1.0", "name": "VTubeStudioPublicAPI", "port": studio.port, "host": "127.0.0.1"}
    made = pyvts.vts(plugin_info=info, vts_api_info=where)
    await made.connect()
    yield made
    await made.close()


async def test_pyvts_runs_its_token_flow(studio: FakeVTubeStudio, client: Any) -> None:
    await client.request_authenticate_token()
    assert await client.request_authenticate()
    assert (await client.request(client.vts_request.requestHotKeyList()))["data"]["modelName"] == "Fox"


async def test_pyvts_takes_an_event_for_an_answer_and_an_error_for_none(studio: FakeVTubeStudio, client: Any) -> None:
    await client.request_authenticate_token()
    await client.request_authenticate()
    await client.request(client.vts_request.eventSubscription("HotkeyTriggeredEvent", cfg={}))
    await studio.press("Wave")
    answer = await client.request(client.vts_request.requestHotKeyList())
    assert answer["messageType"] == "HotkeyTriggeredEvent"
    answer = await client.request(client.vts_request.requestTriggerHotKey("nothing"))
    assert answer["messageType"] in ("HotkeysInCurrentModelResponse", "APIError")  # raises nothing
