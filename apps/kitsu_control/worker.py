"""The control door as a hub worker: it serves browsers, and relays between them and the hub."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import httpx

from kitsu.config import CHECKOUT, NetworkSettings, home, load, read_secret
from kitsu.listening import bind
from kitsu.protocol import Capabilities, HelloAccepted, Message
from kitsu.worker import Process, Worker
from kitsu.worker.web import serve
from kitsu_control.app import Door, build_door
from kitsu_control.config import ControlSettings
from kitsu_control.mics import Mics
from kitsu_control.overlay_key import OverlayKey
from kitsu_control.relay import Relay

ANNOUNCE_EVERY_S = 1.0
MAX_FRAME_BYTES = 64 << 10
PING_S = 10.0  # a browser that vanished without a word is let go


class ControlWorker(Worker):
    """`build`: the folder of the built pages."""

    role = "control"

    def __init__(self, process: Process, build: Path = CHECKOUT / "web" / "build") -> None:
        super().__init__(process)
        self._build = build
        self._relay = Relay(self.send)
        self._mics = Mics(self.send, lambda frame: self.outbox.put_media("", 0, frame))
        self._door: Door

    async def start(self, stack: AsyncExitStack) -> Capabilities:
        """Listen first: a page must be there to say that the hub is not.

        Raises:
            ConfigError: `port_in_use`, `not_loopback`, `bad_token_file`, `home_not_writable`.
        """
        network = load("network", NetworkSettings)
        settings = load("control", ControlSettings)
        token = read_secret(home().token_file)
        overlay_key = OverlayKey(home().secrets / "overlay_key")
        overlay_key.make()
        client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
        self._door = build_door(settings, network, token, overlay_key, self._relay, self._mics, client, self._build)
        listener = bind(network.host, network.control_port, "network.control_port")
        self.tasks.create_task(serve(self._door.app, listener, max_frame_bytes=MAX_FRAME_BYTES, ping_s=PING_S))
        self.tasks.create_task(self._keep_telling(overlay_key))
        return Capabilities(features=("overlay", "sound"))

    async def joined(self, accepted: HelloAccepted) -> None:
        missed = self._relay.joined(accepted)
        self._mics.announce()
        if missed:
            self.tasks.create_task(self._door.button.repeat(missed))

    def handle(self, message: Message, payload: memoryview | None) -> None:
        self._relay.handle(message, payload)

    async def lost(self) -> None:
        self._relay.lost()

    async def _keep_telling(self, overlay_key: OverlayKey) -> None:
        """Sinks for a playout that was restarted; and a key that was taken away closes what it opened."""
        key = overlay_key.current()
        while True:
            await asyncio.sleep(ANNOUNCE_EVERY_S)
            self._relay.announce()
            self._mics.announce()
            if key != (key := overlay_key.current()):
                self._relay.revoke_overlays()
