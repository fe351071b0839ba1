"""docs/protocol.md, docs/schema.json and web/src/lib/protocol.ts say what the code says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kitsu.protocol import MESSAGES, REASONS

ROOT = Path(__file__).resolve().parents[3]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_generated_files_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/gen_protocol.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_and_field_is_on_the_page(name: str) -> None:
    page = read("docs/protocol.md")
    section = page.partition(f"### `{name}`\n")[2].partition("\n### ")[0]
    assert section, f"{name} is not documented"
    own = set(MESSAGES[name].__annotations__)
    assert all(f"| `{field}` |" in section for field in own)


def test_every_outcome_is_on_the_page() -> None:
    page = read("docs/protocol.md")
    assert all(f"| {outcome} |" in page for outcome in REASONS)


def test_schema_and_typescript_know_every_message() -> None:
    schema = json.loads(read("docs/schema.json"))
    assert set(schema["discriminator"]["mapping"]) == set(MESSAGES)
    page_types = read("web/src/lib/protocol.ts")
    assert all(f"type: '{name}';" in page_types for name in MESSAGES)
