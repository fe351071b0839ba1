"""PocketSphinx: comes with its English model, runs anywhere, and understands about two words of three.

It recognises while it is fed, so that partials and finals cost nothing more. A decoder serves one utterance at a time;
a second one is made when two people speak at once.
"""

import math
import re
from collections.abc import Sequence

import pocketsphinx

from kitsu.errors import EngineError
from kitsu.protocol import EARS_RATE_HZ
from kitsu_asr.engine import Choice, Heard, Session, Word

FRAME_S = 0.01
LONGEST_S = 120.0
MEANS = "43,5,1,18,-2,0,4,-3,-2,-5,3,0,-2"
"""Cepstral means to begin with, half-way between the package's own and those of our synthesisers: with its own, the
first sentence has twice the errors (measured). From then on they follow the speaker."""
FAR = 20.0  # from MEANS: that was no speech, and would spoil what is said next
_ALTERNATIVE = re.compile(r"\(\d+\)$")


class PocketSphinxEngine:
    """English, whatever is asked for."""

    name = "pocketsphinx"
    partials = True

    def __init__(self, choice: Choice) -> None:
        self._free: list[pocketsphinx.Decoder] = []

    def load(self) -> str:
        self._free.append(_decoder())
        return "pocketsphinx, its bundled English model: real recognition, about two words of three right"

    def open(self, language: str, hints: Sequence[str]) -> Session:
        return _Utterance(self._free.pop() if self._free else _decoder(), self._free)


def _decoder() -> pocketsphinx.Decoder:
    try:
        decoder = pocketsphinx.Decoder(fwdflat=False, loglevel="FATAL")  # its second look takes 0.1 s for 1 % of words
        decoder.set_cmn(MEANS)
    except (RuntimeError, OSError) as error:
        raise EngineError("bad_model", f"PocketSphinx cannot read its model ({error}).") from None
    return decoder


def keep_means_sane(decoder: pocketsphinx.Decoder) -> None:
    """After an utterance: forget what was learned from something that was no speech."""
    if math.dist(_means(decoder.get_cmn(False)), _means(MEANS)) > FAR:
        decoder.set_cmn(MEANS)


def _means(text: str) -> list[float]:
    return [float(number) for number in text.split(",")]


class _Utterance:
    """One utterance in one decoder; the decoder goes back to `free`."""

    def __init__(self, decoder: pocketsphinx.Decoder, free: list[pocketsphinx.Decoder]) -> None:
        self._decoder = decoder
        self._free = free
        self._running = True
        self._left = int(LONGEST_S * EARS_RATE_HZ) * 2
        decoder.start_utt()

    def feed(self, pcm: bytes) -> None:
        pcm = pcm[: self._left]
        self._left -= len(pcm)
        if pcm:
            self._decoder.process_raw(pcm, False, False)

    def partial(self) -> Heard:
        return self._heard()

    def finish(self) -> Heard:
        self._end()
        return self._heard()

    def close(self) -> None:
        self._end()
        keep_means_sane(self._decoder)
        self._free.append(self._decoder)

    def _end(self) -> None:
        if self._running:
            self._running = False
            self._decoder.end_utt()

    def _heard(self) -> Heard:
        best = self._decoder.hyp()
        words = tuple(self._words()) if best is not None else ()
        known = [word.confidence for word in words if word.confidence > 0]
        return Heard(
            text=" ".join(word.word for word in words),
            words=words,
            language="en",
            confidence=sum(known) / len(known) if known and not self._running else 0.0,
            score=float(best.best_score) if best is not None and not self._running else 0.0,
            ends=self._ends(words),
        )

    def _ends(self, words: Sequence[Word]) -> float:
        """How often texts end after such words, by the language model."""
        if not words:
            return 0.0
        last = [word.word for word in reversed(words[-2:])]
        model = self._decoder.get_lm("_default")
        likely: float = self._decoder.get_logmath().exp(model.prob(["</s>", *last]))
        return min(1.0, likely)

    def _words(self) -> Sequence[Word]:
        logmath = self._decoder.get_logmath()
        return [
            Word(
                _ALTERNATIVE.sub("", part.word),
                part.start_frame * FRAME_S,
                (part.end_frame + 1) * FRAME_S,
                min(1.0, logmath.exp(part.prob)),
            )
            for part in self._decoder.seg()
            if not part.word.startswith(("<", "[", "+"))
        ]
