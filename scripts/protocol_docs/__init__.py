"""Writes what `kitsu.protocol` says into docs/protocol.md, docs/schema.json and web/src/lib/protocol.ts."""
