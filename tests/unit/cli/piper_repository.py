"""A tiny repository of Piper voices with the publisher's layout."""

import hashlib
import json
from pathlib import Path
from typing import Any

KEY = "en_US-fox-low"
FOLDER = "en/en_US/fox/low"
CARD = """# Model card for fox (low)

* Language: en_US (English, United States)
* Quality: low

## Dataset

* URL: https://example.org/fox
* License: Public Domain \x1b[2J
"""


def files(key: str = KEY, folder: str = FOLDER, card: str = CARD, size: int = 50_000) -> dict[str, bytes]:
    """The files of one voice, by path."""
    model = bytes((n * 7 + len(key)) % 251 for n in range(size))
    return {
        f"{folder}/{key}.onnx": model,
        f"{folder}/{key}.onnx.json": b'{"audio": {"sample_rate": 16000}}',
        f"{folder}/MODEL_CARD": card.encode(),
    }


def entry(found: dict[str, bytes], key: str = KEY) -> dict[str, Any]:
    """What the manifest says about it."""
    return {
        "key": key,
        "name": "fox",
        "language": {"code": key.partition("-")[0], "family": "en", "name_english": "English"},
        "quality": "low",
        "num_speakers": 1,
        "speaker_id_map": {},
        "files": {path: _about(data) for path, data in found.items()},
        "aliases": [],
    }


def _about(data: bytes) -> dict[str, Any]:
    return {"size_bytes": len(data), "md5_digest": hashlib.md5(data, usedforsecurity=False).hexdigest()}


def repository(*more: str) -> dict[str, bytes]:
    """All files of the fox and of the voices named, with `voices.json`."""
    everything, entries = {}, {}
    for key in (KEY, *more):
        language, name, quality = key.split("-")
        found = files(key, f"{language[:2]}/{language}/{name}/{quality}")
        everything |= found
        entries[key] = entry(found, key)
    return everything | {"voices.json": json.dumps(entries).encode()}


def write(folder: Path, content: dict[str, bytes]) -> Path:
    """The repository as a folder."""
    for path, data in content.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return folder
