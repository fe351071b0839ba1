"""Settings as text: without their secrets, and with those of another file put back."""

import io
import re
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from kitsu.config import Source, load, section_type
from kitsu.config.fields import is_secret
from kitsu.config.files import yaml_settings
from kitsu.services import SECTIONS
from kitsu_cli.archive.redaction import Redactor

_SECRET_COMMENT = re.compile(r"(key|password|secret|token)\w*\s*[:=]\s*\S|://[^/\s]*@", re.IGNORECASE)


def without_secrets(text: str, redactor: Redactor) -> str:
    """`.env` with our settings and comments only, secrets left out."""
    kept = [binding.original.string for binding in _bindings(text) if _harmless(binding)]
    return redactor.assigned("".join(kept))


def with_secrets_of(text: str, now: str) -> str:
    """`text`, and every line of `now` that holds a secret which `text` does not set."""
    given = {binding.key for binding in _bindings(text) if binding.key}
    more = [
        binding.original.string.strip("\r\n")
        for binding in _bindings(now)
        if binding.key and binding.key not in given and not _harmless(binding)
    ]
    if not more:
        return text
    return "\n".join([text.rstrip("\r\n"), *more, ""]).lstrip("\n")


def says_only_defaults(path: Path) -> bool:
    """Whether a kitsu.yaml changes nothing. Such a file would only pin the defaults of an old version."""
    source = Source()
    for section, key, value, _ in yaml_settings(path):
        source.values.setdefault(section, {}).update({key: value} if key else {})
    return set(source.values) <= set(SECTIONS) and all(
        load(name, section_type(name), source) == section_type(name)() for name in SECTIONS
    )


def _bindings(text: str) -> list[Binding]:
    return list(parse_stream(io.StringIO(text, newline="")))


def _harmless(binding: Binding) -> bool:
    original = binding.original.string
    if binding.key is None:
        return not binding.error and not _SECRET_COMMENT.search(original)
    if not binding.key.upper().startswith("KITSU_"):
        return False  # whatever it is, it is not ours
    return not is_secret(binding.key.lower()) and "@" not in (binding.value or "")
