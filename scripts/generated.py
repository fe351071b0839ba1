"""Files that scripts write: written when they differ, or only compared with `--check`."""

import argparse
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(doc: str | None, outputs: Callable[[], dict[str, str]]) -> int:
    """The command line of a generator. `outputs`: path from the checkout's root -> text.

    Returns:
        The exit code: 1 when `--check` found a stale file.
    """
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--check", action="store_true", help="fail when a file differs from what would be written")
    check = parser.parse_args().check
    stale = [name for name, text in outputs().items() if _differs(ROOT / name, text, write=not check)]
    for name in stale:
        print(f"{'stale' if check else 'wrote'} {name}")
    if check and stale:
        print("Run the generator without --check and commit what it writes.")
    return 1 if check and stale else 0


def _differs(path: Path, text: str, *, write: bool) -> bool:
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    if write:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return True
