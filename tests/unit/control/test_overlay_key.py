"""The overlay key lives in a file, and goes with it."""

from pathlib import Path

from kitsu_control.overlay_key import OverlayKey


def test_made_once_and_kept(tmp_path: Path) -> None:
    key = OverlayKey(tmp_path / "overlay_key")
    made = key.make()
    assert key.make() == made == key.current()
    assert key.fits(made)
    assert not key.fits("")
    assert not key.fits(made + "x")
    assert not key.fits("\ud800")


def test_without_a_file_nothing_fits(tmp_path: Path) -> None:
    key = OverlayKey(tmp_path / "overlay_key")
    assert not key.fits("")
    made = key.make()
    (tmp_path / "overlay_key").unlink()
    assert not key.fits(made)


def test_rotating_retires_the_old_key(tmp_path: Path) -> None:
    key = OverlayKey(tmp_path / "overlay_key")
    old = key.make()
    new = key.rotate()
    assert new != old
    assert key.fits(new)
    assert not key.fits(old)
    assert [file.name for file in tmp_path.iterdir()] == ["overlay_key"]
