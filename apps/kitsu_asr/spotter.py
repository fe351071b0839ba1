"""Listens for commands alone, beside the recogniser: a grammar in a decoder of its own. In the child process."""

import re

import pocketsphinx

from kitsu_asr.engine import Heard
from kitsu_asr.engines.pocketsphinx import MEANS
from kitsu_asr.grammar import ALSO, Command, Vocabulary, jsgf, meaning, phones_of, words
from kitsu_asr.likeness import is_command

LONGEST_BYTES = 16_000 * 2 * 4  # no command takes 4 s: what is longer is talk, and costs nothing more
PACE = (5.5, 25.0)  # frames of 10 ms a sound: commands were said at 6 to 16, talk was taken for one at 4 (measured)
LEAD = 34  # frames before the first word: what begins later was speech taken for silence ("un" of "unmute")


class Spotter:
    """One utterance at a time; a second one that is spoken meanwhile holds no command."""

    def __init__(self) -> None:
        self._decoder = pocketsphinx.Decoder(lm=None, bestpath=False, loglevel="FATAL")
        self._known: set[str] = set()
        self._vocabulary = Vocabulary()
        self._fed = -1  # bytes of the running utterance; -1: none runs
        self.prepare(self._vocabulary)

    def prepare(self, vocabulary: Vocabulary) -> None:
        """Another grammar from the next utterance on."""
        self.cancel()
        for word in words(vocabulary):
            if self._decoder.lookup_word(word) is None and word not in self._known:
                self._add(word)
        self._vocabulary = vocabulary
        self._decoder.add_jsgf_string("commands", jsgf(vocabulary))
        self._decoder.activate_search("commands")

    def _add(self, word: str) -> None:
        self._known.add(word)
        self._decoder.add_word(word, phones_of(word), False)
        for number, sounds in enumerate(ALSO.get(word, ()), 2):
            self._decoder.add_word(f"{word}({number})", sounds, False)

    def begin(self) -> bool:
        """False: it listens to another one."""
        if self._fed >= 0:
            return False
        self._fed = 0
        self._decoder.set_cmn(MEANS)  # whoever spoke before may have been somebody else
        self._decoder.start_utt()
        return True

    def feed(self, pcm: bytes) -> None:
        """More of it."""
        if 0 <= self._fed <= LONGEST_BYTES:
            self._fed += len(pcm)
            self._decoder.process_raw(pcm, False, False)

    def finish(self, heard: Heard) -> Command | None:
        """The command, if all of it was one. `heard`: what free recognition made of the same sound."""
        fed = self._fed
        self.cancel()
        if not 0 < fed <= LONGEST_BYTES:
            return None
        said = self._decoder.hyp()
        if said is None:
            return None
        parts = [part for part in self._decoder.seg() if not part.word.startswith(("<", "("))]
        if not parts or parts[0].start_frame > LEAD or not all(map(self._plausible, parts)):
            return None
        gain = (said.best_score - heard.score) / self._decoder.n_frames() if heard.score else None
        spoken = [part.word for part in parts]
        if not is_command(gain, self._sounds(spoken), self._sounds(heard.text.split())):
            return None
        return meaning(said.hypstr, self._vocabulary)

    def _sounds(self, spoken: list[str]) -> list[str]:
        """Of words as recognisers write them."""
        sounds: list[str] = []
        for word in spoken:
            bare = re.sub(r"[^a-z0-9'()]", "", word.casefold())
            sounds += (self._decoder.lookup_word(bare) or phones_of(bare)).split() if bare else ()
        return sounds

    def _plausible(self, part: pocketsphinx.Segment) -> bool:
        """Whether a word was said at a pace that people speak at: talk is squeezed or stretched into commands."""
        pace = (part.end_frame - part.start_frame + 1) / len(self._sounds([part.word]))
        return bool(PACE[0] <= pace <= PACE[1])

    def cancel(self) -> None:
        """Listen no more."""
        if self._fed >= 0:
            self._fed = -1
            self._decoder.end_utt()
