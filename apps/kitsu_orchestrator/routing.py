"""Where each worker's message goes."""

from kitsu.characters import system_prompt
from kitsu.protocol import (
    STAGE,
    AsrTalk,
    ChatBatch,
    ChatChannel,
    ChatEvent,
    ChatRemoved,
    ChatSent,
    Message,
    MicAudio,
    MicClosed,
    MicOpened,
    ObsOutcome,
    ObsState,
    PanicConfirmed,
    PanicUnconfirmed,
    PlayoutDevices,
    PlayoutFinished,
    PlayoutFlushed,
    PlayoutFrame,
    PlayoutPaused,
    PlayoutProgress,
    PlayoutReference,
    PlayoutSinks,
    PlayoutStarted,
    PlayoutUsing,
    PolicyDelta,
    PolicyFailed,
    PolicyFinished,
    PolicyPrepare,
    Role,
    ServiceChanged,
    ServiceError,
    ServiceHealth,
    ShowLevels,
    SinkClosed,
    SinkFlush,
    SinkFlushed,
    SinkOpened,
    SinkPosition,
    TtsAudio,
    TtsFailed,
    TtsFinished,
    TtsUsing,
    VtsDone,
    VtsState,
    encode,
    type_of,
)
from kitsu.telemetry import log
from kitsu_orchestrator.ear_routes import EarRoutes
from kitsu_orchestrator.hub import Peer
from kitsu_orchestrator.replies import PLATFORMS
from kitsu_orchestrator.show import Show


class Router:
    """The hub's listener."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._ears = EarRoutes(show)
        self.stale = 0  # messages of an older generation that were dropped

    def welcome(self) -> tuple[ShowLevels, dict[str, int]]:
        """What a worker must know from its first moment."""
        return self._show.levels.now, self._show.levels.gens()

    def joined(self, peer: Peer) -> None:
        """A worker is there."""
        show = self._show
        if peer.role == "policy":
            character = show.studio.character
            show.hub.send(
                "policy",
                PolicyPrepare(
                    character=character.id,
                    system=system_prompt(character, show.studio.canary),
                    intents=character.intents,
                ),
            )
        elif peer.role == "tts":
            show.voice_choice.rejoined()
        elif peer.role == "playout":
            show.device_choice.rejoined()
            self._ears.mirror()
        elif peer.role == "asr":
            self._ears.joined()
        elif peer.role == "control":
            for turn in show.playing():
                if turn.started is not None:
                    show.hub.send("control", turn.started)
        self._resize(peer)
        self._service_changed(peer)

    def left(self, peer: Peer) -> None:
        """A worker is gone: its turns hear of it, its exits are silent."""
        show = self._show
        for conversation in show.conversations.values():
            conversation.peer_lost(peer.role)
        show.panic_desk.gone(show.services.exits_of(peer))
        if peer.role == "control":
            for sink in show.services.browsers():
                show.hub.send("playout", SinkClosed(conv=sink.conv, sink=sink.sink))
            self._ears.browsers_gone()
        elif peer.role == "asr":
            self._ears.left()
        elif peer.role == "obs":
            show.obs.left()
        elif peer.role == "vts":
            show.vts.left()
        elif peer.role in PLATFORMS:
            show.chat.left(peer.role)
        elif peer.role == "playout":
            show.services.sinks = ()
            show.device_choice.gone()
            show.stream.publish(PlayoutSinks(sinks=()))
            show.stream.publish(PlayoutDevices(device=show.device_choice.now))
        elif peer.role == "tts":
            show.voice_choice.gone()
        self._service_changed(peer)

    def received(self, peer: Peer, message: Message, frame: str | bytes) -> None:
        """One message that the role may send."""
        if self._is_stale(message):
            self.stale += 1
        elif not (self._from_anyone(peer, message) or self._from_role(peer.role, message, frame)):
            log.warning("hub.unrouted", type=type_of(message))

    def _from_anyone(self, peer: Peer, message: Message) -> bool:
        """What every worker may send. False: it is something else."""
        show = self._show
        match message:
            case PanicConfirmed():
                show.panic_desk.confirm(message)
            case PanicUnconfirmed():
                show.panic_desk.unconfirmed(message)
            case ServiceHealth():
                self._resize(peer)
                self._service_changed(peer)
            case ServiceError():
                log.warning("worker.error", role=peer.role, code=message.code, message_=message.message)
                show.notice("warn", message.code, f"{peer.role}: {message.message}")
            case _:
                return False
        return True

    def _from_role(self, role: Role, message: Message, frame: str | bytes) -> bool:
        match role:
            case "policy" | "tts":
                return self._from_maker(message, frame)
            case "playout":
                return self._from_clock(message, frame) or self._from_sound_device(message)
            case "control":
                return self._from_browser(message, frame)
            case "asr":
                return self._ears.received(message)
            case "obs" | "vts":
                return self._from_body(message)
            case _:
                return self._from_platform(role, message)

    def _from_maker(self, message: Message, frame: str | bytes) -> bool:
        """Words and voice."""
        match message:
            case PolicyDelta() | PolicyFinished() | PolicyFailed() | TtsAudio() | TtsFinished() | TtsFailed():
                self._to_turn(message, frame)
            case TtsUsing():
                self._show.voice_choice.answered(message)
            case _:
                return False
        return True

    def _from_clock(self, message: Message, frame: str | bytes) -> bool:
        """What is heard now."""
        show = self._show
        match message:
            case PlayoutFrame():
                control = show.hub.peer("control")
                if control is not None:
                    control.outbox.put_media(message.conv, message.gen, frame)
                self._to_bodies(message, frame)
            case PlayoutStarted() | PlayoutProgress() | PlayoutFinished():
                self._to_turn(message, frame)
                show.stream.publish(message)
                self._forward("control", frame)
                self._to_bodies(message, frame)
            case SinkFlush():
                show.hub.flush(message.conv, message.gen)
                self._forward("control", frame)
                self._to_bodies(message, frame)
            case PlayoutReference():
                self._ears.sound(frame)
            case PlayoutPaused():
                show.stream.publish(message)
            case PlayoutFlushed():
                log.info("playout.flushed", conv=message.conv, latency_ms=message.latency_ms)
            case _:
                return False
        return True

    def _from_sound_device(self, message: Message) -> bool:
        """Where it is heard."""
        show = self._show
        match message:
            case PlayoutSinks():
                show.services.sinks = message.sinks
                show.stream.publish(message)
            case PlayoutDevices():
                show.device_choice.told(message)
                show.stream.publish(message)
            case PlayoutUsing():
                show.device_choice.used(message)
            case _:
                return False
        return True

    def _from_browser(self, message: Message, frame: str | bytes) -> bool:
        match message:
            case SinkOpened() | SinkClosed() | SinkPosition() | SinkFlushed():
                self._forward("playout", frame)
            case MicOpened() | MicAudio() | MicClosed() | AsrTalk():
                self._ears.from_browser(message, frame)
            case _:
                return False
        return True

    def _from_body(self, message: Message) -> bool:
        """OBS and VTube Studio."""
        show = self._show
        match message:
            case ObsState():
                show.obs.state = message
                show.stream.publish(message)
                show.scenes_changed()
            case ObsOutcome():
                show.obs.answered(message)
            case VtsDone():
                show.vts.answered(message)
            case VtsState():
                show.vts.state = message
                show.stream.publish(message)
            case _:
                return False
        return True

    def _from_platform(self, role: Role, message: Message) -> bool:
        show = self._show
        match message:
            case ChatBatch():
                show.chat.batch(role, message)
            case ChatEvent():
                show.chat.event(role, message)
            case ChatRemoved():
                show.chat.removed(role, message)
            case ChatChannel():
                show.chat.channel(role, message)
            case ChatSent():
                show.replies.sent(message)
            case _:
                return False
        return True

    def _is_stale(self, message: Message) -> bool:
        """Old sound and old words stop here; ends pass, so that every start gets one."""
        streaming = isinstance(message, PolicyDelta | TtsAudio | PlayoutFrame | PlayoutProgress)
        return streaming and self._show.levels.is_stale(message.conv, message.gen)

    def _to_turn(self, message: Message, frame: str | bytes) -> None:
        conversation = self._show.conversations.get(message.conv)
        if conversation is not None:
            conversation.receive(message, frame)

    def _to_bodies(self, message: Message, frame: str | bytes) -> None:
        """What the stage's bodies move by, and OBS's captions. No sound: of a frame, bodies get the header."""
        if message.conv != STAGE:
            return
        if not isinstance(message, PlayoutFrame):
            self._forward("obs", frame)
        body = self._show.hub.peer("vts")
        if body is None:
            return
        if isinstance(message, PlayoutFrame):
            body.outbox.put_media(message.conv, message.gen, encode(message, b""))
        else:
            body.put(frame)

    def _forward(self, role: Role, frame: str | bytes) -> None:
        peer = self._show.hub.peer(role)
        if peer is not None:
            peer.put(frame)

    def _resize(self, peer: Peer) -> None:
        """A worker says how much it can do at once."""
        slots = {"policy": self._show.studio.brains, "tts": self._show.studio.voices}.get(peer.role)
        if slots is not None:
            slots.resize(peer.capabilities.max_parallel)

    def _service_changed(self, peer: Peer) -> None:
        state = self._show.services.state(peer.role)
        self._show.stream.publish(ServiceChanged(service=state))
