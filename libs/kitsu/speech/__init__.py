"""Speech as text: cleaning, stage directions, cuts, mouth shapes, what was heard. Code without I/O."""

from kitsu.speech.segmenter import Cuts, RawSegment
from kitsu.speech.stream import SegmentStream
from kitsu.speech.timing import WordTimeline, heard_text, spoken_ms
from kitsu.speech.visemes import viseme_of

__all__ = ["Cuts", "RawSegment", "SegmentStream", "WordTimeline", "heard_text", "spoken_ms", "viseme_of"]
