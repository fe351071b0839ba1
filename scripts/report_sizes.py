"""Names files over 300 lines and functions over 50. A report to think about, not a limit."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("apps", "libs", "scripts", "tests", "web/src")
ENDINGS = {".py", ".ts", ".svelte"}
GENERATED = {"web/src/lib/protocol.ts"}
FILE_LINES = 300
FUNCTION_LINES = 50


def files() -> Iterator[tuple[str, str]]:
    """Path from the root and text of every source file."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            if path.suffix in ENDINGS and name not in GENERATED and "node_modules" not in name:
                yield name, path.read_text(encoding="utf-8")


def long_functions(text: str) -> Iterator[tuple[str, int]]:
    """Name and length in lines."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield node.name, lines


def main() -> int:
    for name, text in files():
        lines = text.count("\n")
        if lines > FILE_LINES:
            print(f"   {name}: {lines} lines")
        if name.endswith(".py"):
            for function, length in long_functions(text):
                print(f"   {name}: {function} has {length} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
