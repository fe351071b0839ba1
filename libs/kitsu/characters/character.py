"""A character as its file describes it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from kitsu.datafiles import DataFileError, line_of, read_yaml
from kitsu.errors import ConfigError
from kitsu.protocol.policy import Intent

FALLBACK_INTENT = "fallback"
THANKS = ("raid", "sub", "resub", "gift", "cheer", "follow", "reward", "many")  # many: several people at once
NEEDED_FALLBACKS = ("blocked", "brain_down", "empty")

_ID = re.compile(r"[a-z0-9_-]{1,40}")
_DIRECTION = re.compile(r"\[([^\[\]]*)\]")
_PLACE = re.compile(r"\{(?:name|amount|names)\}")
_NAME = re.compile(r"[a-z]+(?: [a-z]+)*")


class Topic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something she may begin to talk about by herself."""

    about: str  # for the model
    line: str  # her own words for it, without a model


class Character(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A persona: what the model is told, what the demo brain says, what the body can do."""

    id: str
    name: str
    pronouns: str
    language: Literal["en", "de"] = "en"  # what she speaks: numbers and signs are said in it
    persona: tuple[str, ...]  # paragraphs of the system prompt: who she is, how she talks
    limits: tuple[str, ...]  # what she never does, one sentence each
    expressions: frozenset[str]  # faces that stay: [smile]
    actions: frozenset[str]  # gestures that pass: [wave]
    fallbacks: dict[
        str, tuple[str, ...]
    ]  # lines for when something went wrong, see NEEDED_FALLBACKS; or for a category
    intents: dict[str, Intent]  # the demo brain's lines; `fallback` is for everything else
    topics: tuple[Topic, ...] = ()  # for when chat is quiet
    thanks: dict[str, tuple[str, ...]] = {}  # by kind, see THANKS; {name}, {amount}, {names} are filled in
    voices: dict[str, str] = {}  # engine -> the voice that suits her

    def lines(self) -> Iterator[str]:
        """Everything that she may say without a model."""
        for fallbacks in self.fallbacks.values():
            yield from fallbacks
        for intent in self.intents.values():
            yield from intent.lines
        yield from (topic.line for topic in self.topics)
        for lines in self.thanks.values():
            yield from (filled(line, name="Robin", amount=3, names="Robin and Kim") for line in lines)


def filled(line: str, *, name: str, amount: int, names: str) -> str:
    """A line of `thanks` with its places filled; what a name holds is never a place itself."""
    values = {"{name}": name, "{amount}": str(amount), "{names}": names}
    return _PLACE.sub(lambda match: values[match[0]], line)


def load_character(character_id: str, folder: Path) -> Character:
    """The character in `folder`/`character_id`.yaml.

    Raises:
        ConfigError: `no_such_character` or `bad_character`, naming file and line.
    """
    if not _ID.fullmatch(character_id):
        raise _unknown(character_id, folder)
    path = folder / f"{character_id}.yaml"
    try:
        character = read_yaml(path, Character)
        _check(character, path)
    except DataFileError as error:
        if error.missing:
            raise _unknown(character_id, folder) from None
        raise ConfigError("bad_character", f"{error}.") from None
    return character


def _unknown(character_id: str, folder: Path) -> ConfigError:
    known = ", ".join(sorted(path.stem for path in folder.glob("*.yaml"))) or "none"
    return ConfigError(
        "no_such_character",
        f"show.character: there is no character {character_id[:60]!r} in {folder}. Allowed: {known}.",
    )


def _check(character: Character, path: Path) -> None:
    """What the types cannot say."""
    if character.id != path.stem:
        raise DataFileError(path, line_of(path, "id"), f"id must be {path.stem!r}, as the file's name")
    if not character.name.strip():
        raise DataFileError(path, line_of(path, "name"), "name must not be empty")
    for kind in ("expressions", "actions"):
        for word in getattr(character, kind):
            if not _NAME.fullmatch(word):
                raise DataFileError(path, line_of(path, kind), f"{word!r}: wants lower-case words")
    for kind in NEEDED_FALLBACKS:
        if not character.fallbacks.get(kind):
            raise DataFileError(path, line_of(path, "fallbacks"), f"fallbacks.{kind} needs at least one line")
    if FALLBACK_INTENT not in character.intents:
        raise DataFileError(path, line_of(path, "intents"), f"intents.{FALLBACK_INTENT} is missing")
    for name, intent in character.intents.items():
        if not intent.lines or (name != FALLBACK_INTENT and not intent.examples):
            raise DataFileError(path, line_of(path, "intents", name), f"intents.{name} needs lines and examples")
        _check_lines(character, intent.lines, path, ("intents", name, "lines"))
    for name, lines in character.fallbacks.items():
        _check_lines(character, lines, path, ("fallbacks", name))
    for index, topic in enumerate(character.topics):
        _check_lines(character, (topic.line,), path, ("topics", index, "line"))
    for name, lines in character.thanks.items():
        if name not in THANKS or not lines:
            raise DataFileError(path, line_of(path, "thanks", name), f"thanks has lines for {', '.join(THANKS)}")
        _check_lines(character, lines, path, ("thanks", name))


def _check_lines(character: Character, lines: tuple[str, ...], path: Path, where: tuple[str | int, ...]) -> None:
    known = character.expressions | character.actions
    for index, line in enumerate(lines):
        if not _DIRECTION.sub("", line).strip():
            raise DataFileError(path, line_of(path, *where, index), "a line must say something")
        for direction in _DIRECTION.findall(line):
            if direction not in known:
                raise DataFileError(
                    path, line_of(path, *where, index), f"[{direction}] is neither an expression nor an action"
                )
