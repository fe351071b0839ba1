"""What models write at the start of a line and nobody says: bullets, headings, the speaker's own name."""

import re
from collections.abc import Sequence

_BULLETS = r"\s*(?:[-+•>#]{1,6}\s+)*"
_BULLET_BEGUN = re.compile(r"[-+•>#]{1,6}")
_ROLES = ("assistant", "ai")
MAX_HELD = 64  # code points; names that are longer are not looked for


class PrefixFilter:
    """Drops bullets, heading signs and `Kitsu:` at line starts; holds only what may still become one."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(name.lower() for name in (*names, *_ROLES) if name.strip())
        self._prefix = re.compile(rf"{_BULLETS}(?:(?:{'|'.join(map(re.escape, self._names))})\s*:\s*)?", re.IGNORECASE)
        self._at_start = True
        self._held = ""

    def feed(self, text: str, *, final: bool = False) -> str:
        """`text` without its prefixes."""
        if not self._at_start and "\n" not in text:
            return text
        out = []
        for line in (self._held + text).splitlines(keepends=True) if "\n" in text else [self._held + text]:
            self._held = ""
            out.append(self._line(line, final))
            if line.endswith("\n"):
                self._at_start = True
        return "".join(out)

    def _line(self, line: str, final: bool) -> str:
        if not self._at_start:
            return line
        prefix = self._prefix.match(line)
        assert prefix is not None  # it may be empty, but it always matches
        rest = line[prefix.end() :]
        if not rest:
            return "\n" if line.endswith("\n") else ""
        if not final and self._may_grow(rest):
            self._held = rest
            return ""
        self._at_start = False
        return rest

    def _may_grow(self, rest: str) -> bool:
        start = rest.lower()
        if len(rest) > MAX_HELD:
            return False
        named = any(name.startswith(start) or start.rstrip() == name for name in self._names)
        return named or _BULLET_BEGUN.fullmatch(rest) is not None
