"""Where the ears' messages go, and what is sent to the ears."""

from kitsu.errors import KitsuError
from kitsu.protocol import (
    AsrCommand,
    AsrDropped,
    AsrFinal,
    AsrPartial,
    AsrSpeech,
    AsrState,
    AsrTalk,
    AsrTranscript,
    AsrUsing,
    Message,
    MicAudio,
    MicClosed,
    MicOpened,
    PlayoutMirror,
)
from kitsu.telemetry import log
from kitsu_orchestrator.ears.utterance import AsrNews
from kitsu_orchestrator.show import Show


class EarRoutes:
    """The router's part for microphones: this machine's and the browsers'."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._mics: dict[str, str] = {}  # browsers' microphones, and whom they speak to

    def joined(self) -> None:
        """The ears are there."""
        self.mirror()
        self._show.ears.joined()

    def left(self) -> None:
        """The ears are gone."""
        self.mirror()
        self._show.talk.ears_lost()
        self._show.ears.left()
        self._show.files.gone()

    def mirror(self) -> None:
        """Playout says what she sounds like only while there are ears to take it out of what they hear."""
        self._show.hub.send("playout", PlayoutMirror(on=self._show.hub.peer("asr") is not None))

    def received(self, message: Message) -> bool:
        """One message of theirs. False: it is not of a kind that goes anywhere."""
        show = self._show
        match message:
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
            case _:
                return False
        return True

    def from_browser(self, message: MicOpened | MicAudio | MicClosed | AsrTalk, frame: str | bytes) -> None:
        """Of a microphone in a browser."""
        if isinstance(message, MicAudio):
            self.sound(frame)
            return
        if isinstance(message, MicOpened):
            self._mics[message.mic] = message.conv
        elif isinstance(message, MicClosed):
            self._mics.pop(message.mic, None)
        ears = self._show.hub.peer("asr")
        if ears is not None:
            ears.put(frame)

    def sound(self, frame: str | bytes) -> None:
        """Sound for the ears, a microphone's or her own."""
        ears = self._show.hub.peer("asr")
        if ears is not None:
            ears.outbox.put_media("", 0, frame)  # of no generation: what is said to her is never stale

    def browsers_gone(self) -> None:
        """The control door is gone, and with it every browser."""
        for mic, conv in self._mics.items():
            self._show.hub.send("asr", MicClosed(conv=conv, mic=mic))
        self._mics.clear()

    def _heard(self, message: AsrNews) -> None:
        try:
            self._show.talk.received(message)
        except KitsuError as error:
            log.warning("ears.line_refused", code=error.code)
            self._show.notice("warn", error.code, error.message)
