"""Writes requirements*.lock from pyproject.toml; `--check` says, without the network, whether they are still right.

The locks name no host and no path, so that they work behind any index and a mirror's address cannot leak into them.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
UV = [
    *("uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-emit-package", "docopt"),  # num2words wants it for its command line only, and it has no wheel
    *("--no-emit-package", "opencv-python"),  # pyvts wants 70 MB of it for an icon that we do not draw
    *("--no-emit-package", "httpx2-jsfetch"),  # for Python inside a browser
    *("--no-header", "--no-emit-index-url", "--no-emit-find-links", "--no-progress"),
]
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ \\;]+)(?: ; ([^\\]+?))? \\$", re.MULTILINE)
_STAMP = re.compile(r"^# Inputs: ([0-9a-f]{64})$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Lock:
    """One lock file."""

    file: str
    extras: tuple[str, ...]
    project: bool = True  # with the project's own dependencies
    within: str = ""  # versions agree with this lock


LOCKS = (
    Lock("requirements.lock", ("embedded", "build")),
    Lock("requirements-dev.lock", ("embedded", "build", "dev"), within="requirements.lock"),
    Lock("requirements-node.lock", ("node",), project=False),
)


def load_project() -> dict[str, Any]:
    """pyproject.toml's `[project]`."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project


def wanted(lock: Lock, project: dict[str, Any]) -> list[Requirement]:
    """What a lock must satisfy, extras of ourselves unfolded."""
    found = [Requirement(text) for text in project["dependencies"]] if lock.project else []
    for extra in lock.extras:
        found += _unfold(extra, project)
    return found


def _unfold(extra: str, project: dict[str, Any]) -> Iterator[Requirement]:
    for text in project["optional-dependencies"][extra]:
        requirement = Requirement(text)
        if requirement.name != project["name"]:
            yield requirement
        for inner in requirement.extras if requirement.name == project["name"] else ():
            yield from _unfold(inner, project)


def stamp(lock: Lock, project: dict[str, Any]) -> str:
    """Fingerprint of everything that a lock is made from."""
    inputs = [project["requires-python"], sorted(map(str, wanted(lock, project))), lock.within]
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()


def pins(text: str) -> dict[str, set[str]]:
    """Locked versions by package; several where they depend on the platform."""
    found: dict[str, set[str]] = {}
    for name, version, _marker in _PIN.findall(text):
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


def faults(lock: Lock, project: dict[str, Any]) -> Iterator[str]:
    """Everything that is wrong with a lock, in words."""
    path = ROOT / lock.file
    if not path.is_file():
        yield "is missing"
        return
    text = path.read_text(encoding="utf-8")
    found = _STAMP.search(text)
    if not found or found.group(1) != stamp(lock, project):
        yield "was made from other requirements than pyproject.toml has now"
    locked = pins(text)
    for requirement in wanted(lock, project):
        versions = locked.get(canonicalize_name(requirement.name), set())
        if not versions or not all(requirement.specifier.contains(version, prereleases=True) for version in versions):
            yield f"holds {', '.join(sorted(versions)) or 'nothing'} for {requirement}"
    if lock.within:
        outer = pins((ROOT / lock.within).read_text(encoding="utf-8"))
        for name, versions in outer.items():
            if not locked.get(name, set()) <= versions:
                yield f"holds another {name} than {lock.within}"
    if "://" in text:
        yield "names a host"


def write(lock: Lock, project: dict[str, Any], *, upgrade: bool) -> None:
    """Resolve and write one lock. Needs the network."""
    command = [*UV, "-", "-o", lock.file, *(["--upgrade"] if upgrade else [])]
    if lock.within:
        command += ["-c", lock.within]
    requirements = "\n".join(sorted(map(str, wanted(lock, project))))
    subprocess.run(command, input=requirements, text=True, encoding="utf-8", check=True, cwd=ROOT, env=_environment())
    path = ROOT / lock.file
    head = f"# Made by `python scripts/lock.py` from pyproject.toml.\n# Inputs: {stamp(lock, project)}\n"
    path.write_text(head + path.read_text(encoding="utf-8"), encoding="utf-8", newline="\n")


def _environment() -> dict[str, str]:
    """uv stands beside this Python."""
    beside = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": os.pathsep.join((beside, os.environ.get("PATH", "")))}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether the locks are right; no network")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions, not those locked")
    arguments = parser.parse_args()
    project = load_project()
    if not arguments.check:
        for lock in LOCKS:
            write(lock, project, upgrade=arguments.upgrade)
    wrong = [f"{lock.file} {fault}" for lock in LOCKS for fault in faults(lock, project)]
    for line in wrong:
        print(line)
    if wrong:
        print("Run: python scripts/lock.py")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
