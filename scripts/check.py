"""Everything that CI checks, on Linux and Windows: `python scripts/check.py [--fast] [--long]`.

Ends with a table of what was checked and one line like `871 passed, 0 failed, 3 skipped` that counts tests and checks.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BESIDE = Path(sys.executable).parent  # console commands of this environment
PYTHON = sys.executable


@dataclass(frozen=True, slots=True)
class Check:
    """One command that must end with 0."""

    name: str
    command: list[str]
    folder: Path = ROOT
    live: bool = False  # show what it prints while it runs


@dataclass(frozen=True, slots=True)
class Result:
    """How a check went."""

    name: str
    passed: bool
    seconds: float


def beside(command: str) -> str:
    """A console command installed in this environment."""
    return shutil.which(command, path=str(BESIDE)) or command


def static_checks(*, fast: bool) -> Iterator[Check]:
    """Checks that run no code of the show."""
    scripts = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "scripts").glob("*.py"))
    yield Check("style", [PYTHON, "-m", "ruff", "check", "."])
    yield Check("format", [PYTHON, "-m", "ruff", "format", "--check", "."])
    yield Check("types", [PYTHON, "-m", "mypy"])
    yield Check("types of scripts", [PYTHON, "-m", "mypy", *scripts])
    if not fast:
        cache = ["--cache-dir", str(ROOT / ".mypy_cache" / "win32")]
        yield Check("types on Windows", [PYTHON, "-m", "mypy", "--platform", "win32", *cache])
    yield Check("layers", [beside("lint-imports")])
    yield Check("locks", [PYTHON, "scripts/lock.py", "--check"])
    yield Check("protocol pages", [PYTHON, "scripts/gen_protocol.py", "--check"])
    yield Check("settings files", [PYTHON, "scripts/gen_settings.py", "--check"])
    yield Check("licences page", [PYTHON, "scripts/gen_licences.py", "--check"])
    yield Check("sizes (a report)", [PYTHON, "scripts/report_sizes.py"], live=True)


def page_checks() -> Iterator[Check]:
    """Checks of web/; nothing where its packages are not installed."""
    npm, web = shutil.which("npm"), ROOT / "web"
    if npm and (web / "node_modules").is_dir():
        yield Check("pages: types", [npm, "run", "--silent", "check"], folder=web)
        yield Check("pages: tests", [npm, "test", "--silent"], folder=web)
    else:
        print("pages: not checked (web/node_modules or npm is missing; `scripts/test.sh` installs them)")


def tests(report: Path, *, long: bool) -> Iterator[Check]:
    """The test suite with its coverage."""
    choice = [] if long else ["-m", "not long"]
    coverage = ["--cov", "--cov-report=json:.coverage.json", "--cov-report=term:skip-covered"]
    yield Check("tests", [PYTHON, "-m", "pytest", "-q", f"--junitxml={report}", *coverage, *choice], live=True)
    yield Check("coverage of each module", [PYTHON, "scripts/check_coverage.py", ".coverage.json"])


def run(check: Check) -> Result:
    """Run one check; print what it said if it failed."""
    print(f"-- {check.name}", flush=True)
    started = time.perf_counter()
    environment = {**os.environ, "PYTHONUTF8": "1"}
    pipe = None if check.live else subprocess.PIPE
    errors = None if check.live else subprocess.STDOUT
    try:
        done = subprocess.run(check.command, cwd=check.folder, env=environment, stdout=pipe, stderr=errors, check=False)
        passed, output = done.returncode == 0, done.stdout or b""
    except FileNotFoundError as error:
        passed, output = False, f"{error.filename} is not installed here. Run: scripts/test.sh\n".encode()
    if not passed:
        sys.stdout.write(output.decode("utf-8", "replace"))
        print(f"   {check.name} FAILED", flush=True)
    return Result(check.name, passed, time.perf_counter() - started)


def test_counts(report: Path) -> Counter[str]:
    """passed, failed and skipped tests, from the JUnit report."""
    if not report.is_file():
        return Counter()
    suite = next(ElementTree.parse(report).getroot().iter("testsuite"))
    total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
    failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    return Counter(passed=total - skipped - failed, failed=failed, skipped=skipped)


def summary(results: list[Result], counted: Counter[str]) -> None:
    """The table and the last line."""
    width = max(len(result.name) for result in results)
    print("\n" + "=" * (width + 18))
    for result in results:
        print(f"{result.name:{width}}  {'ok' if result.passed else 'FAILED':8}{result.seconds:6.1f} s")
    print("=" * (width + 18))
    passed = counted["passed"] + sum(result.passed for result in results)
    failed = counted["failed"] + sum(not result.passed for result in results)
    print(f"{passed} passed, {failed} failed, {counted['skipped']} skipped")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fast", action="store_true", help="only the checks that take seconds: no tests")
    parser.add_argument("--long", action="store_true", help="with the tests that take minutes")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "tests.xml"
        groups: list[Callable[[], Iterator[Check]]] = [lambda: static_checks(fast=arguments.fast)]
        if not arguments.fast:
            groups += [page_checks, lambda: tests(report, long=arguments.long)]
        results = [run(check) for group in groups for check in group()]
        summary(results, test_counts(report))
    return 0 if all(result.passed for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
