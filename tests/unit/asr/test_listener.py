"""One source, from sound to messages, in virtual time."""

import pytest

from kitsu.protocol import AsrCommand, AsrDropped, AsrFinal, AsrPartial, AsrSpeech
from kitsu_asr.engine import Heard, Word
from kitsu_asr.grammar import Command
from kitsu_asr.messages import News
from tests.unit.asr.ears import Stage


def test_an_utterance_from_start_to_end() -> None:
    stage = Stage()
    stage.ears.says = Heard("we play tonight", (Word("we", 0.3, 0.5, 0.8),), "en", 0.9)
    stage.pause(1.0)
    stage.speak(2.0)
    stage.pause(2.0)
    (final,) = stage.all(AsrFinal)
    started, stopped = stage.all(AsrSpeech)
    assert (started.state, started.at_ms, stopped.state, stopped.at_ms) == ("started", 1000, "stopped", 3000)
    assert started.ago_ms <= 100
    assert (final.text, final.language, final.confidence, final.engine) == ("we play tonight", "en", 0.9, "scripted")
    assert (final.start_ms, final.end_ms, final.silence_ms) == (1000, 3000, 800)
    assert final.endpoint_ms == pytest.approx(800, abs=25)
    assert final.speaker.name == "Robin"
    assert {final.utterance} == {started.utterance, *(p.utterance for p in stage.all(AsrPartial))}
    assert final.words[0].start_ms == pytest.approx(1000, abs=100), "times are the stream's, not the utterance's"
    assert not stage.all(AsrDropped)


def test_partials_come_while_it_is_spoken_and_one_settles_in_the_pause() -> None:
    stage = Stage(partial_ms=400)
    stage.speak(2.0)
    early = len(stage.all(AsrPartial))
    assert 3 <= early <= 5
    stage.pause(0.3)
    last = stage.all(AsrPartial)[-1]
    assert (last.settled, last.complete, last.stable) == (True, True, len("we play tonight"))
    assert [partial.revision for partial in stage.all(AsrPartial)] == list(range(1, last.revision + 1))


def test_the_sound_before_the_onset_is_recognised_too_and_the_pause_is_not() -> None:
    stage = Stage()
    stage.pause(1.0)
    stage.speak(1.0)
    stage.pause(2.0)
    ((_, pcm),) = stage.ears.sound.items()
    assert len(pcm) / 32_000 == pytest.approx(1.0 + 0.3 + 0.12, abs=0.12)


def test_after_and_a_longer_pause_is_waited_for() -> None:
    stage = Stage()
    stage.ears.says = Heard("we play tonight and", language="en")
    stage.speak(1.0)
    stage.pause(0.9)
    assert not stage.all(AsrFinal)
    stage.ears.says = Heard("we play tonight and tomorrow", language="en")
    stage.speak(0.6)
    stage.pause(0.9)
    (final,) = stage.all(AsrFinal)
    assert final.text == "we play tonight and tomorrow"
    assert [speech.state for speech in stage.all(AsrSpeech)] == ["started", "stopped", "started", "stopped"]


@pytest.mark.parametrize(
    ("says", "silence_ms"),
    [
        (Heard("we play tonight", language="en", ends=0.4), 360),
        (Heard("We play tonight.", language="en"), 360),
        (Heard("we play tonight", language="en", ends=0.02), 800),
        (Heard("we play tonight", language="en"), 800),
        (Heard("we play tonight and", language="en", ends=0.4), 1200),
    ],
)
def test_the_surer_the_end_the_shorter_the_wait(says: Heard, silence_ms: int) -> None:
    stage = Stage()
    stage.ears.says = says
    stage.speak(1.0)
    stage.pause(1.5)
    (final,) = stage.all(AsrFinal)
    assert final.silence_ms == silence_ms


def test_whoever_goes_on_after_a_finished_sentence_is_waited_for_anew() -> None:
    stage = Stage()
    stage.ears.says = Heard("we play tonight", language="en", ends=0.4)
    stage.speak(1.0)
    stage.pause(0.3)
    stage.ears.says = Heard("we play tonight or tomorrow", language="en", ends=0.02)
    stage.speak(1.0)
    stage.pause(0.7)
    assert not stage.all(AsrFinal)
    stage.pause(0.2)
    assert [final.silence_ms for final in stage.all(AsrFinal)] == [800]


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        (Heard(""), "nothing"),
        (Heard("Thanks for watching!", confidence=0.3, no_speech=0.8), "phantom"),
    ],
)
def test_what_comes_to_nothing_is_told(says: Heard, reason: str) -> None:
    stage = Stage()
    stage.ears.says = says
    stage.speak(0.4)
    stage.pause(1.5)
    assert [dropped.reason for dropped in stage.all(AsrDropped)] == [reason]
    assert not stage.all(AsrFinal)


def test_a_click_is_too_short() -> None:
    stage = Stage()
    stage.speak(0.12)
    stage.pause(1.0)
    assert [dropped.reason for dropped in stage.all(AsrDropped)] == ["too_short"]


def test_in_wake_word_mode_her_name_must_be_said() -> None:
    stage = Stage(mode="wake_word")
    stage.speak()
    stage.pause(1.0)
    assert [dropped.reason for dropped in stage.all(AsrDropped)] == ["not_addressed"]
    stage.ears.says = Heard("Kitsu, what do we play tonight", language="en", confidence=0.9)
    stage.speak()
    stage.pause(1.0)
    (final,) = stage.all(AsrFinal)
    assert final.addressed


def test_the_talk_key_opens_the_ears_and_its_release_ends_the_utterance_at_once() -> None:
    stage = Stage(mode="push_to_talk")
    stage.speak()
    assert not stage.messages
    stage.listener.press(True)
    stage.speak(1.0)
    stage.pause(2.0)
    stage.speak(1.0)
    assert not stage.all(AsrFinal), "a pause does not end it"
    stage.listener.press(False)
    stage.answer()
    (final,) = stage.all(AsrFinal)
    assert final.addressed
    assert final.silence_ms < 50
    stage.speak()
    assert len(stage.all(AsrFinal)) == 1


def test_closed_ears_drop_what_is_being_said() -> None:
    stage = Stage()
    stage.speak(0.5)
    stage.listener.mute(True)
    stage.speak(0.5)
    stage.pause(2.0)
    assert [dropped.reason for dropped in stage.all(AsrDropped)] == ["muted"]
    stage.listener.mute(False)
    stage.speak(0.5)
    stage.pause(1.0)
    assert len(stage.all(AsrFinal)) == 1


def test_a_command_of_the_grammar_is_no_final() -> None:
    stage = Stage()
    stage.ears.command = Command("scene", "Gaming", "scene gaming", 0.9)
    stage.speak()
    stage.pause(1.0)
    (command,) = stage.all(AsrCommand)
    assert (command.command, command.argument, command.confidence) == ("scene", "Gaming", 0.9)
    assert not stage.all(AsrFinal)


def test_a_command_that_the_recogniser_writes_counts_too() -> None:
    stage = Stage()
    stage.ears.says = Heard("Kitsu, skip that!", language="en", confidence=0.8)
    stage.speak()
    stage.pause(1.0)
    assert [command.command for command in stage.all(AsrCommand)] == ["skip"]


@pytest.mark.parametrize("stage", [Stage(role="guest"), Stage(commands=False)])
def test_guests_command_nothing(stage: Stage) -> None:
    stage.ears.says = Heard("mute", language="en", confidence=0.8)
    stage.speak()
    stage.pause(1.0)
    assert not stage.all(AsrCommand)
    assert not stage.ears.opened_with["commands"]
    assert len(stage.all(AsrFinal)) == 1


def test_a_recogniser_that_fails_costs_the_utterance_only() -> None:
    stage = Stage()
    stage.answers = False
    stage.speak(0.5)
    ((_, utterance),) = [asked for asked in stage.ears.asked if asked[0] == "partial"]
    stage.listener.news(News("error", utterance, code="ears_cut"), stage.now_s)
    assert [dropped.reason for dropped in stage.all(AsrDropped)] == ["failed"]
    stage.ears.asked.clear()
    stage.answers = True
    stage.pause(1.0)
    stage.speak(0.5)
    stage.pause(1.0)
    assert len(stage.all(AsrFinal)) == 1


def test_without_a_recogniser_speech_is_told_all_the_same() -> None:
    stage = Stage()
    stage.ears.ready = False
    stage.speak()
    stage.pause(1.0)
    assert stage.types() == ["AsrSpeech", "AsrSpeech", "AsrDropped"]


def test_late_news_of_what_was_dropped_are_let_go() -> None:
    stage = Stage()
    stage.answers = False
    stage.speak(1.0)
    stage.listener.drop("panic")
    (dropped,) = stage.all(AsrDropped)
    assert dropped.reason == "panic"
    assert not stage.listener.news(News("final", dropped.utterance, stage.ears.says), stage.now_s)
    assert not stage.all(AsrFinal)


def test_every_start_has_one_end() -> None:
    stage = Stage()
    for seconds in (0.1, 0.3, 2.0, 0.15, 31.0):
        stage.speak(seconds)
        stage.pause(1.3)
    ends = [m.utterance for m in stage.messages if isinstance(m, AsrFinal | AsrDropped | AsrCommand)]
    begun = [speech.utterance for speech in stage.all(AsrSpeech) if speech.state == "started"]
    assert sorted(ends) == sorted(dict.fromkeys(begun))
