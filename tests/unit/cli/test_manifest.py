"""A publisher's list that lies or attacks."""

import json
from typing import Any

import pytest

from kitsu_cli.downloads.card import licence
from kitsu_cli.downloads.manifest import Manifest
from kitsu_cli.exits import VerbError
from tests.unit.cli.piper_repository import FOLDER, KEY, entry, files


def manifest(change: Any = None, key: str = KEY) -> Manifest:
    """The fox's entry, changed."""
    about = entry(files(key), key)
    if change:
        change(about)
    return Manifest(json.dumps({key: about}).encode())


def renamed(path: str) -> Any:
    def change(about: dict[str, Any]) -> None:
        about["files"][path] = about["files"].pop(f"{FOLDER}/{KEY}.onnx")

    return change


def model_says(field: str, value: object) -> Any:
    def change(about: dict[str, Any]) -> None:
        about["files"][f"{FOLDER}/{KEY}.onnx"][field] = value

    return change


def test_an_honest_voice() -> None:
    voice = manifest().voice(KEY)
    assert (voice.key, voice.language, voice.quality, voice.speakers) == (KEY, "en_US", "low", 1)
    assert voice.model.size_bytes == 50_000
    assert voice.card is not None
    assert list(manifest().voices()) == [voice]


def test_names_in_other_scripts_are_fine() -> None:
    key = "pt_PT-tugão-medium"
    assert manifest(key=key).voice(key).key == key


@pytest.mark.parametrize(
    "path",
    [
        f"../{KEY}.onnx",
        f"en/../../{KEY}.onnx",
        f"/etc/{KEY}.onnx",
        f"C:/x/{KEY}.onnx",
        f"C:\\x\\{KEY}.onnx",
        f"en\\{KEY}.onnx",
        f"en//{KEY}.onnx",
        f"en/\x00/{KEY}.onnx",
        f"en/./{KEY}.onnx",
        f"en/a./{KEY}.onnx",
        f"en/a b/{KEY}.onnx",
        f"en/{KEY}.onnx?x=/{KEY}.onnx",
        f"en/%2e%2e/{KEY}.onnx",
        f"{'a/' * 200}{KEY}.onnx",
        f"en/other/{KEY}.onnx.json",
        "en/other.onnx",
        "",
    ],
)
def test_tricks_in_a_path(path: str) -> None:
    with pytest.raises(VerbError) as caught:
        manifest(renamed(path)).voice(KEY)
    assert caught.value.code == "bad_manifest"
    assert list(manifest(renamed(path)).voices()) == []


@pytest.mark.parametrize(
    "change",
    [
        *(model_says("size_bytes", size) for size in (0, -1, 10**13, True, "5", 1.5, None, float("nan"))),
        *(model_says("md5_digest", md5) for md5 in ("", "x" * 32, "A" * 32, None, "a" * 31)),
        lambda about: about.update(key="other"),
        lambda about: about.update(files=[]),
        lambda about: about.update(files=None),
        lambda about: about.update(language="en"),
        lambda about: about.pop("quality"),
        lambda about: about.update(num_speakers="many"),
        lambda about: about["files"].pop(f"{FOLDER}/{KEY}.onnx.json"),
    ],
)
def test_an_entry_that_is_not_one(change: Any) -> None:
    with pytest.raises(VerbError) as caught:
        manifest(change).voice(KEY)
    assert caught.value.code == "bad_manifest"


@pytest.mark.parametrize(
    "key", ["../fox-low", "fox", "a/b-c", "a-b.onnx", ".a-b", "a-b\x00", "a b-c", "-a-b", "x-" * 99]
)
def test_tricks_in_a_name(key: str) -> None:
    with pytest.raises(VerbError) as caught:
        manifest(key=key).voice(key)
    assert caught.value.code == "bad_manifest"
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("data", [b"", b"<html>", b"[]", b"5", b"\xff\xfe", b"[" * 200_000, b'{"a":' * 100_000])
def test_what_is_no_list(data: bytes) -> None:
    with pytest.raises(VerbError) as caught:
        Manifest(data)
    assert caught.value.code == "bad_manifest"


def test_an_entry_that_is_no_object_takes_no_others_away() -> None:
    about = {KEY: entry(files()), "x-y": None, "a-b": [1]}
    assert [voice.key for voice in Manifest(json.dumps(about).encode()).voices()] == [KEY]


@pytest.mark.parametrize(
    ("card", "line", "restricted"),
    [
        ("* License: Public Domain", "License: Public Domain", False),
        ("* License: CC BY-NC-SA 4.0", "License: CC BY-NC-SA 4.0", True),
        ("Licence: for non-commercial use", "Licence: for non-commercial use", True),
        ("# nothing\nof that", "Licence: not stated by its publisher", False),
        ("", "Licence: not stated by its publisher", False),
        ("License: a\x1b[31mb", "License: a [31mb", False),
    ],
)
def test_what_a_card_says(card: str, line: str, restricted: bool) -> None:
    found = licence(card)
    assert (found.lines[0], found.restricted) == (line, restricted)
    assert all(line.isprintable() for line in found.lines)
