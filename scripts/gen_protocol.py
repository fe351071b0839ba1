"""Writes docs/protocol.md, docs/schema.json and web/src/lib/protocol.ts from `kitsu.protocol`."""

import argparse
import json
import sys
from pathlib import Path

import msgspec

from kitsu.protocol.registry import AnyMessage
from protocol_docs.markdown import markdown
from protocol_docs.typescript import typescript

ROOT = Path(__file__).resolve().parents[1]


def schema() -> str:
    """JSON Schema of all messages."""
    return json.dumps(msgspec.json.schema(AnyMessage), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def outputs() -> dict[Path, str]:
    """Every generated file and its contents."""
    return {
        ROOT / "docs" / "protocol.md": markdown(),
        ROOT / "docs" / "schema.json": schema(),
        ROOT / "web" / "src" / "lib" / "protocol.ts": typescript(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when a file differs from what would be written")
    check = parser.parse_args().check
    stale = []
    for path, text in outputs().items():
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    for path in stale:
        print(f"{'stale' if check else 'wrote'} {path.relative_to(ROOT)}")
    if check and stale:
        print("Run: python scripts/gen_protocol.py")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
