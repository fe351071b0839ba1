"""Texts inside a text: encoded, hidden, turned round or spelled out. Each is judged like the text itself."""

from collections.abc import Collection, Iterator

from kitsu.safety import encodings, wordplay
from kitsu.safety.views import View, plain, rewritten

_ENCODINGS = {
    "url": encodings.url,
    "entities": encodings.entities,
    "escapes": encodings.escapes,
    "base64": encodings.base64_,
    "base32": encodings.base32,
    "hex": encodings.hexadecimal,
    "bits": encodings.bits,
    "codes": encodings.codes,
    "places": encodings.places,
    "morse": encodings.morse,
    "tags": encodings.tags,
}
_WORDPLAY = {
    "rot13": wordplay.rot13,
    "backwards": wordplay.backwards,
    "backwards words": wordplay.backwards_words,
    "overridden": wordplay.overridden,
    "upside down": wordplay.upside_down,
    "pig latin": wordplay.pig_latin,
    "letter names": wordplay.letter_names,
    "as in": wordplay.as_in,
    "quoted parts": wordplay.quoted_parts,
    "assigned": wordplay.assigned,
    "blanks": wordplay.blanks,
    "camel case": wordplay.camel_case,
    "plus": wordplay.plus,
    "acrostic": wordplay.acrostic,
    "romanised": wordplay.romanised,
}
_DEPTH = 2  # an encoding inside an encoding; nobody's eye goes further
MAX_CODE_POINTS = 4000


def disguised(text: str, known: Collection[str]) -> Iterator[View]:
    """The plain views of what `text` hides. `known`: words (folded) that give a hidden text away."""
    whole = View("text", text, range(len(text)))
    yield from _decoded(whole, known, _DEPTH)


def _decoded(view: View, known: Collection[str], depth: int) -> Iterator[View]:
    for name, encoding in _ENCODINGS.items():
        if pieces := list(encoding(view.text)):
            found = rewritten(view, name, pieces)
            yield plain(found.text[:MAX_CODE_POINTS], found, name=name)
            if depth > 1:
                yield from _decoded(found, known, depth - 1)
    for name, play in _WORDPLAY.items():
        if pieces := list(play(view.text, known)):
            found = rewritten(view, name, pieces)
            yield plain(found.text[:MAX_CODE_POINTS], found, name=name)
