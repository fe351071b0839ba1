from datetime import date
from pathlib import Path

import pytest

from kitsu.telemetry.files import log_files
from kitsu_launcher.logs import KEEP_FILES, ServiceLog


class Calendar:
    def __init__(self) -> None:
        self.day = date(2026, 1, 30)

    def __call__(self) -> date:
        return self.day


def make(folder: Path, calendar: Calendar, max_bytes: int = 1000, keep_days: int = 3) -> ServiceLog:
    return ServiceLog(folder, "tts", max_bytes=max_bytes, keep_days=keep_days, today=calendar)


def names(folder: Path) -> list[str]:
    return [path.name for path in log_files(folder)]


def test_a_new_day_is_a_new_file_and_old_days_go(tmp_path: Path) -> None:
    calendar = Calendar()
    log = make(tmp_path, calendar)
    for day in (26, 27, 28, 29, 30):
        calendar.day = date(2026, 1, day)
        log.write(f"day {day}")
    log.close()
    assert names(tmp_path) == [f"tts-2026-01-{day}.jsonl" for day in (27, 28, 29, 30)]


def test_a_full_file_is_followed_by_the_next(tmp_path: Path) -> None:
    log = make(tmp_path, Calendar(), max_bytes=20)
    for number in range(6):
        log.write(f"line {number}xx")
    log.close()
    assert names(tmp_path) == ["tts-2026-01-30.jsonl", "tts-2026-01-30.1.jsonl", "tts-2026-01-30.2.jsonl"]
    text = "".join(path.read_text() for path in log_files(tmp_path))
    assert text.split() == [word for n in range(6) for word in ("line", f"{n}xx")]


def test_a_restart_goes_on_in_the_same_file(tmp_path: Path) -> None:
    for _ in range(2):
        log = make(tmp_path, Calendar())
        log.write("x")
        log.close()
    assert (tmp_path / "tts-2026-01-30.jsonl").read_text() == "x\nx\n"


def test_a_flood_is_bounded(tmp_path: Path) -> None:
    log = make(tmp_path, Calendar(), max_bytes=10)
    for _ in range(KEEP_FILES + 20):
        log.write("123456789")
    log.close()
    assert len(names(tmp_path)) == KEEP_FILES


def test_other_files_and_services_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.jsonl").write_text("mine")
    (tmp_path / "policy-2020-01-01.jsonl").write_text("old")
    log = make(tmp_path, Calendar())
    log.write("x")
    log.close()
    assert (tmp_path / "notes.jsonl").exists()
    assert (tmp_path / "policy-2020-01-01.jsonl").exists()
    assert [p.name for p in log_files(tmp_path, "policy")] == ["policy-2020-01-01.jsonl"]


def test_a_folder_that_cannot_be_written_loses_lines_and_counts_them(tmp_path: Path) -> None:
    log = make(tmp_path / "gone", Calendar())
    log.write("x")
    assert log.lost == 1
    (tmp_path / "gone").mkdir()
    log.write("y")
    assert log.lost == 1
    log.close()


def test_a_full_disk_loses_lines_and_counts_them() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")

    class Full(ServiceLog):
        def _path(self, number: int) -> Path:
            return full

    log = Full(Path("/dev"), "tts", max_bytes=1000, keep_days=1, today=Calendar())
    log.write("x")
    assert log.lost >= 1


def test_lone_surrogates_do_not_stop_the_log(tmp_path: Path) -> None:
    log = make(tmp_path, Calendar())
    log.write("a\ud800b")
    log.close()
    assert log.lost == 0
