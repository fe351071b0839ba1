"""How well and how quickly the ears hear: ends of speech, commands, false ones, words, and Kitsu's own voice.

Synthetic voices only, so word error rates say how engines compare, not how they do with people. `FLITE` names the flite
program when it is not on the path. End of speech is measured at the pace of speech, from the last voiced sample to the
message, silence that is waited for included.
"""

import importlib
import importlib.util
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle

import numpy as np

from bench import ears_options
from bench.ears import Ears, listening, word_errors
from bench.errors import BenchError
from bench.script import Figures, Line, Report, at_most, parser, progress, run
from bench.spoken import HERS, Samples, mixed, noise, padded, room, say, synthesisers
from bench.stats import p50, p95
from kitsu.errors import EngineError
from kitsu.protocol import AsrCommand, AsrDropped, AsrFinal, AsrPartial, AsrSpeech, Message
from kitsu_asr import choosing
from kitsu_asr.config import AsrSettings
from kitsu_asr.engines import ENGINES, make
from kitsu_asr.pcm import to_s16

SENTENCES = (
    "hello this is a test of the microphone",
    "what game are we going to play tonight",
    "i think the weather will be nice tomorrow",
    "please tell the chat to be kind to each other",
    "we have to find the key before the door closes",
    "my favorite food is pizza with a lot of cheese",
    "can you sing a song for all of us",
    "the next level is much harder than the last one",
)
TALK = (
    *SENTENCES,
    "do not skip the cutscene it is beautiful",
    "i muted my phone before the stream",
    "this scene reminds me of an old movie",
    "there is no reason to panic",
    "someone just switched the light off",
    "stop",
    "yes",
    "no way",
    "that was close",
    "kitsu what do you think about that",
    "be right back in a minute",
    "it was quiet in the house",
)
SCENES = ("Gaming", "Just Chatting", "Starting Soon")
COMMANDS = (
    ("mute", "mute", ""),
    ("kitsu mute", "mute", ""),
    ("unmute", "unmute", ""),
    ("kitsu unmute", "unmute", ""),
    ("skip", "skip", ""),
    ("skip that", "skip", ""),
    ("scene gaming", "scene", "Gaming"),
    ("scene just chatting", "scene", "Just Chatting"),
    ("kitsu scene starting soon", "scene", "Starting Soon"),
    ("kitsu emergency stop", "panic", ""),
)
PAUSES_S = (0.3, 0.5, 0.7)  # as people make them inside sentences
LEVELS_DBFS = (-16.0, -26.0, -36.0)
HERS_TEXT = "hello everybody i am kitsu and today we play a game about foxes and stars and many doors"
SETTINGS = AsrSettings(enabled=True, engine="pocketsphinx")


@dataclass
class Words:
    """Errors of one run."""

    wrong: int = 0
    wanted: int = 0

    def add(self, wanted: str, said: str) -> None:
        wrong, count = word_errors(wanted, said)
        self.wrong, self.wanted = self.wrong + wrong, self.wanted + count

    @property
    def rate(self) -> float:
        return round(self.wrong / max(1, self.wanted), 4)


@dataclass
class Ends:
    """What came of sentences."""

    endpoint_ms: list[float] = field(default_factory=list)
    onset_ms: list[float] = field(default_factory=list)
    words: Words = field(default_factory=Words)
    early: int = 0  # with a partial result before the end
    retracted: int = 0
    sentences: int = 0


async def measure_ends(ears: Ears, voices: Sequence[str], count: int) -> Ends:
    """Sentences at the pace of speech, at several levels, every other one in noise."""
    ends = Ends()
    levels, speakers = cycle(LEVELS_DBFS), cycle(voices)
    for number in range(count):
        text = SENTENCES[number % len(SENTENCES)]
        sound = padded(await say(text, next(speakers), next(levels)), 0.4, 2.2)
        if number % 2:
            sound = mixed(sound, noise(len(sound) / 16_000, -58.0, number))
        came = await ears.hear(sound, real_time=True)
        _count(ends, text, came)
        progress(f"sentence {number + 1} of {count}")
    return ends


def _count(ends: Ends, text: str, came: Sequence[Message]) -> None:
    finals = [message for message in came if isinstance(message, AsrFinal)]
    ends.sentences += 1
    ends.words.add(text, " ".join(final.text for final in finals))
    ends.endpoint_ms += [final.endpoint_ms for final in finals]
    ends.onset_ms += [m.ago_ms for m in came if isinstance(m, AsrSpeech) and m.state == "started"][:1]
    for final in finals:
        partials = [m for m in came if isinstance(m, AsrPartial) and m.utterance == final.utterance]
        ends.early += any(not partial.settled for partial in partials)
        ends.retracted += sum(not final.text.startswith(partial.text[: partial.stable]) for partial in partials)


async def measure_cuts(ears: Ears, voices: Sequence[str], count: int) -> tuple[int, int]:
    """How many speakers who paused inside a sentence were cut off, of how many. At the pace of speech."""
    cut = 0
    speakers, pauses_s = cycle(voices), cycle(PAUSES_S)
    for number in range(count):
        words = SENTENCES[number % len(SENTENCES)].split()
        at = 2 + number * 3 % (len(words) - 3)  # anywhere but at the ends
        voice, pause_s = next(speakers), next(pauses_s)
        first, second = await say(" ".join(words[:at]), voice), await say(" ".join(words[at:]), voice)
        sound = np.concatenate((padded(first, 0.4, pause_s), padded(second, 0.0, 2.2)))
        ends = _ends(await ears.hear(sound, real_time=True))
        cut += ends > 1
        progress(f"pause of {pause_s} s after {' '.join(words[:at])!r}: {'cut off' if ends > 1 else 'heard out'}")
    return cut, count


def _ends(came: Sequence[Message]) -> int:
    return sum(isinstance(message, AsrFinal | AsrCommand | AsrDropped) for message in came)


async def measure_commands(ears: Ears, voices: Sequence[str], *, quick: bool) -> tuple[float, int, int]:
    """The share of commands that were understood, of those said how many were taken for another one, and how often
    talk was taken for a command."""
    right = wrong = said = false = 0
    for voice in voices:
        for text, command, argument in COMMANDS:
            for level in LEVELS_DBFS[: 1 if quick else 2]:
                came = await ears.hear(padded(await say(text, voice, level), 0.4, 2.2), real_time=False)
                found = [message for message in came if isinstance(message, AsrCommand)]
                said += 1
                right += [(m.command, m.argument) for m in found] == [(command, argument)]
                wrong += any((m.command, m.argument) != (command, argument) for m in found)
        for text in TALK[:: 2 if quick else 1]:
            came = await ears.hear(padded(await say(text, voice), 0.4, 2.2), real_time=False)
            false += sum(isinstance(message, AsrCommand) for message in came)
        progress(f"commands by {voice}: {right} of {said} right, {wrong} wrong, {false} false so far")
    return right / said, wrong, false


async def measure_self(ears: Ears, count: int) -> tuple[int, int, int]:
    """How often Kitsu answered herself, how often somebody who spoke over her was heard, of how many."""
    her = await say(HERS_TEXT, HERS)
    await ears.hear(mixed(room(her, 0.3, 0.06), noise(len(her) / 16_000, -65)), her, real_time=False)  # learns the room
    answered = heard = 0
    for number in range(count):
        alone = room(her, 0.3, 0.06)
        answered += _finals(await ears.hear(padded(alone, 0.0, 1.5), her, real_time=False))
        over = await say(SENTENCES[number % len(SENTENCES)], "espeak/en-us", -22.0)
        both = mixed(alone, padded(over, 1.0, 1.5))
        came = await ears.hear(both, her, real_time=False)
        heard += any(isinstance(message, AsrSpeech) for message in came)
    return answered, heard, count


def _finals(came: Sequence[Message]) -> int:
    return sum(isinstance(message, AsrFinal) for message in came)


async def measure_engine(name: str, sounds: Sequence[tuple[str, Samples]]) -> dict[str, float | str] | None:
    """Word error rate and real-time factor on whole sentences; None when the engine does not run here."""
    choice = choosing.choice(AsrSettings(engine=name), name)  # type: ignore[arg-type]
    try:
        engine = make(name, choice)
        progress(f"{name}: {engine.load()}")
        words, took, length = Words(), 0.0, 0.0
        for text, sound in sounds:
            began = time.perf_counter()
            session = engine.open("en", ())
            session.feed(to_s16(sound))
            words.add(text, session.finish().text)
            session.close()
            took, length = took + time.perf_counter() - began, length + len(sound) / 16_000
    except EngineError as error:
        progress(f"{name} does not run here: {error.message}")
        return None
    return {"wer": words.rate, "rtf": round(took / length, 4)}


async def measure(*, quick: bool) -> Report:
    """Everything."""
    voices = synthesisers()
    if not voices:
        raise BenchError("nothing_measured", "No synthesiser is installed. `kitsu doctor` says why.")
    figures: Figures = {"voices": " ".join(voices)}
    async with listening(SETTINGS, SCENES) as ears:
        ends = await measure_ends(ears, voices, 6 if quick else 40)
        cut, pauses = await measure_cuts(ears, voices, 6 if quick else 30)
        accuracy, wrong, false = await measure_commands(ears, voices, quick=quick)
        answered, heard, tried = await measure_self(ears, 3 if quick else 12)
    if not ends.endpoint_ms:
        raise BenchError("nothing_measured", "No sentence was understood.")
    figures |= {
        "sentences": ends.sentences,
        "sentences_heard": len(ends.endpoint_ms),
        "onset_ms_p50": round(p50(ends.onset_ms), 1),
        "onset_ms_p95": round(p95(ends.onset_ms), 1),
        "endpoint_ms_p50": round(p50(ends.endpoint_ms), 1),
        "endpoint_ms_p95": round(p95(ends.endpoint_ms), 1),
        "cut_off": round(cut / pauses, 3),
        "live_wer": ends.words.rate,
        "partials_before_the_end": round(ends.early / len(ends.endpoint_ms), 3),
        "stable_retracted": ends.retracted,
        "command_accuracy": round(accuracy, 4),
        "commands_mistaken": wrong,
        "command_false_accepts": false,
        "self_answers": answered,
        "heard_over_her": round(heard / tried, 3),
    }
    options = await ears_options.measure(SETTINGS, SENTENCES[: 2 if quick else 6], (voices[-1], voices[1]))
    figures |= {f"options.{name}": value for name, value in options.items()}
    figures |= await measure_engines(voices, 1 if quick else 3)
    figures |= await measure_barge_in(quick=quick)
    return Report(figures, lines(figures))


async def measure_engines(voices: Sequence[str], rounds: int) -> Figures:
    """Each engine that runs here: nested, and flat for the table."""
    sounds = [(text, padded(await say(text, voice), 0.3, 0.3)) for voice in voices for text in SENTENCES[: rounds * 3]]
    figures: Figures = {}
    engines: dict[str, dict[str, float | str]] = {}
    for name in ENGINES:
        if name == "openai":  # somebody's server: what it takes says nothing about this machine
            continue
        found = await measure_engine(name, sounds)
        if found is None and name == "faster_whisper":
            found = await measure_whisper_cost(quick=rounds == 1)
        if found is not None:
            engines[name] = found
            figures |= {f"engines.{name}.{key}": value for key, value in found.items()}
    return figures | {"engines": engines}


async def measure_whisper_cost(*, quick: bool) -> dict[str, float | str] | None:
    """Without its weights: what it would cost, and no word error rate."""
    if importlib.util.find_spec("faster_whisper") is None:
        return None
    return await importlib.import_module("bench.whisper_cost").measure(quick=quick)  # type: ignore[no-any-return]


async def measure_barge_in(*, quick: bool) -> Figures:
    """Onset of speech to silence, where that part is there."""
    if importlib.util.find_spec("bench.barge_in") is None:
        return {}
    measured: Figures = await importlib.import_module("bench.barge_in").measure(quick=quick)
    return measured


def lines(figures: Figures) -> tuple[Line, ...]:
    """The table."""
    known = (
        Line("speech begins -> told, ms p50", "onset_ms_p50"),
        Line("speech begins -> told, ms p95", "onset_ms_p95", "<= 200", at_most(200)),
        Line("somebody speaks -> she is silent, ms p50", "barge_in_ms_p50"),
        Line("somebody speaks -> she is silent, ms p95", "barge_in_ms_p95", "<= 250", at_most(250)),
        Line("cut off in pauses of 0.3 to 0.7 s inside sentences, share", "cut_off"),
        Line("speech ends -> words, ms p50", "endpoint_ms_p50", "<= 800", at_most(800)),
        Line("speech ends -> words, ms p95", "endpoint_ms_p95"),
        Line("word error rate, live", "live_wer"),
        Line("sentences with words before their end, share", "partials_before_the_end"),
        Line("stable words taken back", "stable_retracted", "0", at_most(0)),
        Line("commands understood, share", "command_accuracy", ">= 0.7", lambda value: value >= 0.7),
        Line("commands taken for another one", "commands_mistaken", "0", at_most(0)),
        Line("talk taken for a command", "command_false_accepts", "0", at_most(0)),
        Line("answers to herself", "self_answers", "0", at_most(0)),
        Line("heard while she speaks, share", "heard_over_her"),
        *(Line(name.removeprefix("options."), name) for name in figures if name.startswith("options.")),
        *(
            Line(name.replace("engines.", ""), name)
            for name in figures
            if name.startswith("engines.") and _counts(figures, name)
        ),
    )
    return tuple(line for line in known if line.figure in figures)


def _counts(figures: Figures, name: str) -> bool:
    """A note is none."""
    return isinstance(figures[name], int | float)


def main() -> int:
    arguments = parser(__doc__).parse_args()
    return run(measure(quick=arguments.quick), as_json=arguments.json)


if __name__ == "__main__":
    sys.exit(main())
