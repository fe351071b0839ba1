"""From Kitsu's words for faces and gestures to what the loaded model has."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from kitsu.config import Home
from kitsu.datafiles import DataFileError, read_yaml
from kitsu.errors import ConfigError

NEUTRAL = "neutral"
ENDING = ".exp3.json"
BODILY = frozenset({"TriggerAnimation", "ToggleExpression"})
"""Types of hotkeys (VTube Studio's Files/HotkeyAction.cs) that may be found by name. All others change the scene, the
model or the camera: only a map that says `hotkey:NAME` triggers one of those."""

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+|[^\W\d_a-zA-Z]+")

Names = tuple[str, ...]


class VtsMap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """configs/vts.yaml."""

    words: dict[str, Names]  # Kitsu's word -> names to look for in any model, best first
    models: dict[str, dict[str, Names]] = {}  # model's name -> the same, for that model


@dataclass(frozen=True, slots=True)
class Target:
    """What a word does. `key`: the expression's file or the hotkey's id."""

    kind: Literal["expression", "hotkey"]
    key: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Probed:
    """What a model has, as far as Kitsu cares."""

    name: str = ""  # empty: no model is loaded
    model_id: str = ""
    expressions: tuple[str, ...] = ()  # files
    hotkeys: tuple[tuple[str, str, str, str], ...] = ()  # id, name, type, file


def load_map(where: Home) -> VtsMap:
    """The map of this installation; a file of one's own in home wins over the checkout's.

    Raises:
        ConfigError: `bad_vts_map`.
    """
    own = where.root / "configs" / "vts.yaml"
    try:
        return read_yaml(own if own.is_file() else where.configs / "vts.yaml", VtsMap)
    except DataFileError as error:
        raise ConfigError("bad_vts_map", f"{error}.") from None


def read_model(current: Mapping[str, Any], expressions: Mapping[str, Any], hotkeys: Mapping[str, Any]) -> Probed:
    """What three answers of VTube Studio say; whatever is odd in them is left out."""
    if current.get("modelLoaded") is not True:
        return Probed()
    files = [row["file"] for row in _rows(expressions, "expressions") if isinstance(row.get("file"), str)]
    keys = [
        (key, str(row.get("name") or ""), str(row.get("type") or ""), str(row.get("file") or ""))
        for row in _rows(hotkeys, "availableHotkeys")
        if isinstance(key := row.get("hotkeyID"), str) and key
    ]
    return Probed(str(current.get("modelName") or "?"), str(current.get("modelID") or ""), tuple(files), tuple(keys))


def resolve(words: Iterable[str], names: VtsMap, model: Probed) -> dict[str, Target]:
    """What each of Kitsu's words does in this model; words that it has nothing for are missing."""
    own = names.models.get(model.name, {})
    found = {word: _find(own.get(word) or names.words.get(word) or (word,), model) for word in words}
    return {word: target for word, target in found.items() if target is not None}


def _find(names: Names, model: Probed) -> Target | None:
    """The first name that something is called, or that is a word of something's name."""
    targets = [(target, _split(target.name)) for target in _bodily(model)]
    for name in names:
        kind, _, rest = name.partition(":")
        if rest and kind in ("expression", "hotkey"):
            if (target := _named(kind, rest, model)) is not None:
                return target
            continue
        wanted = _split(name)
        whole = (target for target, parts in targets if parts == wanted)
        within = (target for target, parts in targets if wanted and _within(wanted, parts))
        if (target := next(whole, None) or next(within, None)) is not None:
            return target
    return None


def _bodily(model: Probed) -> list[Target]:
    keys = [row for row in model.hotkeys if row[2] in BODILY]
    return [*(_expression(file) for file in model.expressions), *(_hotkey(row, model) for row in keys)]


def _named(kind: str, name: str, model: Probed) -> Target | None:
    """What a map names outright."""
    wanted = name.strip().casefold()
    if kind == "expression":
        files = (f for f in model.expressions if wanted in (f.casefold(), f.removesuffix(ENDING).casefold()))
        return next(map(_expression, files), None)
    rows = (row for row in model.hotkeys if wanted in (row[0].casefold(), row[1].casefold()))
    return next((_hotkey(row, model) for row in rows), None)


def _expression(file: str) -> Target:
    return Target("expression", file, file.removesuffix(ENDING))


def _hotkey(row: tuple[str, str, str, str], model: Probed) -> Target:
    """A hotkey that toggles an expression is used as that expression: a toggle does not know which way it goes."""
    key, name, kind, file = row
    if kind == "ToggleExpression" and file in model.expressions:
        return Target("expression", file, name or file.removesuffix(ENDING))
    return Target("hotkey", key, name or key)


def _split(name: str) -> list[str]:
    return [word.casefold() for word in _WORDS.findall(name)]


def _within(wanted: list[str], parts: list[str]) -> bool:
    return any(parts[at : at + len(wanted)] == wanted for at in range(len(parts)))


def _rows(answer: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    rows = answer.get(key)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
