import sys
from pathlib import Path

import pytest

from install.places import Places
from install.steps import StepError, Steps


def python(code: str) -> list[object]:
    return [sys.executable, "-c", code]


def test_output_goes_to_the_log_and_not_to_the_terminal(
    steps: Steps, places: Places, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    steps.run(python("print('pip talks a lot')"), cwd=tmp_path)
    steps.say("done")
    out, err = capfd.readouterr()
    assert out.endswith(" s  done\n")
    assert out.count("\n") == 1
    assert err == ""
    assert "pip talks a lot" in places.install_log.read_text()


def test_a_failure_shows_the_ends_of_the_output_and_says_what_to_do(steps: Steps, tmp_path: Path) -> None:
    with pytest.raises(StepError) as caught:
        steps.run(
            python("[print('line', n) for n in range(100)]; raise SystemExit(7)"), cwd=tmp_path, advice="Try again."
        )
    message = str(caught.value)
    assert "line 0" in message
    assert "line 99" in message
    assert "line 50" not in message
    assert "code 7" in message
    assert "Try again." in message
    assert "install.log" in message


def test_a_program_that_is_not_there(steps: Steps, tmp_path: Path) -> None:
    with pytest.raises(StepError, match="cannot be run"):
        steps.run(["no-such-program-at-all"], cwd=tmp_path)


def test_indexes_stay_as_configured_but_packages_go_where_we_want(
    steps: Steps, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "kept")
    monkeypatch.setenv("PIP_TARGET", "elsewhere")
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    steps.run(python("import os; print(sorted(os.environ.items()))"), cwd=tmp_path, env={"MORE": "yes"})
    said = places.install_log.read_text()
    assert "('PIP_EXTRA_INDEX_URL', 'kept')" in said
    assert "('PIP_USER', '0')" in said
    assert "('MORE', 'yes')" in said
    assert "elsewhere" not in said


def test_nothing_can_ask(steps: Steps, tmp_path: Path) -> None:
    steps.run(python("import sys; assert sys.stdin.read() == ''"), cwd=tmp_path)


def test_each_installation_begins_a_new_log(places: Places, tmp_path: Path) -> None:
    for word in ("first", "second"):
        steps = Steps(places.install_log)
        steps.run(python(f"print({word!r})"), cwd=tmp_path)
        steps.run(python("print('more')"), cwd=tmp_path)
    text = places.install_log.read_text()
    assert "first" not in text
    assert text.index("second") < text.index("more")
