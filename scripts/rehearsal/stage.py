"""Everything that a stream has, on this machine: OBS, Twitch, VTube Studio and the show between them."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.real_obs import RealObs, real_obs
from bench.rest import Door
from bench.stack import Place, new_place, place_doors
from rehearsal.feed import Feed, feed
from tests.fakes.twitch import FakeTwitch
from tests.fakes.vtube_studio import FakeVTubeStudio

COMMAND_S = 60.0
LINKED_S = 20.0
LOOK_EVERY_S = 0.02
CHANNEL = "streamer"
CAST = {  # login -> role, badge
    "rita": ("viewer", ""),
    "suna": ("sub", "subscriber"),
    "vik": ("vip", "vip"),
    "mia": ("mod", "moderator"),
    CHANNEL: ("broadcaster", "broadcaster"),
}
CHAT = ("channel.chat.message", "channel.chat.notification", "channel.chat.clear_user_messages")
ENGINES = {"policy.engine": "scripted", "tts.engine": "espeak"}  # demo brain, built-in voice: the same on every machine


@dataclass(frozen=True, slots=True)
class Stage:
    """A running show; `obs` is None where it plays without."""

    place: Place
    twitch: FakeTwitch
    studio: FakeVTubeStudio
    obs: RealObs | None
    door: Door
    feed: Feed

    async def status(self) -> dict[str, Any]:
        """Everything about now."""
        found: dict[str, Any] = (await self.door.call("GET", "/status")).json()
        return found


@asynccontextmanager
async def stage(folder: Path, *, with_obs: bool = True) -> AsyncIterator[Stage]:
    """A show with everything connected, off air. Its home is `folder`/home.

    Raises:
        BenchError: `no_obs`, `not_started`, `not_connected`.
    """
    async with AsyncExitStack() as opened:
        obs = await opened.enter_async_context(real_obs(folder / "obs")) if with_obs else None
        twitch = await opened.enter_async_context(FakeTwitch())
        studio = await opened.enter_async_context(FakeVTubeStudio())
        place = new_place(folder / "home", _settings(twitch, studio, obs))
        place.home.make()
        _cast(twitch)
        await _log_in(place, twitch)
        await kitsu(place, "start")
        opened.push_async_callback(kitsu, place, "stop")
        _, door = await opened.enter_async_context(place_doors(place))
        made = Stage(place, twitch, studio, obs, door, await opened.enter_async_context(feed(place)))
        await _connected(made)
        yield made


async def kitsu(place: Place, *argv: str) -> str:
    """One command, as typed; returns what it printed.

    Raises:
        BenchError: `not_started`: it did not end with 0.
    """
    command = [sys.executable, "-m", "kitsu_cli", *argv]
    done = await asyncio.to_thread(
        subprocess.run,
        command,
        env=place.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=COMMAND_S,
        check=False,
    )
    if done.returncode:
        raise BenchError("not_started", f"kitsu {' '.join(argv)}: {done.returncode} {done.stdout[-800:]}")
    return str(done.stdout)


def _settings(twitch: FakeTwitch, studio: FakeVTubeStudio, obs: RealObs | None) -> dict[str, str]:
    chat = {f"twitch.{name}": value for name, value in twitch.settings.items()} | {"twitch.channel": CHANNEL}
    body = {"vts.enabled": "true", "vts.port": str(studio.port)}
    thanks = {"dead_air.gather_s": "0.5", "dead_air.quiet_s": "600"}  # nothing but what the script brings about
    return ENGINES | chat | body | thanks | (obs.settings() if obs else {})


def _cast(twitch: FakeTwitch) -> None:
    for login, (_, badge) in CAST.items():
        twitch.world.user(login, badges=[(badge, "1")] if badge else [])
    twitch.world.user("kitsubot", badges=[("moderator", "1")])  # 100 messages in 30 s: the script is a busy chat


async def _log_in(place: Place, twitch: FakeTwitch) -> None:
    """`kitsu login twitch`, and the streamer's yes in the browser."""
    async with asyncio.TaskGroup() as group:
        login = group.create_task(kitsu(place, "login", "twitch"))
        waiting = group.create_task(twitch.device())
        await asyncio.wait({login, waiting}, return_when=asyncio.FIRST_COMPLETED)
        twitch.allow()
        await login
        waiting.cancel()


async def _connected(stage: Stage) -> None:
    try:
        async with asyncio.timeout(LINKED_S):
            await stage.twitch.subscribed(*CHAT)
            while not await _linked(stage):  # noqa: ASYNC110 - a poll is what REST has
                await asyncio.sleep(LOOK_EVERY_S)
    except TimeoutError:
        states = {row["role"]: row.get("reason", "") for row in (await stage.status())["services"]}
        raise BenchError("not_connected", f"Not everything is connected: {states}") from None


async def _linked(stage: Stage) -> bool:
    body = (await stage.door.call("GET", "/vts")).json()["link"] == "connected"
    return body and (stage.obs is None or bool((await stage.door.call("GET", "/obs")).json().get("connected")))
