"""From a model's raw deltas to segments, in one call a token."""

from collections import Counter
from collections.abc import Sequence

from kitsu.speech.cleaner import Cleaner
from kitsu.speech.prefixes import PrefixFilter
from kitsu.speech.segmenter import Cuts, RawSegment, Segmenter
from kitsu.speech.tags import TagParser


class SegmentStream:
    """One answer: clean it, find its stage directions, cut it where a speaker would breathe.

    Linear in the text's length, whatever the text; holds at most one segment and a few hundred code points.

    Args:
        cuts: `natural`: first after a comma-like mark, or before a conjunction or preposition once five words stand;
            `eager`: after a comma or four words.
        names: the speaker's own names, dropped where they stand before a colon at the start of a line.
        expressions: stage directions that change the face, lower case.
        actions: stage directions that move the body, lower case.
    """

    def __init__(
        self, *, cuts: Cuts, names: Sequence[str], expressions: frozenset[str], actions: frozenset[str]
    ) -> None:
        self._tags = TagParser(expressions, actions)
        self._cleaner = Cleaner(self._tags)
        self._prefixes = PrefixFilter(names)
        self._segmenter = Segmenter(cuts)

    @property
    def unknown_tags(self) -> Counter[str]:
        """How often each stage direction came that the character does not know; the first 100 distinct ones."""
        return self._tags.unknown

    def feed(self, delta: str, buffered_ms: float = 0.0) -> list[RawSegment]:
        """The segments that `delta` completes.

        Args:
            delta: raw model text, split anywhere.
            buffered_ms: sound that is still to be played, what is being voiced included (`timing.spoken_ms` guesses).
                The less there is, the earlier the cut; with none, at the first place that the mode allows.
        """
        self._segmenter.buffered_ms = buffered_ms
        self._pass_on(delta, final=False)
        self._segmenter.settle()
        return self._segmenter.take()

    def finish(self) -> list[RawSegment]:
        """The answer is over: what is left, in order. A stage direction with no words after it is dropped."""
        self._segmenter.buffered_ms = float("inf")  # nobody waits for a token any more: whole sentences
        self._pass_on("", final=True)
        self._segmenter.finish()
        return self._segmenter.take()

    def _pass_on(self, delta: str, *, final: bool) -> None:
        for piece in self._cleaner.feed(delta, final=final):
            if isinstance(piece, str):
                self._segmenter.feed(self._prefixes.feed(piece))
            else:
                self._segmenter.direct(piece)
        if final:
            self._segmenter.feed(self._prefixes.feed("", final=True))
