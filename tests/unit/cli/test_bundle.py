"""`kitsu support-bundle`: what is in it, and what never is."""

import json
from pathlib import Path

import pytest

from kitsu.config import read
from kitsu_cli.archive.redaction import Redactor
from tests.fakes.orchestrator_rest import TOKEN
from tests.unit.cli.archives import KEY, content
from tests.unit.cli.conftest import Kitsu


def test_a_bundle_has_no_secrets_and_no_words_of_viewers(
    kitsu: Kitsu, lived_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        {"ts": "2026-01-30T10:00:01", "event": "turn.began", "pii_text": "my name is Mia", "deep": [{"pii_x": "Mia"}]},
        {
            "ts": "2026-01-30T10:00:02",
            "event": "oops",
            "exc_info": f"Bearer {TOKEN} at /x?token=abcdef&y {Path.home()}/x",
        },
        {"ts": "2026-01-30T10:00:03", "event": "link", "url": "http://127.0.0.1/#k=onceonceonce", "api_key": "plain"},
        {"ts": "2026-01-30T10:00:04", "event": f"key {KEY}", "count": 3, "text": 'say {"pii_text": "Mia"}'},
    ]
    log = lived_in / "logs" / "tts-2026-01-30.jsonl"
    log.write_text("\n".join(map(json.dumps, lines)) + '\n{"pii_text": "Mia half\n', encoding="utf-8")
    path = tmp_path / "bundle.zip"
    code, out, _ = kitsu("support-bundle", str(path))
    assert code == 0
    assert "not sent anywhere" in out
    found = content(path)
    assert set(found) == {"versions.json", "doctor.json", "settings.json", "launcher.json", "logs.json"}
    for name in found:
        assert name in out
    together = b"".join(found.values()).decode()
    for secret in (KEY, TOKEN, "Mia", "onceonceonce", "abcdef", "hush", '"plain"', str(Path.home()) + "/"):
        assert secret not in together, secret
    assert json.loads(found["settings.json"])["logs"]["level"] == "debug"
    assert 3 in [entry.get("count") for entry in json.loads(found["logs.json"])["tts"]]
    monkeypatch.chdir(tmp_path)
    made = json.loads(kitsu("support-bundle", "--json")[1])
    assert Path(made["file"]).is_file()


def test_a_bundle_of_a_broken_installation(kitsu: Kitsu, lived_in: Path, tmp_path: Path) -> None:
    (lived_in / ".env").write_text(f"KITSU__POLICY__API_KEY={KEY}\nKITSU__NETWORK__HOST=everywhere\n", encoding="utf-8")
    read.cache_clear()
    path = tmp_path / "bundle.zip"
    assert kitsu("support-bundle", str(path))[0] == 0
    found = content(path)
    assert "everywhere" in found["settings.json"].decode()
    assert KEY.encode() not in b"".join(found.values())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password: hunter2", "password: (hidden)"),
        ("max_tokens: 220", "max_tokens: 220"),
        ("the token is fine", "the token is fine"),
        ("https://a:b@host/x", "https://(hidden)@host/x"),
        ("x" * 60, "(hidden)"),
        ("oauth:abcdefgh1234", "(hidden)"),
    ],
)
def test_what_looks_like_a_secret(text: str, shown: str) -> None:
    assert Redactor([]).clean(text) == shown
