"""`/api/v1/mic`: microphones of signed-in browsers, on their way to the ears.

Browser -> door: `{"type": "mic.hello", "rate_hz": 16000, …}` within 5 s, then binary frames of PCM (s16le mono) and
`{"type": "mic.talk", "pressed": true}`; anything else closes the connection. Door -> browser: `hello.accepted` (its
`session` is the microphone's name) or `hello.refused`. What was understood comes by the page stream.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from kitsu.errors import ProtocolError
from kitsu.protocol import (
    AsrTalk,
    HelloAccepted,
    HelloRefused,
    ListenMode,
    Message,
    MicAudio,
    MicClosed,
    MicOpened,
    ShowLevels,
    Speaker,
    SpeakerRole,
    encode,
)
from kitsu.telemetry import log
from kitsu_control.locks import Locks
from kitsu_control.page_sockets import signed_in, wanted_conv
from kitsu_control.places import Places

HELLO_TIMEOUT_S = 5.0
MAX_TEXT_BYTES = 1 << 10
MAX_SOUND_BYTES = 32 << 10
MAX_FRAMES_PER_S = 200
BURST_S = 4.0  # sound may come so much faster than time for a moment: a page that slept catches up
MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 48_000


class MicHello(msgspec.Struct, tag_field="type", tag="mic.hello", forbid_unknown_fields=True):
    """First frame of a browser."""

    rate_hz: int
    label: str = ""
    name: str = ""  # of who speaks
    role: SpeakerRole = "host"
    mode: ListenMode = "open"


class MicTalk(msgspec.Struct, tag_field="type", tag="mic.talk", forbid_unknown_fields=True):
    """The talk key."""

    pressed: bool


@dataclass
class Mic:
    """One that is open."""

    opened: MicOpened
    rate_hz: int
    position: int = 0


class Mics:
    """All of them.

    Args:
        tell: queues a message for the hub.
        sound: queues a frame of sound for the hub; the oldest goes when there is no room.
    """

    def __init__(self, tell: Callable[[Message], None], sound: Callable[[str | bytes], None]) -> None:
        self._tell = tell
        self._sound = sound
        self.open: dict[str, Mic] = {}

    def add(self, mic: Mic) -> None:
        self.open[mic.opened.mic] = mic
        self._tell(mic.opened)

    def remove(self, mic: Mic) -> None:
        del self.open[mic.opened.mic]
        self._tell(MicClosed(conv=mic.opened.conv, mic=mic.opened.mic))

    def announce(self) -> None:
        """Tell the ears of every microphone. Repeated: they may have been restarted."""
        for mic in self.open.values():
            self._tell(mic.opened)

    def heard(self, mic: Mic, pcm: bytes) -> None:
        """Some sound."""
        opened = mic.opened
        audio = MicAudio(conv=opened.conv, mic=opened.mic, position=mic.position, rate_hz=mic.rate_hz)
        mic.position += len(pcm) // 2
        self._sound(encode(audio, pcm))

    def talk(self, mic: Mic, pressed: bool) -> None:
        """The talk key."""
        self._tell(AsrTalk(conv=mic.opened.conv, pressed=pressed))


class MicSockets:
    """The door to them."""

    def __init__(self, mics: Mics, locks: Locks, places: Places) -> None:
        self._mics = mics
        self._locks = locks
        self._places = places

    def routes(self) -> list[WebSocketRoute]:
        return [WebSocketRoute("/api/v1/mic", self.microphone)]

    async def microphone(self, socket: WebSocket) -> None:
        """A signed-in page that speaks."""
        if not await signed_in(socket, self._locks) or (conv := await wanted_conv(socket)) is None:
            return
        await socket.accept()
        try:
            with self._places.taken():
                await self._serve(socket, conv)
        except ProtocolError as error:
            log.warning("mic.refused", code=error.code)
            await _refuse(socket, error)
        except WebSocketDisconnect:
            pass

    async def _serve(self, socket: WebSocket, conv: str) -> None:
        hello = await _hello(socket)
        opened = MicOpened(
            conv=conv,
            mic=f"mic-{secrets.token_hex(4)}",
            label=hello.label[:80],
            mode=hello.mode,
            speaker=Speaker(name=hello.name[:40], role=hello.role),
        )
        mic = Mic(opened, hello.rate_hz)
        await socket.send_text(str(encode(HelloAccepted(session=opened.mic, levels=ShowLevels()))))
        self._mics.add(mic)
        log.info("mic.opened", mic=opened.mic, conv=conv)
        try:
            await self._listen(socket, mic)
        finally:
            self._mics.remove(mic)
            log.info("mic.closed", mic=opened.mic)

    async def _listen(self, socket: WebSocket, mic: Mic) -> None:
        clock = asyncio.get_running_loop()
        began, second, count = clock.time(), 0, 0
        while True:
            frame = await _receive(socket)
            now = clock.time()
            second, count = (second, count + 1) if int(now) == second else (int(now), 1)
            if count > MAX_FRAMES_PER_S:
                raise ProtocolError("too_many_frames", f"more than {MAX_FRAMES_PER_S} frames in a second")
            if isinstance(frame, str):
                self._mics.talk(mic, _talk(frame).pressed)
                continue
            if mic.position + len(frame) // 2 > (now - began + BURST_S) * mic.rate_hz:
                raise ProtocolError("too_fast", "sound came faster than time passes")
            self._mics.heard(mic, frame)


async def _receive(socket: WebSocket) -> str | bytes:
    frame = await socket.receive()
    if frame["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(frame.get("code", 1000))
    text, sound = frame.get("text"), frame.get("bytes")
    if (text is not None and len(text) > MAX_TEXT_BYTES) or (sound is not None and len(sound) > MAX_SOUND_BYTES):
        raise ProtocolError("frame_too_large", f"more than {MAX_SOUND_BYTES >> 10} KiB of sound in a frame")
    if text is not None:
        assert isinstance(text, str)
        return text
    assert isinstance(sound, bytes)
    return sound


async def _hello(socket: WebSocket) -> MicHello:
    try:
        async with asyncio.timeout(HELLO_TIMEOUT_S):
            hello = msgspec.json.decode(await _receive(socket), type=MicHello)
    except TimeoutError:
        raise ProtocolError("hello_timeout", f"no hello within {HELLO_TIMEOUT_S:.0f} s") from None
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise ProtocolError("bad_hello", "the first frame is not `mic.hello`") from None
    if not MIN_RATE_HZ <= hello.rate_hz <= MAX_RATE_HZ:
        raise ProtocolError("bad_rate", f"a microphone at {hello.rate_hz} Hz is refused")
    return hello


def _talk(text: str) -> MicTalk:
    try:
        return msgspec.json.decode(text, type=MicTalk)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise ProtocolError("bad_message", "a microphone sends sound, and `mic.talk`") from None


_CODES = {"hello_timeout": 4408, "too_many_browsers": 4429, "too_many_frames": 4429, "too_fast": 4429}


async def _refuse(socket: WebSocket, error: ProtocolError) -> None:
    """Say why, then close."""
    try:
        await socket.send_text(str(encode(HelloRefused(code=error.code, message=error.message))))
        await socket.close(_CODES.get(error.code, 4400), error.code)
    except (WebSocketDisconnect, RuntimeError):  # it has left already (RuntimeError: Starlette's word for that)
        pass
