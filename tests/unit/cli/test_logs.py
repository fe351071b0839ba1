import json
from pathlib import Path

from kitsu_cli.logview import Follower, last, render
from tests.unit.cli.conftest import Kitsu


def line(second: int, event: str, **more: object) -> str:
    return json.dumps({"ts": f"2026-01-30T10:00:{second:02}.5+00:00", "level": "INFO", "event": event, **more}) + "\n"


def fill(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "tts-2026-01-30.jsonl").write_text(line(1, "one") + line(3, "three"))
    (folder / "tts-2026-01-30.1.jsonl").write_text(line(5, "five"))
    (folder / "policy-2026-01-30.jsonl").write_text(line(2, "two") + "not json \x1b[2J\n" + line(4, "four"))
    return folder


def test_lines_of_all_services_in_order_of_time(tmp_path: Path) -> None:
    events = [entry["event"] for entry in last(fill(tmp_path), None, 50)]
    assert [event for event in events if "json" not in event] == ["one", "two", "three", "four", "five"]


def test_only_the_newest(tmp_path: Path) -> None:
    assert [entry["event"] for entry in last(fill(tmp_path), "tts", 2)] == ["three", "five"]
    assert last(tmp_path, "tts", 0) == []
    assert last(tmp_path / "none", None, 5) == []


def test_following_over_a_rotation(tmp_path: Path) -> None:
    fill(tmp_path)
    follower = Follower(tmp_path, None)
    follower.skip_to_end()
    with (tmp_path / "tts-2026-01-30.1.jsonl").open("a") as file:
        file.write(line(6, "six") + '{"half": ')
    assert [entry["event"] for entry in follower.new()] == ["six"]
    (tmp_path / "tts-2026-01-31.jsonl").write_text(line(7, "seven"))
    assert [entry["event"] for entry in follower.new()] == ["seven"]
    assert follower.new() == []


def test_nothing_in_a_log_can_move_the_cursor() -> None:
    shown = render({"ts": "2026-01-30T10:00:01", "event": "a\x1b[2J", "why": "b\r\n\x07", "exc_info": "T\n  \x1b[1mx"})
    assert all(line.isprintable() for line in shown.split("\n"))
    assert len(shown.split("\n")) == 3
    assert shown.startswith("10:00:01")


def test_the_verb(kitsu: Kitsu, where: Path) -> None:
    fill(where / "logs")
    code, out, _ = kitsu("logs", "tts", "-n", "2")
    assert (code, out.count("\n")) == (0, 2)
    code, out, _ = kitsu("logs", "tts", "--json")
    assert [json.loads(entry)["event"] for entry in out.splitlines()] == ["one", "three", "five"]


def test_no_logs_yet(kitsu: Kitsu, where: Path) -> None:
    assert kitsu("logs")[:2] == (0, "")
