"""One plugin's connection: envelope, authentication, requests."""

import base64
import binascii
import json
import re
import secrets
import struct
import time
import uuid
from typing import TYPE_CHECKING, Any

from websockets.asyncio.server import ServerConnection

from tests.fakes.vtube_studio.errors import ApiError, ErrorID
from tests.fakes.vtube_studio.model import EXPRESSION_ENDING, Model

if TYPE_CHECKING:
    from tests.fakes.vtube_studio.studio import FakeVTubeStudio

API_NAME, API_VERSION = "VTubeStudioPublicAPI", "1.0"
EVENTS = {  # Events/README, "Contents"
    "TestEvent",
    "ModelLoadedEvent",
    "TrackingStatusChangedEvent",
    "BackgroundChangedEvent",
    "ModelConfigChangedEvent",
    "ModelMovedEvent",
    "ModelOutlineEvent",
    "HotkeyTriggeredEvent",
    "ModelAnimationEvent",
    "ItemEvent",
    "ModelClickedEvent",
    "PostProcessingEvent",
    "Live2DCubismEditorConnectedEvent",
}
_OPEN = {"APIStateRequest", "AuthenticationTokenRequest", "AuthenticationRequest"}
_MODEL_ID = re.compile(r"[0-9a-f]{32}")


class Session:
    """`answer` gives the text for a frame; events are pushed by the studio."""

    def __init__(self, studio: "FakeVTubeStudio", socket: ServerConnection) -> None:
        self.studio = studio
        self.socket = socket
        self.plugin = ""
        self.developer = ""
        self.authenticated = False
        self.revoked = False
        self.events: dict[str, dict[str, Any]] = {}  # name -> config
        self._handlers = {
            "APIStateRequest": self._state,
            "AuthenticationTokenRequest": self._token,
            "AuthenticationRequest": self._authenticate,
            "CurrentModelRequest": self._current_model,
            "HotkeysInCurrentModelRequest": self._hotkeys,
            "HotkeyTriggerRequest": self._trigger,
            "ExpressionStateRequest": self._expressions,
            "ExpressionActivationRequest": self._activate,
            "InputParameterListRequest": self._parameters,
            "ParameterCreationRequest": self._create_parameter,
            "ParameterValueRequest": self._parameter_value,
            "InjectParameterDataRequest": self._inject,
            "EventSubscriptionRequest": self._subscribe,
        }

    async def answer(self, frame: str | bytes) -> str:
        """The answer to one request. README, "API Details"."""
        request_id = ""
        try:
            request = _envelope(frame)
            request_id = _request_id(request)
            kind = _kind(request)
            data = request.get("data")
            answer = await self._handle(kind, data if isinstance(data, dict) else {})
            return envelope(f"{kind.removesuffix('Request')}Response", request_id, answer)
        except ApiError as error:
            return envelope("APIError", request_id, {"errorID": int(error.error), "message": error.message})

    async def _handle(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        handler = self._handlers.get(kind)
        if handler is None:
            raise ApiError(ErrorID.RequestTypeUnknown, f"There is no request type {kind}.")
        if not self.studio.allowed and kind != "APIStateRequest":
            raise ApiError(ErrorID.APIAccessDeactivated, "The user has deactivated API access.")
        if kind not in _OPEN:
            if (
                self.revoked
            ):  # README, "Authentication": "you will also get this error when trying to send any requests"
                raise ApiError(ErrorID.TokenRequestDenied, "User has denied API access for your plugin.")
            if not self.authenticated:
                raise ApiError(ErrorID.RequestRequiresAuthetication, "This request requires authentication.")
        self.studio.requests.append((kind, data))
        return await handler(data)

    async def _state(self, data: dict[str, Any]) -> dict[str, Any]:
        return {
            "active": self.studio.allowed,
            "vTubeStudioVersion": self.studio.version,
            "currentSessionAuthenticated": self.authenticated and not self.revoked,
        }

    async def _token(self, data: dict[str, Any]) -> dict[str, Any]:
        """README, "Authentication": the answer comes when the user has clicked."""
        name, developer = data.get("pluginName"), data.get("pluginDeveloper")
        if not _is_name(name):
            raise ApiError(ErrorID.TokenRequestPluginNameInvalid, "The plugin name must have 3 to 32 characters.")
        if not _is_name(developer):
            raise ApiError(ErrorID.TokenRequestDeveloperNameInvalid, "The developer must have 3 to 32 characters.")
        if data.get("pluginIcon") and not _is_icon(data["pluginIcon"]):
            raise ApiError(ErrorID.TokenRequestPluginIconInvalid, "The icon must be a PNG or JPG of 128x128 pixels.")
        if not await self.studio.ask_user(f"{name} by {developer}"):
            raise ApiError(ErrorID.TokenRequestDenied, "User has denied API access for your plugin.")
        token = secrets.token_hex(32)
        self.studio.tokens[token] = (str(name), str(developer))
        return {"authenticationToken": token}

    async def _authenticate(self, data: dict[str, Any]) -> dict[str, Any]:
        """README, "Authentication": missing fields are errors, a wrong token is `authenticated: false`."""
        token, name, developer = (data.get(key) for key in ("authenticationToken", "pluginName", "pluginDeveloper"))
        if not token:
            raise ApiError(ErrorID.AuthenticationTokenMissing, "The token is missing.")
        if not name:
            raise ApiError(ErrorID.AuthenticationPluginNameMissing, "The plugin name is missing.")
        if not developer:
            raise ApiError(ErrorID.AuthenticationPluginDeveloperMissing, "The developer is missing.")
        good = self.studio.tokens.get(str(token)) == (name, developer)
        self.authenticated, self.revoked = good, False
        self.plugin, self.developer = str(name), str(developer)
        reason = "Token valid. The plugin is authenticated for the duration of this session."
        return {"authenticated": good, "reason": reason if good else "Token invalid or revoked by user."}

    async def _current_model(self, data: dict[str, Any]) -> dict[str, Any]:
        model = self.studio.model
        return {
            **self._model_head(),
            "vtsModelName": f"{model.name}.vtube.json" if model else "",
            "vtsModelIconName": "",
            "live2DModelName": f"{model.name}.model3.json" if model else "",
            "modelLoadTime": 900 if model else 0,
            "modelPosition": {"positionX": 0.0, "positionY": 0.0, "rotation": 0.0, "size": -60.0},
        }

    async def _hotkeys(self, data: dict[str, Any]) -> dict[str, Any]:
        keys = self.studio.model.hotkeys if self.studio.model else []
        rows = [
            {
                "name": key.name,
                "type": key.type,
                "description": f"Does {key.type}",
                "file": key.file,
                "hotkeyID": key.id,
                "keyCombination": [],  # README, "Requesting list of hotkeys": always empty for now
                "onScreenButtonID": -1,
            }
            for key in keys
        ]
        return {**self._model_head(), "availableHotkeys": rows}

    async def _trigger(self, data: dict[str, Any]) -> dict[str, Any]:
        wanted = data.get("hotkeyID")
        if self.studio.model is None:
            raise ApiError(ErrorID.HotkeyExecutionFailedBecauseNoModelLoaded, "No model is loaded.")
        if data.get("itemInstanceID"):
            raise ApiError(ErrorID.HotkeyExecutionFailedBecauseLive2DItemNotFound, "There is no such item.")
        key = self.studio.model.hotkey(wanted) if isinstance(wanted, str) and wanted else None
        if key is None:
            raise ApiError(ErrorID.HotkeyIDNotFoundInModel, "The hotkey was not found in the model.")
        self.studio.hotkeys.put(key, self.plugin)
        return {"hotkeyID": key.id}

    async def _expressions(self, data: dict[str, Any]) -> dict[str, Any]:
        """README, "Requesting current expression state list": empty without a model."""
        model, wanted = self.studio.model, data.get("expressionFile") or ""
        files = dict(model.expressions) if model else {}
        if wanted and not wanted.endswith(EXPRESSION_ENDING):
            raise ApiError(ErrorID.ExpressionStateRequestInvalidFilename, "The file name is invalid.")
        if wanted and wanted not in files:
            raise ApiError(ErrorID.ExpressionStateRequestFileNotFound, "There is no such expression.")
        rows = [
            {
                "name": file.removesuffix(EXPRESSION_ENDING),
                "file": file,
                "active": active,
                "deactivateWhenKeyIsLetGo": False,
                "autoDeactivateAfterSeconds": False,
                "secondsRemaining": 0,
                "usedInHotkeys": [],
                "parameters": [],
            }
            for file, active in files.items()
            if wanted in ("", file)
        ]
        return {**self._model_head(), "expressions": rows}

    async def _activate(self, data: dict[str, Any]) -> dict[str, Any]:
        """README, "Requesting activation or deactivation of expressions"."""
        model, file = self.studio.model, data.get("expressionFile")
        if not isinstance(file, str) or not file.endswith(EXPRESSION_ENDING):
            raise ApiError(ErrorID.ExpressionActivationRequestInvalidFilename, "The file name is invalid.")
        if model is None:
            raise ApiError(ErrorID.ExpressionActivationRequestNoModelLoaded, "No model is loaded.")
        if file not in model.expressions:
            raise ApiError(ErrorID.ExpressionActivationRequestFileNotFound, "There is no such expression.")
        model.expressions[file] = bool(data.get("active"))
        return {}

    async def _parameters(self, data: dict[str, Any]) -> dict[str, Any]:
        return {**self._model_head(), **self.studio.parameters.listed()}

    async def _create_parameter(self, data: dict[str, Any]) -> dict[str, Any]:
        return self.studio.parameters.create(data, self.plugin)

    async def _parameter_value(self, data: dict[str, Any]) -> dict[str, Any]:
        name = data.get("name")
        if name not in self.studio.parameters.all:
            raise ApiError(ErrorID.ParameterValueRequestParameterNotFound, "There is no such parameter.")
        row = self.studio.parameters.all[str(name)]
        return {
            "name": row.name,
            "addedBy": row.added_by,
            "value": self.studio.parameters.value(row.name),
            "min": row.low,
            "max": row.high,
            "defaultValue": row.default,
        }

    async def _inject(self, data: dict[str, Any]) -> dict[str, Any]:
        values = self.studio.parameters.inject(data, self.plugin)
        self.studio.injections.append((self.studio.now(), values))
        return {}

    async def _subscribe(self, data: dict[str, Any]) -> dict[str, Any]:
        """Events/README, "Subscribing and unsubscribing"."""
        name, on, config = data.get("eventName") or "", bool(data.get("subscribe")), data.get("config") or {}
        if (name or on) and name not in EVENTS:
            raise ApiError(ErrorID.EventSubscriptionRequestEventTypeUnknown, f"There is no event {name}.")
        if not on:
            self.events = {key: value for key, value in self.events.items() if name and key != name}
        else:
            _check_config(name, config)
            self.events[name] = config
        return {"subscribedEventCount": len(self.events), "subscribedEvents": list(self.events)}

    def _model_head(self) -> dict[str, Any]:
        model: Model | None = self.studio.model
        loaded = model is not None
        return {"modelLoaded": loaded, "modelName": model.name if model else "", "modelID": model.id if model else ""}


def envelope(kind: str, request_id: str, data: dict[str, Any]) -> str:
    """README, "API Details": unix ms, and a random UUID where the request brought no id."""
    return json.dumps(
        {
            "apiName": API_NAME,
            "apiVersion": API_VERSION,
            "timestamp": int(time.time() * 1000),
            "messageType": kind,
            "requestID": request_id or str(uuid.uuid4()),
            "data": data,
        }
    )


def _envelope(frame: str | bytes) -> dict[str, Any]:
    try:
        request = json.loads(frame.decode() if isinstance(frame, bytes) else frame)
    except (ValueError, RecursionError):
        request = None
    if not isinstance(request, dict):
        raise ApiError(ErrorID.JSONInvalid, "The request is not a JSON object.")
    if request.get("apiName") != API_NAME:
        raise ApiError(ErrorID.APINameInvalid, "The API name is invalid.")
    if request.get("apiVersion") != API_VERSION:
        raise ApiError(ErrorID.APIVersionInvalid, "The API version is invalid.")
    return request


def _request_id(request: dict[str, Any]) -> str:
    request_id = request.get("requestID", "")
    if "requestID" not in request:
        return ""
    if not isinstance(request_id, str) or not request_id.isascii() or not 1 <= len(request_id) <= 64:
        raise ApiError(ErrorID.RequestIDInvalid, "The request ID is invalid.")
    return request_id


def _kind(request: dict[str, Any]) -> str:
    kind = request.get("messageType")
    if not isinstance(kind, str) or not kind:
        raise ApiError(ErrorID.RequestTypeMissingOrEmpty, "The request type is missing.")
    return kind


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and 3 <= len(name) <= 32


def _is_icon(icon: Any) -> bool:
    """A PNG's header holds its size; of a JPG only the signature is looked at."""
    try:
        data = base64.b64decode(icon, validate=True)
    except (binascii.Error, TypeError, ValueError):
        return False
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        return struct.unpack(">II", data[16:24]) == (128, 128)
    return data[:3] == b"\xff\xd8\xff"


def _check_config(name: str, config: dict[str, Any]) -> None:
    """Events/README, the sections of these two events."""
    if name == "TestEvent" and len(str(config.get("testMessageForEvent", ""))) > 32:
        raise ApiError(ErrorID.EventTestEventTestMessageTooLong, "The test message is too long.")
    if name == "ModelLoadedEvent" and not all(_MODEL_ID.fullmatch(str(one)) for one in config.get("modelID") or []):
        raise ApiError(ErrorID.EventModelLoadedEventModelIDInvalid, "A model ID is invalid.")
