"""Hiding secrets and what viewers wrote."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from kitsu.config import Home, read
from kitsu.config.fields import is_secret
from kitsu.errors import ConfigError

HIDDEN = "(hidden)"
MIN_CHARS = 4  # a shorter "secret" would be found in every second word
_NAME = r"[\w-]*(?:api_?key|password|passwd|secret|token)"
_ASSIGNED = re.compile(rf"(\b{_NAME}[\"']?[ \t]*[:=][ \t]*)(\"[^\"\n]*\"|'[^'\n]*'|[^\s,}}#]+)", re.IGNORECASE)
_PATTERNS = (
    (re.compile(r"(Bearer\s+)\S+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"([#?&](?:k|key|token|access_token)=)[^\s&\"']+"), rf"\1{HIDDEN}"),
    (re.compile(r"(://)[^/\s:@]*:[^/\s@]*@"), rf"\1{HIDDEN}@"),
    (re.compile(r"\b(?:sk|pk|ghp|xox[a-z]|oauth)[-_:][\w-]{8,}"), HIDDEN),
    (re.compile(r"\b[A-Za-z0-9_-]{40,}\b"), HIDDEN),  # looks like a token
)


class Redactor:
    """Knows this installation's secrets."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = sorted({text for text in known if len(text) >= MIN_CHARS}, key=len, reverse=True)

    def assigned(self, text: str) -> str:
        """Settings as people write them, without the values of secrets."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        return _ASSIGNED.sub(lambda found: f'{found[1]}""', text)

    def clean(self, data: Any) -> Any:
        """JSON data without secrets and without anything under `pii_…`, however deep."""
        match data:
            case dict():
                return {str(key): HIDDEN if _private(str(key)) else self.clean(value) for key, value in data.items()}
            case list() | tuple():
                return [self.clean(item) for item in data]
            case str():
                return self._text(data)
            case _:
                return data

    def _text(self, text: str) -> str:
        if "pii_" in text:
            return HIDDEN  # a broken line of a log, or something that quotes one
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        text = _ASSIGNED.sub(rf"\1{HIDDEN}", text)
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
        return text.replace(str(Path.home()), "~") if len(str(Path.home())) > 1 else text


def _private(key: str) -> bool:
    return key.startswith("pii_") or is_secret(key.lower())


def known_secrets(where: Home) -> Iterator[str]:
    """What stands in `secrets/` and in secret settings. What cannot be read cannot leak."""
    if where.secrets.is_dir():
        for path in where.secrets.iterdir():
            try:
                yield path.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                continue
    try:
        values = read(where).values
    except ConfigError:
        return
    for section in values.values():
        yield from (str(value) for key, value in section.items() if is_secret(key) and value)
