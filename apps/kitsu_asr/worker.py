"""Microphones in, words out."""

from contextlib import AsyncExitStack, suppress
from typing import ClassVar

from msgspec.structs import replace

from kitsu.config import load
from kitsu.errors import ConfigError, EngineError, ProtocolError
from kitsu.protocol import (
    AsrListen,
    AsrLook,
    AsrMute,
    AsrPrepare,
    AsrState,
    AsrTalk,
    AsrTranscribe,
    AsrTranscript,
    AsrUse,
    AsrUsing,
    Capabilities,
    ControlLevels,
    ControlPanic,
    ControlResume,
    EarsState,
    HelloAccepted,
    Message,
    MicAudio,
    MicClosed,
    MicOpened,
    PlayoutReference,
    Role,
    type_of,
)
from kitsu.services import SERVICES
from kitsu.telemetry import log
from kitsu.worker import Process, Worker
from kitsu_asr import choosing
from kitsu_asr.config import AsrSettings
from kitsu_asr.engines import ENGINES
from kitsu_asr.files_desk import FilesDesk
from kitsu_asr.room import MAX_SOURCES, Room

HOW_TO = f"not configured: {SERVICES['asr'].how_to}"
NOT_CONFIGURED = f"The ears are {HOW_TO}"


class AsrWorker(Worker):
    """Gives the room orders and sound from the hub, and takes what it heard there."""

    role: ClassVar[Role] = "asr"

    def __init__(self, process: Process) -> None:
        super().__init__(process)
        self._room: Room | None = None
        self._files: FilesDesk | None = None
        self._told = EarsState()

    async def start(self, stack: AsyncExitStack) -> Capabilities:
        settings = load("asr", AsrSettings)
        if not settings.enabled:
            self.feel("ok", HOW_TO)
            self._told = EarsState(trouble=HOW_TO)
            return Capabilities(features=("not_configured",), note=HOW_TO)
        self._room = room = Room(settings, self.send, self.error, self._changed)
        self._files = FilesDesk(choosing.order(settings), lambda name: choosing.choice(settings, name), self.send)
        try:
            await room.run(stack, self.tasks)
        except EngineError as error:
            raise ConfigError("bad_setting", error.message) from None
        return self._capabilities(room)

    def _capabilities(self, room: Room) -> Capabilities:
        features = ("commands", "transcribe") if room.recogniser.state == "ready" else ("transcribe",)
        return Capabilities(
            engine=room.recogniser.engine,
            engines=tuple(ENGINES),
            max_parallel=MAX_SOURCES,
            features=features,
            note=room.recogniser.note,
        )

    async def joined(self, accepted: HelloAccepted) -> None:
        self.send(AsrState(ears=self._room.state() if self._room is not None else self._told))

    async def lost(self) -> None:
        """Browsers come back by themselves; what was being said has nobody to hear it."""
        if self._room is not None:
            self._room.hub_lost()

    def handle(self, message: Message, payload: memoryview | None) -> None:
        if self._room is None:
            self._excuse(message)
        elif isinstance(message, MicAudio | PlayoutReference) and payload is not None:
            self._sound(self._room, message, payload)
        elif isinstance(message, AsrTranscribe) and payload is not None:
            self._transcribe(self._room, message, payload)
        else:
            self._obey(self._room, message)

    def latency_ms(self) -> dict[str, float]:
        if self._room is None:
            return {}
        return self._room.endpoint.summary("endpoint") | self._room.recognition.summary("recognise")

    # how

    def _obey(self, room: Room, message: Message) -> None:
        match message:
            case MicOpened():
                room.mic_opened(message)
            case MicClosed():
                room.mic_closed(message)
            case AsrTalk(pressed=pressed):
                for listener in room.of(message.conv):
                    listener.press(pressed)
                self._changed()
            case AsrListen(mode=mode):
                for listener in room.of(message.conv):
                    listener.listen(mode)
                self._changed()
            case AsrMute(muted=muted):
                room.mute(muted)
            case AsrPrepare():
                room.prepare(message)
            case AsrUse():
                self.tasks.create_task(self._use(room, message), name="use microphone")
            case AsrLook():
                self.tasks.create_task(self._look(room, message), name="look for microphones")
            case ControlPanic():
                room.drop("panic")
            case ControlResume() | ControlLevels():
                pass  # she listens during a panic too: whoever asks for help is heard
            case _:
                log.info("asr.unexpected", type=type_of(message))

    def _sound(self, room: Room, message: MicAudio | PlayoutReference, payload: memoryview) -> None:
        if isinstance(message, PlayoutReference):
            room.reference(message, payload)
            return
        try:
            room.mic_audio(message, payload)
        except ProtocolError as error:
            self.error(error)

    def _transcribe(self, room: Room, piece: AsrTranscribe, payload: memoryview) -> None:
        assert self._files is not None
        data = self._files.take(piece, payload)
        if data is not None:
            self.tasks.create_task(self._files.work(piece, data, room.hints), name=f"file {piece.file}")

    async def _use(self, room: Room, order: AsrUse) -> None:
        try:
            await room.microphone.use(order.device, again=order.again)
        except EngineError as error:
            log.warning("asr.microphone_refused", code=error.code)
            chosen = room.microphone.state.chosen
            self.send(AsrUsing(parent_id=order.id, device=chosen, code=error.code, message=error.message))
        else:
            self.send(AsrUsing(parent_id=order.id, device=room.microphone.state.chosen))

    async def _look(self, room: Room, order: AsrLook) -> None:
        with suppress(EngineError):  # it stands in the answer
            await room.microphone.look()
        self.send(AsrState(parent_id=order.id, ears=room.state()))

    def _excuse(self, message: Message) -> None:
        """Whoever waits for an answer gets one."""
        match message:
            case AsrUse():
                self.send(AsrUsing(parent_id=message.id, device="", code="asr_not_configured", message=NOT_CONFIGURED))
            case AsrLook():
                self.send(AsrState(parent_id=message.id, ears=self._told))
            case AsrTranscribe(last=True):
                answer = AsrTranscript(parent_id=message.id, conv=message.conv, file=message.file)
                self.send(replace(answer, code="asr_not_configured", message=NOT_CONFIGURED))
            case _:
                pass

    def _changed(self) -> None:
        """Tell hub and launcher how the ears are."""
        room = self._room
        if room is None:
            return
        trouble = room.trouble
        self.capabilities = self._capabilities(room)
        if room.recogniser.state == "failed":
            self.feel("failed", trouble)
        else:
            self.feel("degraded" if trouble else "ok", trouble)
        self.send(AsrState(ears=room.state()))
