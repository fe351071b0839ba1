"""Her own written lines must pass the gate: looked at before the show starts, and again when rules change."""

import re
from collections.abc import Iterator
from pathlib import Path

from kitsu.characters import Character
from kitsu.characters.character import filled
from kitsu.datafiles import DataFileError, line_of
from kitsu.errors import ConfigError
from kitsu.safety import RuleSet
from kitsu.safety.clean import clean
from kitsu.speech.saying import Speaker

_DIRECTION = re.compile(r"\[[^\[\]]*\]")


def blocked_lines(
    character: Character, rules: RuleSet, speaker: Speaker
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where in the character's file a line stands that the gate would not let her say, and which rule says so."""
    for where, line in _lines(character):
        written = clean(_DIRECTION.sub("", line))
        for text in dict.fromkeys((written, speaker.say(written).text)):
            if finding := rules.find(text, "output"):
                yield where, finding.rule
                break


def check_lines(character: Character, folder: Path, rules: RuleSet, speaker: Speaker) -> None:
    """The show doesn't start with a line that she may not say.

    Raises:
        ConfigError: `blocked_line`, naming file and line.
    """
    for where, rule in blocked_lines(character, rules, speaker):
        raise ConfigError(
            "blocked_line", f"{_place(folder / f'{character.id}.yaml', where)}: the gate blocks it ({rule})."
        )


def place_of(character: Character, folder: Path, where: tuple[str | int, ...]) -> str:
    """File and line, for people."""
    return _place(folder / f"{character.id}.yaml", where)


def _place(path: Path, where: tuple[str | int, ...]) -> str:
    try:
        line = line_of(path, *where)
    except DataFileError:  # it was there a moment ago
        line = 0
    return f"{path}, line {line} ({'.'.join(map(str, where[:2]))})"


def _lines(character: Character) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for name, lines in character.fallbacks.items():
        yield from ((("fallbacks", name, index), line) for index, line in enumerate(lines))
    for name, intent in character.intents.items():
        yield from ((("intents", name, "lines", index), line) for index, line in enumerate(intent.lines))
    yield from ((("topics", index, "line"), topic.line) for index, topic in enumerate(character.topics))
    for name, lines in character.thanks.items():
        for index, line in enumerate(lines):
            yield ("thanks", name, index), filled(line, name="Robin", amount=3, names="Robin and Kim")
