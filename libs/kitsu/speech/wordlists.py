"""What the segmenter knows about English."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CONJUNCTIONS = _words(
    "and but or so because since although though while when where if unless until before after that which who whose"
    " whether than"
)
"""Words that a speaker may breathe before."""

PREPOSITIONS = _words(
    "at by for from in into on to with without through during between across despite about inside outside behind"
    " against"
)
"""The same, but a question may end on one ("what are you talking about?")."""

CLINGS_TO = _words("want wants wanted going have has had need needs got used try trying able about ought like love")
"""Words that "to" follows without a breath."""

QUESTION_WORDS = _words("what who whom whose which where when how why do does did are is can could would")
"""Words that begin a question."""

ABBREVIATIONS = _words(
    "mr mrs ms dr prof st sr jr vs etc approx dept est inc ltd vol rev sgt capt lt feb aug sept oct nov dec mt ave"
)
"""A full stop after one of these does not end a sentence. Single letters and words with stops inside (e.g., U.S.) are
found by their form."""

NOT_ACTIONS = _words("is was this his has does always yes us its sometimes perhaps")
"""Words that look like a stage direction's verb ("*giggles*") and are not."""
