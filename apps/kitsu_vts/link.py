"""The link to VTube Studio: made, watched, made again."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

from kitsu.protocol import VtsLinkState
from kitsu.telemetry import log
from kitsu_vts.actor import Actor
from kitsu_vts.config import VtsSettings
from kitsu_vts.errors import ALREADY_ASKING, NotAllowedError, VtsError, VtsRefusedError
from kitsu_vts.lane import Lane
from kitsu_vts.token import forget_token
from kitsu_vts.vocabulary import Probed, Target, VtsMap, read_model, resolve

RETRY_S = 1.0
CLICK = "VTube Studio asks whether Kitsu may control it: click Allow there. It asks only this once."
EXPLANATION = "Kitsu moves this while she speaks."


class Link:
    """One connection for requests, one for events; whichever fails, both are made anew."""

    def __init__(
        self,
        settings: VtsSettings,
        token_file: Path,
        vocabulary: Iterable[str],
        names: VtsMap,
        actor: Actor,
        changed: Callable[[], None],
    ) -> None:
        self.state: VtsLinkState = "unreachable"
        self.reason = "not connected yet"
        self.version = ""
        self.model = Probed()
        self.vocabulary = tuple(vocabulary)
        self.words: dict[str, Target] = {}
        self._settings = settings
        self._token_file = token_file
        self._names = names
        self._actor = actor
        self._changed = changed
        self._again = asyncio.Event()
        self._settled = asyncio.Event()  # there is something to say about the newest try
        self._trying: asyncio.Task[None] | None = None
        self._last_model = ""  # id; of the connection before too

    async def run(self) -> None:
        """Stay connected until cancelled."""
        while True:
            self._again.clear()
            self._trying = asyncio.create_task(self._try())
            try:
                await asyncio.wait({self._trying})
            finally:
                self._trying.cancel()
                await asyncio.gather(self._trying, return_exceptions=True)
            if not self._trying.cancelled():
                self._trying.result()  # a bug ends the process; what VTube Studio does never gets here
            await self._wait_for_next()

    async def reset(self) -> None:
        """Drop the connection and make it anew; returns when it stands, or it is known why not."""
        self._settled.clear()
        self._again.set()
        if self._trying is not None:
            self._trying.cancel()
        await self._settled.wait()

    async def _wait_for_next(self) -> None:
        """One that was refused waits for `reset`: nobody wants to be asked again and again."""
        with suppress(TimeoutError):
            async with asyncio.timeout(None if self.state == "denied" else RETRY_S):
                await self._again.wait()

    async def _try(self) -> None:
        try:
            await self._connected()
        except* VtsError as group:
            self._ended(_first(group))

    def _ended(self, error: VtsError) -> None:
        log.info("vts.link_ended", code=error.code, message=error.message)
        if error.code == "vts_revoked":
            forget_token(self._token_file)
        self.model, self.words = Probed(), {}
        if isinstance(error, VtsRefusedError) and error.error_id == ALREADY_ASKING:
            self._set("asking", CLICK)
        else:
            self._set("denied" if error.code == "vts_denied" else "unreachable", error.message)

    async def _connected(self) -> None:
        async with AsyncExitStack() as stack:
            command = await self._open(stack)
            answer = await command.request(command.make.BaseRequest("APIStateRequest"))
            self.version = str(answer.get("vTubeStudioVersion", ""))[:40]
            await self._authenticate(command)
            events = await self._open(stack)
            await self._authenticate(events)
            await events.request(events.make.eventSubscriptionModelLoaded())
            await events.request(events.make.eventSubscription("HotkeyTriggeredEvent", cfg={}))
            self._actor.feeds = await self._parameters(command)
            await self._probe(command)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch(events, command))
                group.create_task(self._actor.perform(command, lambda: self._look_at_model(command)))

    async def _open(self, stack: AsyncExitStack) -> Lane:
        lane = Lane(self._settings.host, self._settings.port, self._token_file)
        await lane.open()
        stack.push_async_callback(lane.close)
        return lane

    async def _authenticate(self, lane: Lane) -> None:
        if await lane.log_in():
            return
        self._set("asking", CLICK)
        await lane.ask_user()
        if not await lane.log_in():
            raise NotAllowedError("vts_revoked", "VTube Studio took its own permission back.", retryable=True)

    async def _parameters(self, lane: Lane) -> list[tuple[str, str]]:
        """The settings' parameters that can be moved; unknown ones are created, for the user to map to the mouth."""
        feeds = [(name, source) for name, _, source in (feed.partition("=") for feed in self._settings.mouth)]
        answer = await lane.request(lane.make.requestTrackingParameterList())
        rows = [*_listed(answer, "defaultParameters"), *_listed(answer, "customParameters")]
        known = {row.get("name") for row in rows}
        usable = []
        for name, source in feeds:
            if name in known or await self._created(lane, name):
                usable.append((name, source))
        return usable

    async def _created(self, lane: Lane, name: str) -> bool:
        try:
            await lane.request(lane.make.requestCustomParameter(name, min=0, max=1, default_value=0, info=EXPLANATION))
        except VtsRefusedError as error:
            log.warning("vts.no_parameter", name=name, error=error.error_id, message=error.message)
            return False
        return True

    async def _probe(self, lane: Lane) -> None:
        """What the loaded model has."""
        make = lane.make
        current = await lane.request(make.BaseRequest("CurrentModelRequest"))
        expressions = await lane.request(make.BaseRequest("ExpressionStateRequest", {"details": False}))
        hotkeys = await lane.request(make.requestHotKeyList())
        self._take_model(read_model(current, expressions, hotkeys))

    def _take_model(self, model: Probed) -> None:
        self.model = model
        self.words = resolve(self.vocabulary, self._names, model)
        self._actor.model_changed(self.words, same=model.model_id == self._last_model)
        self._last_model = model.model_id or self._last_model
        log.info("vts.model", name=model.name, words=len(self.words))
        self._set("connected", "" if model.name else "no model is loaded in VTube Studio")

    async def _look_at_model(self, lane: Lane) -> None:
        """The heartbeat; notices a model that changed without an event."""
        current = await lane.request(lane.make.BaseRequest("CurrentModelRequest"))
        loaded = str(current.get("modelID") or "") if current.get("modelLoaded") is True else ""
        if loaded != self.model.model_id:
            await self._probe(lane)

    async def _watch(self, events: Lane, command: Lane) -> None:
        while True:
            name, data = await events.next_event()
            if name == "HotkeyTriggeredEvent":
                self._actor.orders.hotkey_ran(data.get("hotkeyID"))
            elif name == "ModelLoadedEvent" and data.get("modelLoaded") is True:
                await self._probe(command)
            elif name == "ModelLoadedEvent":
                self._take_model(Probed())

    def _set(self, state: VtsLinkState, reason: str) -> None:
        self.state, self.reason = state, reason
        self._settled.set()
        self._changed()


def _first(group: BaseExceptionGroup[VtsError]) -> VtsError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, VtsError)
    return error


def _listed(answer: dict[str, Any], key: str) -> list[dict[str, Any]]:
    rows = answer.get(key)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
