"""Recognisers invent words on silence, noise and breath. What is likely invented is not believed.

Thresholds follow Whisper's own decoder (no-speech probability 0.6, log probability -1, compression ratio 2.4); the
phrases are what it is known to say on silence, learned from the ends of subtitled videos.
"""

import math
import re
import zlib

from kitsu_asr.engine import Heard

_PHANTOMS = frozenset(
    {
        "thank you",
        "thanks",
        "thanks for watching",
        "thank you for watching",
        "thank you so much for watching",
        "thanks for watching and see you next time",
        "please subscribe",
        "please subscribe to my channel",
        "please like and subscribe",
        "subtitles by the amara org community",
        "you",
        "bye",
        "bye bye",
        "the end",
        "untertitel der amara org community",
        "untertitel im auftrag des zdf für funk 2017",
        "untertitelung des zdf 2020",
        "untertitel von stephanie geiges",
        "vielen dank fürs zuschauen",
        "vielen dank",
        "bis zum nächsten mal",
        "copyright wdr 2021",
        "sous titres réalisés para la communauté d amara org",
        "sous titrage st 501",
        "merci d avoir regardé cette vidéo",
        "subtítulos realizados por la comunidad de amara org",
        "gracias por ver el video",
        "ご視聴ありがとうございました",
        "字幕by索兰娅",
        "продолжение следует",
    }
)
_ALWAYS = re.compile(r"amara org|untertitel(ung)? (im auftrag )?des zdf|sous titrage st|copyright wdr")
NO_SPEECH = 0.6
LOW_CONFIDENCE = math.exp(-1.0)
UNSURE = 0.6
COMPRESSION = 2.4
MAX_WORDS_PER_S = 9.0  # nobody speaks faster; auctioneers come to 6


def phantom(heard: Heard, voiced_ms: float) -> bool:
    """Whether the words were most likely never spoken. `voiced_ms`: how much of the sound was voice."""
    bare = " ".join(re.findall(r"\w+", heard.text.casefold()))
    if not bare:
        return True
    doubtful = heard.no_speech > UNSURE / 2 or 0 < heard.confidence < UNSURE or voiced_ms < 500
    return (
        (heard.no_speech > NO_SPEECH and heard.confidence < LOW_CONFIDENCE)
        or bool(_ALWAYS.search(bare))
        or (bare in _PHANTOMS and doubtful and not _said_quickly(bare, voiced_ms, heard))
        or repeats(bare)
        or len(bare.split()) > 3 + voiced_ms / 1000 * MAX_WORDS_PER_S
    )


def repeats(text: str) -> bool:
    """The same few words over and over."""
    data = text.encode()
    words = text.split()
    if len(words) >= 6 and len(set(words)) == 1:
        return True
    return len(data) > 60 and len(data) / len(zlib.compress(data)) > COMPRESSION


def _said_quickly(bare: str, voiced_ms: float, heard: Heard) -> bool:
    """Somebody may well say "thank you" or "bye": then there is voice for it, and the recogniser is not in doubt."""
    return voiced_ms >= 150 * len(bare.split()) and heard.no_speech < UNSURE / 2 and heard.confidence >= UNSURE
