"""One connection to OBS, over obsws-python.

What is wrong with that library (1.8.0) is contained here and nowhere else:

- its clients take the next frame for the answer to their request, so that after one time-out every answer belongs to
  another question. Only its `ObsClient` (handshake, sign-in, socket) is used; answers are matched by id here;
- its event thread ends without a word. The thread here says how it ended (`ended`), whatever ended it;
- it writes the password into its log. Its loggers are silenced;
- it leaks exceptions of three families, and the socket when a connection fails half-way.
"""

import asyncio
import json
import logging
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from obsws_python.baseclient import ObsClient
from obsws_python.error import OBSSDKError
from obsws_python.subs import Subs
from websocket import ABNF, WebSocketException, WebSocketTimeoutException

from kitsu.errors import EngineError
from kitsu.protocol import new_id

logging.getLogger("obsws_python").setLevel(logging.CRITICAL + 1)

CONNECT_TIMEOUT_S = 1.5
LOOK_UP_S = 0.5  # so often the reading thread looks whether it is to end
WAITING_FRAMES = 256  # read and not yet worked off; while there are more, OBS waits (policy `block`)
REQUEST, ANSWER, EVENT, BATCH, BATCH_ANSWER = 6, 7, 5, 8, 9  # op codes of obs-websocket 5
SUBSCRIBED = int(
    Subs.GENERAL
    | Subs.CONFIG
    | Subs.SCENES
    | Subs.INPUTS
    | Subs.TRANSITIONS
    | Subs.FILTERS
    | Subs.OUTPUTS
    | Subs.SCENEITEMS
    | Subs.MEDIAINPUTS
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where OBS is."""

    host: str
    port: int
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened in OBS."""

    name: str
    data: dict[str, Any]
    at: float  # perf_counter when it was read from the socket


class _Client(ObsClient):  # type: ignore[misc]  # the library ships no types
    """The library's client, without what it leaves open when it fails."""

    def __init__(self, address: Address) -> None:
        try:
            super().__init__(
                host=address.host,
                port=address.port,
                password=address.password,
                subs=SUBSCRIBED,
                timeout=CONNECT_TIMEOUT_S,
            )
            self.authenticate()
        except BaseException:
            if hasattr(self, "ws"):
                self.ws.shutdown()
            raise


class Connection:
    """Requests with their answers, and events, over one socket."""

    def __init__(self, client: _Client, deliver: Callable[[Event], None]) -> None:
        self._ws = client.ws
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._sending = asyncio.Lock()
        self._room = threading.Semaphore(WAITING_FRAMES)
        self._closing = False
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self.ended: asyncio.Future[str] = self._loop.create_future()  # why
        self._ws.settimeout(LOOK_UP_S)
        threading.Thread(target=self._read, name="obs", daemon=True).start()

    @classmethod
    async def open(cls, address: Address, deliver: Callable[[Event], None]) -> "Connection":
        """Connect and sign in. `deliver` gets every event, in order.

        Raises:
            EngineError: `obs_unreachable`, `obs_bad_password`, `obs_odd` (what answers is not OBS).
        """
        opening = asyncio.ensure_future(asyncio.to_thread(_sign_in, address))
        try:
            return cls(await asyncio.shield(opening), deliver)
        except asyncio.CancelledError:
            opening.add_done_callback(_drop)  # a thread cannot be cancelled; what it brings is not wanted any more
            raise

    async def request(self, kind: str, data: dict[str, Any] | None = None, *, timeout_s: float) -> dict[str, Any]:
        """One request; OBS's data.

        Raises:
            EngineError: `obs_refused` with OBS's own words, `obs_timeout`, `obs_gone`.
        """
        answer = await self._ask(REQUEST, {"requestType": kind, "requestData": data or {}}, timeout_s)
        return result_of(kind, answer)

    async def batch(self, requests: list[dict[str, Any]], *, timeout_s: float) -> list[dict[str, Any]]:
        """Many requests in one frame, done in order, none stopping the others; one answer each.

        Raises:
            EngineError: `obs_timeout`, `obs_gone`, `obs_odd`.
        """
        answer = await self._ask(BATCH, {"haltOnFailure": False, "executionType": 0, "requests": requests}, timeout_s)
        results = answer.get("results")
        if not isinstance(results, list) or len(results) != len(requests):
            raise EngineError("obs_odd", "OBS answered a batch with another number of results.")
        return [one if isinstance(one, dict) else {} for one in results]

    def close(self) -> None:
        """End it; `ended` says when the thread is done with it."""
        self._closing = True
        with suppress(OSError, AttributeError):  # closed already; then there is no socket any more
            self._ws.sock.shutdown(socket.SHUT_RDWR)  # wakes the thread, which closes the rest

    async def _ask(self, op: int, data: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        request_id = new_id()
        answer: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self._waiting[request_id] = answer
        try:
            async with asyncio.timeout(timeout_s):
                await self._send(json.dumps({"op": op, "d": {**data, "requestId": request_id}}))
                return await answer
        except TimeoutError:
            raise EngineError("obs_timeout", f"OBS did not answer within {timeout_s:g} s.", retryable=True) from None
        finally:
            del self._waiting[request_id]  # an answer that comes later belongs to nobody

    async def _send(self, text: str) -> None:
        """One after the other, in a thread: a frozen OBS fills the socket, and then sending blocks."""
        async with self._sending:
            if self.ended.done():
                raise _gone(self.ended.result())
            try:
                await asyncio.to_thread(self._ws.send, text)
            except (WebSocketException, OSError, AttributeError) as error:
                self.close()  # half a frame may be out
                raise _gone(str(error)) from None

    # The reading thread

    def _read(self) -> None:
        why = "closed"
        try:
            while not self._closing:
                try:
                    why = self._read_one()
                except WebSocketTimeoutException:
                    continue  # OBS had nothing to say; a frame that had begun goes on
                if why:
                    break
        except (WebSocketException, OSError, AttributeError, ValueError) as error:
            why = str(error) or type(error).__name__
        finally:
            self._ws.shutdown()
            self._in_loop(self._end, why)

    def _read_one(self) -> str:
        """Hand over one frame. Returns why OBS closed the connection, if it did."""
        _no_delay(self._ws.sock)
        opcode, frame = self._ws.recv_data()
        at = time.perf_counter()
        if opcode == ABNF.OPCODE_CLOSE:
            return "OBS closed the connection"
        message = json.loads(frame)
        while not self._room.acquire(timeout=LOOK_UP_S):
            if self._closing:
                return "closed"
        self._in_loop(self._take, message, at)
        return ""

    def _in_loop(self, call: Callable[..., None], *values: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed: the process ends
            self._loop.call_soon_threadsafe(call, *values)

    # In the loop

    def _take(self, message: Any, at: float) -> None:
        self._room.release()
        data = message.get("d") if isinstance(message, dict) else None
        if not isinstance(data, dict):
            return
        if message.get("op") == EVENT:
            details = data.get("eventData")
            self._deliver(Event(str(data.get("eventType")), details if isinstance(details, dict) else {}, at))
        elif message.get("op") in (ANSWER, BATCH_ANSWER):
            answer = self._waiting.get(str(data.get("requestId")))
            if answer is not None and not answer.done():
                answer.set_result(data)

    def _end(self, why: str) -> None:
        if not self.ended.done():
            self.ended.set_result(why)
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(_gone(why))


def result_of(kind: str, answer: dict[str, Any]) -> dict[str, Any]:
    """OBS's data in an answer.

    Raises:
        EngineError: `obs_refused`.
    """
    status = answer.get("requestStatus")
    status = status if isinstance(status, dict) else {}
    if status.get("result") is not True:
        why = str(status.get("comment") or f"code {status.get('code')}")
        raise EngineError("obs_refused", f"OBS refused {kind}: {why[:200]}")
    data = answer.get("responseData")
    return data if isinstance(data, dict) else {}


def _sign_in(address: Address) -> _Client:
    try:
        return _Client(address)
    except OBSSDKError:  # its text guesses
        why = "refuses the password" if address.password else "wants a password"
        raise EngineError(
            "obs_bad_password",
            f"OBS at {address} {why}. Copy it from OBS (Tools, WebSocket Server Settings, Show Connect Info) "
            f"into KITSU__OBS__PASSWORD in .env, then: kitsu restart obs",
        ) from None
    except WebSocketTimeoutException:
        raise EngineError("obs_unreachable", f"OBS at {address} takes connections but does not answer.") from None
    except OSError:
        raise EngineError(
            "obs_unreachable",
            f"OBS does not answer at {address}. Start it, and enable Tools, WebSocket Server Settings.",
            retryable=True,
        ) from None
    except (WebSocketException, ValueError, KeyError, TypeError, AttributeError):
        raise EngineError("obs_odd", f"What answers at {address} is not OBS.") from None


def _drop(opening: "asyncio.Future[_Client]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().ws.shutdown()


def _gone(why: str) -> EngineError:
    return EngineError("obs_gone", f"The connection to OBS ended ({why[:100]}).", retryable=True)


def _no_delay(sock: socket.socket) -> None:
    """OBS leaves Nagle on: a small frame waits for our acknowledgement of the last, which Linux puts off by 40 ms."""
    quick = getattr(socket, "TCP_QUICKACK", None)
    if quick is not None:
        sock.setsockopt(socket.IPPROTO_TCP, quick, 1)
