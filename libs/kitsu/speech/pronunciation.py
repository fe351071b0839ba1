"""The pronunciation list: how words are said that a voice would get wrong."""

from pathlib import Path

import msgspec

from kitsu.datafiles import DataFileError, line_of, read_yaml
from kitsu.errors import ConfigError

MAX_SAID = 80  # code points


class Pronunciation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Written -> said. An emote that is not said stands with an empty text."""

    words: dict[str, str] = {}
    emotes: dict[str, str] = {}


def load_pronunciation(path: Path) -> dict[str, str]:
    """All entries of the file, in one table.

    Raises:
        ConfigError: `bad_pronunciation`, naming file and line.
    """
    try:
        listed = read_yaml(path, Pronunciation)
        for name, table in (("words", listed.words), ("emotes", listed.emotes)):
            for written, said in table.items():
                if not written.strip() or " " in written or len(said) > MAX_SAID:
                    what = f"{written!r}: wants one written word, and at most {MAX_SAID} characters to say"
                    raise DataFileError(path, line_of(path, name, written), what)
    except DataFileError as error:
        raise ConfigError("bad_pronunciation", f"{error}.") from None
    return {**listed.words, **listed.emotes}
