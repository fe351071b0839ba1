"""One connection to VTube Studio, held by pyvts.

What pyvts does not do, and this object does around it (pyvts 0.3.3, read and tried):

- it takes the next frame for the answer, whoever it belongs to: here answers are matched by their id;
- it raises nothing for an `APIError`, never times out and never comes back: here those are typed errors, and a lane
  that failed is thrown away;
- two requests at once break it: here one waits for the other. Events come on a lane of their own (`next_event`);
- it prints to stdout, where our heartbeats are, and writes its token readable by everybody;
- it imports OpenCV (70 MB) to draw an icon that we do not send;
- it would go through the environment's HTTP proxy to reach this machine.
"""

import asyncio
import json
import sys
import types
from itertools import count
from pathlib import Path
from typing import Any

import websockets
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from kitsu.errors import ConfigError
from kitsu.telemetry import log
from kitsu_vts.errors import DENIED, NEEDS_LOGIN, NO_ACCESS, NotAllowedError, VtsError, VtsRefusedError
from kitsu_vts.token import forget_token, read_token, write_token

PLUGIN, DEVELOPER = "Kitsu", "Kitsu project"
OPEN_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 1.0
MAX_FRAME_BYTES = 8 << 20  # a list of all parameters, many models' hotkeys
API = "VTubeStudioPublicAPI"


def _load_pyvts() -> Any:
    """pyvts, with a stand-in for OpenCV while it is imported, and its `print` turned away from stdout."""
    stand_in = "cv2" not in sys.modules
    if stand_in:
        sys.modules["cv2"] = types.ModuleType("cv2")
    try:
        import pyvts
    except ModuleNotFoundError as error:
        text = f'The packages for VTube Studio are missing ({error.name}). Run: pip install "kitsu[vts]"'
        raise ConfigError("engine_not_installed", text) from None
    finally:
        if stand_in:
            del sys.modules["cv2"]
    vars(sys.modules["pyvts.vts"])["print"] = lambda *words: None
    return pyvts


class Lane:
    """Made by `open`; used until the first `VtsError` that is no `VtsRefusedError`."""

    def __init__(self, host: str, port: int, token_file: Path) -> None:
        pyvts = _load_pyvts()
        info = {"plugin_name": PLUGIN, "developer": DEVELOPER, "authentication_token_path": str(token_file)}
        self.client = pyvts.vts(
            plugin_info=info,
            vts_api_info={"version": "1.0", "name": API, "host": host, "port": port},
            request=self._matched,  # pyvts sets what it is given as attributes: its token flow goes through ours
            read_token=self._read_token,
            write_token=self._write_token,
        )
        self.make = self.client.vts_request  # pyvts' builders of requests
        self._url = f"ws://{f'[{host}]' if ':' in host else host}:{port}"
        self._token_file = token_file
        self._ids = count(1)
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Connect.

        Raises:
            VtsError: `vts_unreachable`.
        """
        try:
            self.client.websocket = await websockets.connect(
                self._url,
                open_timeout=OPEN_TIMEOUT_S,
                close_timeout=0.2,
                max_size=MAX_FRAME_BYTES,
                compression=None,
                proxy=None,
            )
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI, EOFError) as error:
            text = f"VTube Studio does not answer at {self._url}. Start it, and switch on Start API in its settings."
            raise VtsError("vts_unreachable", text, retryable=True) from error

    async def close(self) -> None:
        """Drop the connection."""
        if self.client.websocket is not None:
            await self.client.websocket.close()

    async def log_in(self) -> bool:
        """Show the token that we have. False: there is none, or it is void (then it is forgotten).

        Raises:
            VtsError: anything.
        """
        if not await self._read_token():
            return False
        try:
            if await self.client.request_authenticate():
                return True
        except KeyError:  # pyvts looks for `authenticated` without asking whether it is there
            raise _garbled() from None
        forget_token(self._token_file)
        self.client.authentic_token = None
        return False

    async def ask_user(self) -> None:
        """Ask for a token; returns when the user has clicked Allow, however long that takes.

        Raises:
            NotAllowedError: `vts_denied`.
            VtsError: anything else; error 51 when the question is open already.
        """
        try:
            await self.client.request_authenticate_token(force=True)
        except NotAllowedError as error:
            if error.code != "vts_revoked":
                raise
            text = "You said no in VTube Studio. To be asked again: kitsu vts reset"
            raise NotAllowedError("vts_denied", text) from error
        if not self.client.authentic_token:  # pyvts' own way of saying that the answer held none
            raise VtsError("vts_garbled", "VTube Studio's answer held no token.", retryable=True)

    async def request(self, message: dict[str, Any]) -> dict[str, Any]:
        """One request of `make`; its answer's data.

        Raises:
            VtsRefusedError: VTube Studio says why not; the lane is still good.
            NotAllowedError, VtsError: the lane is at its end.
        """
        answer = await self._matched(message)
        data: dict[str, Any] = answer["data"]
        return data

    async def next_event(self) -> tuple[str, dict[str, Any]]:
        """The next event's name and data. Only on a lane that sends nothing any more.

        Raises:
            VtsError: `vts_closed` or `vts_garbled`.
        """
        frame = await self._receive()
        return frame["messageType"], frame["data"]

    async def _matched(self, message: dict[str, Any]) -> dict[str, Any]:
        patience_s = None if message["messageType"] == "AuthenticationTokenRequest" else ANSWER_TIMEOUT_S
        async with self._turn:
            request_id = f"kitsu-{next(self._ids)}"
            try:
                async with asyncio.timeout(patience_s):
                    await self.client.websocket.send(json.dumps(message | {"requestID": request_id}))
                    while (answer := await self._receive())["requestID"] != request_id:
                        log.debug("vts.stray", type=answer["messageType"])  # of a request that was given up
            except ConnectionClosed as error:
                raise _closed() from error
            except TimeoutError:
                text = f"VTube Studio gave no answer within {ANSWER_TIMEOUT_S:g} s; it may be busy loading a model."
                raise VtsError("vts_timeout", text, retryable=True) from None
        if answer["messageType"] == "APIError":
            raise _refusal(answer["data"])
        return answer

    async def _receive(self) -> dict[str, Any]:
        try:
            frame = json.loads(await self.client.websocket.recv())
        except ConnectionClosed as error:
            raise _closed() from error
        except (ValueError, RecursionError):
            raise _garbled() from None
        if not isinstance(frame, dict) or not isinstance(frame.get("messageType"), str):
            raise _garbled()
        data = frame.get("data")
        return {
            "messageType": frame["messageType"],
            "requestID": frame.get("requestID"),
            "data": data if isinstance(data, dict) else {},
        }

    async def _read_token(self) -> str:
        self.client.authentic_token = read_token(self._token_file) or None
        return self.client.authentic_token or ""

    async def _write_token(self) -> None:
        token = self.client.authentic_token
        if not isinstance(token, str) or not token.isascii():
            self.client.authentic_token = None
            return
        write_token(self._token_file, token)


def _closed() -> VtsError:
    return VtsError("vts_closed", "VTube Studio closed the connection.", retryable=True)


def _garbled() -> VtsError:
    return VtsError("vts_garbled", "What answers at VTube Studio's port does not speak its language.", retryable=True)


def _refusal(data: dict[str, Any]) -> VtsError:
    error_id, message = data.get("errorID"), str(data.get("message", ""))[:200]
    if error_id == NO_ACCESS:
        text = "VTube Studio's API is switched off. Its settings, Start API."
        return NotAllowedError("vts_api_off", text, retryable=True)
    if error_id in (DENIED, NEEDS_LOGIN):
        return NotAllowedError("vts_revoked", "VTube Studio does not let Kitsu in any more.", retryable=True)
    return VtsRefusedError(error_id if isinstance(error_id, int) else -1, message)
