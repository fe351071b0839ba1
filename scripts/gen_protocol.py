"""Writes docs/protocol.md, docs/schema.json and web/src/lib/protocol.ts from `kitsu.protocol`."""

import json
import sys

import msgspec

import generated
from kitsu.protocol.registry import AnyMessage
from protocol_docs.markdown import markdown
from protocol_docs.typescript import typescript


def outputs() -> dict[str, str]:
    """Every generated file and its contents."""
    schema = json.dumps(msgspec.json.schema(AnyMessage), indent=1, sort_keys=True, ensure_ascii=False)
    return {
        "docs/protocol.md": markdown(),
        "docs/schema.json": schema + "\n",
        "web/src/lib/protocol.ts": typescript(),
    }


if __name__ == "__main__":
    sys.exit(generated.main(__doc__, outputs))
