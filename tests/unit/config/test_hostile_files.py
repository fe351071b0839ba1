"""kitsu.yaml and .env that are broken or mean harm: one error with file and line, at once."""

from pathlib import Path

import pytest

from kitsu.config import read
from kitsu.config.files import MAX_FILE_BYTES
from kitsu.errors import ConfigError
from tests.unit.config.conftest import Settings

LAUGHS = "a: &a [ha, ha]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)

YAML = {
    "not a mapping": ("- tts\n- policy\n", "line 1: wants sections"),
    "one word": ("hello", "line 1: wants sections"),
    "tab": ("tts:\n\tengine: espeak\n", "line 2: not valid YAML"),
    "open quote": ("tts:\n  voice: 'x\n", "not valid YAML"),
    "two documents": ("tts:\n---\ntts:\n", "not valid YAML"),
    "python object": ("tts:\n  voice: !!python/object/apply:os.system [ls]\n", "line 2: not valid YAML"),
    "section is a value": ("\ntts: espeak\n", "line 2: section 'tts' wants indented keys"),
    "section is a list": ("tts:\n- engine\n", "line 1: section 'tts' wants indented keys"),
    "same key twice": ("tts:\n  rate: 1\n  voice: x\n  rate: 2\n", "line 4: every key is one word"),
    "same section twice": ("tts:\n  rate: 1\ntts:\n  rate: 2\n", "line 3: every key is one word"),
    "key is a number": ("tts:\n  1: 2\n", "line 2: every key is one word"),
    "key is a list": ("tts:\n  [a]: 2\n", "line 2"),
    "merge": ("a: &x {b: 1}\ntts:\n  <<: *x\n", "aliases"),
    "billion laughs": (LAUGHS, "line 2: aliases"),
    "alias of itself": ("tts: &t\n  voice: *t\n", "line 2: aliases"),
    "bottomless": ("tts:\n  voice: " + "[" * 50_000, "line 2: nested too deeply"),
    "control character": ("tts:\n  voice: \x07\n", "not valid YAML"),
    "not UTF-8": (b"tts:\n  voice: \xff\xfe\n", "is not UTF-8 text"),
    "huge": ("#" * (MAX_FILE_BYTES + 1), "is larger than"),
}

ENV = {
    "no name": ("A=1\n=bad\n", "line 2: wants NAME=value"),
    "open quote": ("KITSU__TTS__VOICE='x\n", "line 1: wants NAME=value"),
    "not UTF-8": (b"KITSU__TTS__VOICE=\xff\n", "is not UTF-8 text"),
    "huge": ("#" * (MAX_FILE_BYTES + 1), "is larger than"),
}


@pytest.mark.parametrize("name", YAML)
def test_yaml(settings: Settings, name: str) -> None:
    text, message = YAML[name]
    with pytest.raises(ConfigError) as caught:
        settings(yaml=text)
    assert caught.value.code == "bad_yaml"
    assert "kitsu.yaml" in caught.value.message
    assert message in caught.value.message


@pytest.mark.parametrize("name", ENV)
def test_env(settings: Settings, name: str) -> None:
    text, message = ENV[name]
    with pytest.raises(ConfigError) as caught:
        settings(env=text)
    assert caught.value.code == "bad_env"
    assert message in caught.value.message


def test_a_missing_settings_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KITSU_HOME", str(tmp_path))
    monkeypatch.setenv("KITSU_CONFIGS", str(tmp_path / "elsewhere"))
    with pytest.raises(ConfigError, match="elsewhere") as caught:
        read.__wrapped__()
    assert caught.value.code == "bad_yaml"
