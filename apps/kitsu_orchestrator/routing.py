"""Where each worker's message goes."""

from kitsu.characters import system_prompt
from kitsu.errors import KitsuError
from kitsu.protocol import (
    STAGE,
    AsrCommand,
    AsrDropped,
    AsrFinal,
    AsrPartial,
    AsrSpeech,
    AsrState,
    AsrTalk,
    AsrTranscript,
    AsrUsing,
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
    PlayoutMirror,
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
from kitsu_orchestrator.ears.utterance import AsrNews
from kitsu_orchestrator.hub import Peer
from kitsu_orchestrator.replies import PLATFORMS
from kitsu_orchestrator.show import Show


class Router:
    """The hub's listener."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._mics: dict[str, str] = {}  # browsers' microphones, and whom they speak to
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
            self._mirror()
        elif peer.role == "asr":
            self._mirror()
            show.ears.joined()
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
        show.gone(show.services.exits_of(peer))
        if peer.role == "control":
            for sink in show.services.browsers():
                show.hub.send("playout", SinkClosed(conv=sink.conv, sink=sink.sink))
            self._close_mics()
        elif peer.role == "asr":
            self._mirror()
            show.talk.ears_lost()
            show.ears.left()
            show.files.gone()
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
        show = self._show
        if self._is_stale(message):
            self.stale += 1
            return
        match message:
            case PolicyDelta() | PolicyFinished() | PolicyFailed() | TtsAudio() | TtsFinished() | TtsFailed():
                self._to_turn(message, frame)
            case PlayoutStarted() | PlayoutProgress() | PlayoutFinished():
                self._to_turn(message, frame)
                show.stream.publish(message)
                self._forward("control", frame)
                self._to_bodies(message, frame)
            case PlayoutFrame():
                control = show.hub.peer("control")
                if control is not None:
                    control.outbox.put_media(message.conv, message.gen, frame)
                self._to_bodies(message, frame)
            case SinkFlush():
                show.hub.flush(message.conv, message.gen)
                self._forward("control", frame)
                self._to_bodies(message, frame)
            case SinkOpened() | SinkClosed() | SinkPosition() | SinkFlushed():
                self._forward("playout", frame)
            case PlayoutReference() | MicAudio():
                self._to_ears(message, frame)
            case MicOpened() | MicClosed() | AsrTalk():
                self._mic(message)
                self._forward("asr", frame)
            case AsrSpeech() | AsrPartial() | AsrFinal() | AsrCommand() | AsrDropped():
                show.stream.publish(message)
                self._heard(message)
            case AsrState():
                show.stream.publish(message)
                show.talk.state = message.ears
                show.ears.told(message)
            case AsrUsing():
                show.ears.used(message)
            case AsrTranscript():
                show.files.answered(message)
            case PlayoutPaused():
                show.stream.publish(message)
            case PlayoutSinks():
                show.services.sinks = message.sinks
                show.stream.publish(message)
            case PlayoutDevices():
                show.device_choice.told(message)
                show.stream.publish(message)
            case PanicConfirmed():
                show.confirm(message)
            case PanicUnconfirmed():
                show.unconfirmed(message)
            case ObsState():
                show.obs.state = message
                show.stream.publish(message)
                show.scenes_changed()
            case ObsOutcome():
                show.obs.answered(message)
            case ServiceHealth():
                self._resize(peer)
                self._service_changed(peer)
            case ServiceError():
                log.warning("worker.error", role=peer.role, code=message.code, message_=message.message)
                show.notice("warn", message.code, f"{peer.role}: {message.message}")
            case TtsUsing():
                show.voice_choice.answered(message)
            case VtsDone():
                show.vts.answered(message)
            case VtsState():
                show.vts.state = message
                show.stream.publish(message)
            case ChatBatch():
                show.chat.batch(peer.role, message)
            case ChatEvent():
                show.chat.event(peer.role, message)
            case ChatRemoved():
                show.chat.removed(peer.role, message)
            case ChatChannel():
                show.chat.channel(peer.role, message)
            case ChatSent():
                show.replies.sent(message)
            case PlayoutUsing():
                show.device_choice.used(message)
            case PlayoutFlushed():
                log.info("playout.flushed", conv=message.conv, latency_ms=message.latency_ms)
            case _:
                log.warning("hub.unrouted", type=type_of(message))

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

    def _to_ears(self, message: Message, frame: str | bytes) -> None:
        ears = self._show.hub.peer("asr")
        if ears is not None:
            ears.outbox.put_media("", 0, frame)  # of no generation: what is said to her is never stale

    def _heard(self, message: AsrNews) -> None:
        try:
            self._show.talk.received(message)
        except KitsuError as error:
            log.warning("ears.line_refused", code=error.code)
            self._show.notice("warn", error.code, error.message)

    def _mirror(self) -> None:
        """Playout says what she sounds like only while there are ears to take it out of what they hear."""
        self._show.hub.send("playout", PlayoutMirror(on=self._show.hub.peer("asr") is not None))

    def _mic(self, message: Message) -> None:
        match message:
            case MicOpened(mic=mic):
                self._mics[mic] = message.conv
            case MicClosed(mic=mic):
                self._mics.pop(mic, None)

    def _close_mics(self) -> None:
        """The control door is gone, and with it every browser."""
        for mic, conv in self._mics.items():
            self._show.hub.send("asr", MicClosed(conv=conv, mic=mic))
        self._mics.clear()

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
