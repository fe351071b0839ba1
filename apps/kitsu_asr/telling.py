"""What the hub is told of an utterance."""

from kitsu.protocol import AsrCommand, AsrDropped, AsrFinal, AsrPartial, AsrSpeech, DropReason, WordTime
from kitsu_asr.endpoint import Change
from kitsu_asr.engine import Heard
from kitsu_asr.grammar import Command
from kitsu_asr.source import Source
from kitsu_asr.utterance import Utterance


class Teller:
    """Makes the messages of one source."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def speech(self, utterance: Utterance, change: Change) -> AsrSpeech:
        """Somebody began, paused or went on."""
        return AsrSpeech(
            conv=self._source.conv,
            utterance=utterance.id,
            state="stopped" if change.what == "paused" else "started",
            at_ms=round(change.at_ms),
            ago_ms=round(change.now_ms - change.at_ms),
            level_dbfs=round(utterance.level_dbfs, 1),
            echo=utterance.echo,
            source_id=self._source.source_id,
            speaker=self._source.speaker,
        )

    def partial(self, utterance: Utterance, text: str, stable: int, *, settled: bool, finished: bool) -> AsrPartial:
        """What was said so far."""
        return AsrPartial(
            conv=self._source.conv,
            utterance=utterance.id,
            revision=utterance.agreement.revision,
            text=text,
            stable=stable,
            settled=settled,
            complete=finished,
            language=utterance.language,
            source_id=self._source.source_id,
            speaker=self._source.speaker,
        )

    def command(self, utterance: Utterance, command: Command, endpoint_ms: float) -> AsrCommand:
        """The host ordered something."""
        return AsrCommand(
            conv=self._source.conv,
            utterance=utterance.id,
            command=command.command,
            argument=command.argument,
            text=command.text,
            confidence=command.confidence,
            endpoint_ms=endpoint_ms,
            source_id=self._source.source_id,
            speaker=self._source.speaker,
        )

    def final(self, utterance: Utterance, heard: Heard, endpoint_ms: float, engine: str) -> AsrFinal:
        """What was said."""
        return AsrFinal(
            conv=self._source.conv,
            utterance=utterance.id,
            text=utterance.agreement.keep(heard.text),
            language=heard.language,
            confidence=round(heard.confidence, 3),
            words=_times(heard, utterance.first_ms),
            start_ms=round(utterance.start_ms),
            end_ms=round(utterance.end_ms),
            endpoint_ms=endpoint_ms,
            silence_ms=round(utterance.silence_ms),
            addressed=utterance.addressed,
            echo=utterance.echo,
            engine=engine,
            source_id=self._source.source_id,
            speaker=self._source.speaker,
        )

    def dropped(self, utterance: Utterance, reason: DropReason) -> AsrDropped:
        """It came to nothing."""
        return AsrDropped(
            conv=self._source.conv,
            utterance=utterance.id,
            reason=reason,
            start_ms=round(utterance.start_ms),
            end_ms=round(utterance.end_ms),
            source_id=self._source.source_id,
            speaker=self._source.speaker,
        )


def _times(heard: Heard, first_ms: float) -> tuple[WordTime, ...]:
    """Words in the stream's time; `first_ms`: of the utterance's first sample."""
    return tuple(
        WordTime(
            word=word.word,
            start_ms=round(first_ms + word.start_s * 1000),
            end_ms=round(first_ms + word.end_s * 1000),
            confidence=round(word.confidence, 3),
        )
        for word in heard.words
    )
