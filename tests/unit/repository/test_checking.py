"""The checks check: stale locks, low coverage and failed commands are noticed."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from scripts import check, lock
from tests.unit.repository.files import ROOT

PROJECT: dict[str, Any] = {
    "name": "kitsu",
    "requires-python": ">=3.11",
    "dependencies": ["msgspec>=0.20"],
    "optional-dependencies": {"voice": ["espeak>=1"], "all": ["kitsu[voice]"], "build": []},
}
LOCK = lock.Lock("some.lock", ("all",))


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`write(text)` makes the lock file; the stamp is right unless the text brings one."""
    monkeypatch.setattr(lock, "ROOT", tmp_path)

    def make(body: str, stamp: str = "") -> list[str]:
        text = f"# Inputs: {stamp or lock.stamp(LOCK, PROJECT)}\n{body}"
        (tmp_path / "some.lock").write_text(text, encoding="utf-8")
        return list(lock.faults(LOCK, PROJECT))

    return make


GOOD = "espeak==1.2 \\\n    --hash=sha256:00\nmsgspec==0.22.0 ; python_version < '4' \\\n    --hash=sha256:00\n"


def test_a_fresh_lock_is_fine(write: Any) -> None:
    assert write(GOOD) == []


def test_extras_of_ourselves_are_unfolded() -> None:
    assert [str(one) for one in lock.wanted(LOCK, PROJECT)] == ["msgspec>=0.20", "espeak>=1"]


@pytest.mark.parametrize(
    ("body", "stamp", "fault"),
    [
        (GOOD, "0" * 64, "was made from other requirements"),
        (GOOD.replace("0.22.0", "0.19.9"), "", "holds 0.19.9 for msgspec>=0.20"),
        (GOOD.replace("espeak", "flite"), "", "holds nothing for espeak>=1"),
        (GOOD + "# https://example.org/simple\n", "", "names a host"),
    ],
)
def test_faults_of_a_lock(write: Any, body: str, stamp: str, fault: str) -> None:
    (found,) = write(body, stamp)
    assert fault in found


def test_a_missing_lock_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    assert list(lock.faults(LOCK, PROJECT)) == ["is missing"]


def test_a_lock_within_another_must_agree_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    inner = lock.Lock("dev.lock", ("all",), within="some.lock")
    (tmp_path / "some.lock").write_text(GOOD, encoding="utf-8")
    body = f"# Inputs: {lock.stamp(inner, PROJECT)}\n{GOOD.replace('1.2', '1.3')}"
    (tmp_path / "dev.lock").write_text(body, encoding="utf-8")
    assert list(lock.faults(inner, PROJECT)) == ["holds another espeak than some.lock"]


@pytest.mark.parametrize(("share", "code"), [(64.9, 1), (65.0, 0)])
def test_a_module_needs_its_share_of_coverage(tmp_path: Path, share: float, code: int) -> None:
    report = tmp_path / "coverage.json"
    report.write_text(json.dumps({"files": {"a.py": {"summary": {"percent_covered": share}}}}), encoding="utf-8")
    command = [sys.executable, "scripts/check_coverage.py", str(report)]
    assert subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode == code


def test_a_failed_command_says_what_it_said(capsys: pytest.CaptureFixture[str]) -> None:
    broken = check.run(check.Check("broken", [sys.executable, "-c", "print('because'); raise SystemExit(3)"]))
    missing = check.run(check.Check("missing", ["no-such-command-here"]))
    fine = check.run(check.Check("fine", [sys.executable, "-c", "print('quiet')"]))
    assert [result.passed for result in (broken, missing, fine)] == [False, False, True]
    said = capsys.readouterr().out
    assert "because" in said
    assert "no-such-command-here is not installed" in said
    assert "quiet" not in said


def test_the_last_line_counts_tests_and_checks(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    report = tmp_path / "tests.xml"
    suite = '<testsuites><testsuite tests="10" failures="1" errors="1" skipped="3"/></testsuites>'
    report.write_text(suite, encoding="utf-8")
    counted = check.test_counts(report)
    assert counted == Counter(passed=5, failed=2, skipped=3)
    check.summary([check.Result("style", True, 0.1), check.Result("tests", False, 9.0)], counted)
    assert capsys.readouterr().out.splitlines()[-1] == "6 passed, 3 failed, 3 skipped"


def test_without_a_report_nothing_is_counted(tmp_path: Path) -> None:
    assert check.test_counts(tmp_path / "none.xml") == Counter()
