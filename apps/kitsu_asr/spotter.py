"""Listens for commands alone, beside the recogniser: a grammar in a decoder of its own. In the child process."""

import pocketsphinx

from kitsu_asr.engines.pocketsphinx import MEANS, keep_means_sane
from kitsu_asr.grammar import PHONES, Command, Vocabulary, jsgf, meaning, phone_word, phones_of, words

LONGEST_BYTES = 16_000 * 2 * 4  # no command takes 4 s: what is longer is talk, and costs nothing more
PACE = (5.5, 25.0)  # frames of 10 ms a sound: commands were said at 6 to 16, talk was taken for one at 4 (measured)


class Spotter:
    """One utterance at a time; a second one that is spoken meanwhile holds no command."""

    def __init__(self) -> None:
        self._decoder = pocketsphinx.Decoder(lm=None, bestpath=False, loglevel="FATAL")
        self._decoder.set_cmn(MEANS)
        for phone in PHONES:
            self._decoder.add_word(phone_word(phone), phone, False)
        self._known: set[str] = set()
        self._vocabulary = Vocabulary()
        self._fed = -1  # bytes of the running utterance; -1: none runs
        self.prepare(self._vocabulary)

    def prepare(self, vocabulary: Vocabulary) -> None:
        """Another grammar from the next utterance on."""
        self.cancel()
        for word in words(vocabulary):
            if self._decoder.lookup_word(word) is None and word not in self._known:
                self._decoder.add_word(word, phones_of(word), False)
                self._known.add(word)
        self._vocabulary = vocabulary
        self._decoder.add_jsgf_string("commands", jsgf(vocabulary))
        self._decoder.activate_search("commands")

    def begin(self) -> bool:
        """False: it listens to another one."""
        if self._fed >= 0:
            return False
        self._fed = 0
        self._decoder.start_utt()
        return True

    def feed(self, pcm: bytes) -> None:
        """More of it."""
        if 0 <= self._fed <= LONGEST_BYTES:
            self._fed += len(pcm)
            self._decoder.process_raw(pcm, False, False)

    def finish(self) -> Command | None:
        """The command, if all of it was one."""
        fed = self._fed
        self.cancel()
        if not 0 < fed <= LONGEST_BYTES:
            return None
        said = self._decoder.hyp()
        if said is None or not all(map(self._plausible, self._decoder.seg())):
            return None
        return meaning(said.hypstr, self._vocabulary)

    def _plausible(self, part: pocketsphinx.Segment) -> bool:
        """Whether a word was said at a pace that people speak at: talk is squeezed or stretched into commands."""
        sounds = self._decoder.lookup_word(part.word)
        if sounds is None or part.word.startswith(("<", "(")):
            return True
        pace = (part.end_frame - part.start_frame + 1) / len(sounds.split())
        return bool(PACE[0] <= pace <= PACE[1])

    def cancel(self) -> None:
        """Listen no more."""
        if self._fed >= 0:
            self._fed = -1
            self._decoder.end_utt()
            keep_means_sane(self._decoder)
