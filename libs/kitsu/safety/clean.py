"""The form in which text may leave: nothing that hides, turns round or breaks a line."""

import re
import unicodedata

_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029"  # control characters, line and paragraph separators
    "\ud800-\udfff]+"  # halves of surrogate pairs
)
_HIDDEN = re.compile(
    "[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069"  # direction marks and overrides
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]+"  # byte order mark, annotations, tags
)
_BLANKS = re.compile(r"\s+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")


def clean(text: str) -> str:
    """`text` in NFC on one line, without control characters, direction overrides and invisible tags."""
    printable = _HIDDEN.sub("", _UNPRINTABLE.sub(" ", text))
    return _BLANKS.sub(" ", unicodedata.normalize("NFC", printable)).strip()


def parted(name: str) -> str:
    """A display name with blanks where its words meet: `BadFox99` → `Bad Fox 99`."""
    return _CAMEL.sub(" ", name)
