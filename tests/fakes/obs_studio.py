"""A real OBS Studio without a screen: Debian's package under Xvfb, with a profile and scenes of its own.

async with obs_studio(tmp_path) as obs:
    obs.port, obs.password
    obs.freeze(); obs.thaw(); obs.kill(); await obs.start()

Linux only. Tests that need it call `need_obs()`.
"""

import asyncio
import base64
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

PROGRAMS = ("obs", "Xvfb", "ffmpeg")  # the last one looks at recordings
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 12.0
POLL_S = 0.05
PASSWORD = "s3cret-of-the-test"

GLOBAL = """\
[General]
FirstRun=true
EnableAutoUpdates=false

[Basic]
Profile=ci
ProfileDir=ci
SceneCollection=ci
SceneCollectionFile=ci
ConfigOnNewProfile=false

[BasicWindow]
SysTrayEnabled=false
PreviewEnabled=false
WarnBeforeStartingStream=false
WarnBeforeStoppingStream=false
WarnBeforeStoppingRecord=false

[OBSWebSocket]
FirstLoad=false
ServerEnabled=true
ServerPort={port}
AlertsEnabled=false
AuthRequired=true
ServerPassword={password}
"""

PROFILE = """\
[General]
Name=ci

[Output]
Mode=Simple

[SimpleOutput]
FilePath={recordings}
RecFormat=mkv
RecQuality=Stream
StreamEncoder=x264
RecEncoder=x264
VBitrate=600
Preset=ultrafast

[Video]
BaseCX=640
BaseCY=360
OutputCX=640
OutputCY=360
FPSType=0
FPSCommon=30

[Audio]
SampleRate=48000
ChannelSetup=Stereo
"""


def missing() -> str:
    """Why there can be no OBS here; empty when there can."""
    if sys.platform != "linux":
        return "a headless OBS needs Linux"
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    packages = "obs-studio xvfb libgl1-mesa-dri ffmpeg"
    return f"not installed: {', '.join(lacking)} (Debian: apt-get install {packages})" if lacking else ""


def need_obs() -> None:
    """Skip when it is not installed and we may not install it; as root, the test run's set-up has installed it."""
    import pytest  # benches and the dry run start this OBS too, where no pytest is installed

    if why := missing():
        if sys.platform == "linux" and os.geteuid() == 0:
            pytest.fail(why)
        pytest.skip(why)


class ObsStudio:
    """One OBS and its screen."""

    def __init__(self, folder: Path, password: str = PASSWORD) -> None:
        self.folder = folder
        self.password = password
        self.port = _free_port()
        self._screen: subprocess.Popen[bytes] | None = None
        self._display = ""
        self._obs: subprocess.Popen[bytes] | None = None

    async def open(self) -> None:
        """The screen, the files, OBS."""
        self._furnish()
        self._open_screen()
        await self.start()

    async def start(self) -> None:
        """Start OBS and wait until it answers."""
        self._spawn()
        async with asyncio.timeout(START_TIMEOUT_S):
            while not await self._answers():
                assert self._obs is not None
                assert self._obs.poll() is None, (self.folder / "obs.log").read_text(errors="replace")[-2000:]
                await asyncio.sleep(POLL_S)

    def _spawn(self) -> None:
        with (self.folder / "obs.log").open("ab") as log:
            self._obs = subprocess.Popen(
                [*("obs", "--multi", "--collection", "ci", "--profile", "ci"), "--disable-missing-files-check"],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def stop(self) -> None:
        """As a user closes it; it saves its scenes."""
        assert self._obs is not None
        self._obs.send_signal(signal.SIGINT)
        try:
            await asyncio.to_thread(self._obs.wait, STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """As when it crashes."""
        assert self._obs is not None
        self._obs.kill()
        self._obs.wait()

    def freeze(self) -> None:
        """It hangs."""
        assert self._obs is not None
        self._obs.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        assert self._obs is not None
        self._obs.send_signal(signal.SIGCONT)

    async def close(self) -> None:
        """End everything."""
        if self._obs is not None and self._obs.poll() is None:
            self.thaw()
            self.kill()
        if self._screen is not None:
            self._screen.terminate()
            await asyncio.to_thread(self._screen.wait)

    @asynccontextmanager
    async def witness(self) -> AsyncIterator["Witness"]:
        """A second client, independent of Kitsu's: it sees what really happens."""
        async with connect(f"ws://127.0.0.1:{self.port}", compression=None, proxy=None, max_size=None) as socket:
            witness = Witness(socket)
            await witness.identify(self.password)
            reader = asyncio.create_task(witness.read())
            try:
                yield witness
            finally:
                reader.cancel()

    async def _answers(self) -> bool:
        try:
            async with self.witness() as witness:
                await witness.ask("GetSceneList")
        except (OSError, AssertionError, TimeoutError):
            return False
        return True

    def _furnish(self) -> None:
        root = self.folder / "cfg" / "obs-studio"
        for path in (root / "basic" / "profiles" / "ci", root / "basic" / "scenes", self.folder / "rec"):
            path.mkdir(parents=True)
        (self.folder / "run").mkdir(mode=0o700)
        (root / "global.ini").write_text(GLOBAL.format(port=self.port, password=self.password))
        profile = root / "basic" / "profiles" / "ci" / "basic.ini"
        profile.write_text(PROFILE.format(recordings=self.folder / "rec"))
        (root / "basic" / "scenes" / "ci.json").write_text(json.dumps(_collection()))
        newer = root / "plugin_config" / "obs-websocket"  # where OBS 30 and newer look
        newer.mkdir(parents=True)
        settings = {"server_enabled": True, "server_port": self.port, "server_password": self.password}
        more = {"first_load": False, "alerts_enabled": False, "auth_required": True}
        (newer / "config.json").write_text(json.dumps(settings | more))

    def _open_screen(self) -> None:
        """Xvfb chooses a free number itself and says which."""
        reading, writing = os.pipe()
        self._screen = subprocess.Popen(
            [
                *("Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24"),
                *("-nolisten", "tcp", "+extension", "GLX"),
            ],
            pass_fds=[writing],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(writing)
        with os.fdopen(reading) as pipe:
            self._display = f":{pipe.readline().strip()}"

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DISPLAY": self._display,
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "GALLIUM_DRIVER": "llvmpipe",
            "QT_QPA_PLATFORM": "xcb",
            "XDG_CONFIG_HOME": str(self.folder / "cfg"),
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
        }


class Witness:
    """A plain obs-websocket client: one question at a time, and every event."""

    def __init__(self, socket: ClientConnection) -> None:
        self.events: list[tuple[str, dict[str, Any], float]] = []  # name, data, unix ms
        self._socket = socket
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._news = asyncio.Event()

    async def identify(self, password: str) -> None:
        """The handshake."""
        hello = json.loads(await self._socket.recv())["d"]
        assert "authentication" in hello
        challenge = hello["authentication"]
        secret = _digest(password + challenge["salt"])
        words = {
            "rpcVersion": 1,
            "eventSubscriptions": 0x7FF,
            "authentication": _digest(secret + challenge["challenge"]),
        }
        await self._socket.send(json.dumps({"op": 1, "d": words}))
        assert json.loads(await self._socket.recv())["op"] == 2

    async def read(self) -> None:
        """For ever."""
        async for frame in self._socket:
            message = json.loads(frame)
            data = message["d"]
            if message["op"] == 5:
                self.events.append((data["eventType"], data.get("eventData") or {}, time.time() * 1000))
                self._news.set()
            elif message["op"] == 7 and data["requestId"] in self._answers:
                self._answers[data["requestId"]].set_result(data)

    async def ask(self, kind: str, **data: Any) -> dict[str, Any]:
        """One request that must succeed."""
        number = str(len(self._answers))
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        question = {"requestType": kind, "requestId": number, "requestData": data}
        await self._socket.send(json.dumps({"op": 6, "d": question}))
        async with asyncio.timeout(10):
            done = await answer
        assert done["requestStatus"]["result"], done["requestStatus"]
        return done.get("responseData") or {}

    async def saw(self, name: str, *, after: int = 0, timeout_s: float = 10.0, **fields: Any) -> float:
        """When an event of that name and these fields came (unix ms), `after` so many events."""
        async with asyncio.timeout(timeout_s):
            while True:
                for kind, data, at in self.events[after:]:
                    if kind == name and all(data.get(key) == value for key, value in fields.items()):
                        return at
                self._news.clear()
                await self._news.wait()

    async def scene(self) -> str:
        """What is on air."""
        return str((await self.ask("GetCurrentProgramScene"))["currentProgramSceneName"])

    async def muted(self, name: str) -> bool:
        """Whether an input is muted."""
        return bool((await self.ask("GetInputMute", inputName=name))["inputMuted"])


@asynccontextmanager
async def obs_studio(folder: Path, password: str = PASSWORD) -> AsyncIterator[ObsStudio]:
    """A running OBS with its files in `folder`."""
    obs = ObsStudio(folder, password)
    try:
        await obs.open()
        yield obs
    finally:
        await obs.close()


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _collection() -> dict[str, Any]:
    settings = {"items": [], "id_counter": 0, "custom_size": False}
    scene = {"name": "Scene", "id": "scene", "versioned_id": "scene", "settings": settings}
    first = {"name": "ci", "current_scene": "Scene", "current_program_scene": "Scene"}
    return {**first, "scene_order": [{"name": "Scene"}], "sources": [scene]}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def shapes() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Inputs that a show has: name, kind, settings. Two of them have sound."""
    yield "Music", "ffmpeg_source", {"is_local_file": True}
    yield "Mic", "ffmpeg_source", {"is_local_file": True}
    yield "Now", "text_ft2_source_v2", {"text": "hello"}


async def furnish(obs: ObsStudio, *, scenes: tuple[str, ...] = ("Gaming", "Just Chatting", "Kitsu Safe")) -> None:
    """Scenes and inputs as a streamer has them."""
    async with obs.witness() as witness:
        for scene in scenes:
            await witness.ask("CreateScene", sceneName=scene)
        for name, kind, settings in shapes():
            await witness.ask("CreateInput", sceneName="Scene", inputName=name, inputKind=kind, inputSettings=settings)
