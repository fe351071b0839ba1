"""The doctor looks at sound, graphics and libraries."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kitsu import soundcard
from kitsu.config import read
from kitsu_cli.doctor import Finding, hardware
from tests.fakes import sound_module

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for the program")


@pytest.fixture
def sounddevice(where: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def install(source: str = sound_module.SOURCE) -> None:
        monkeypatch.setenv("PYTHONPATH", sound_module.first(sound_module.install(where / "modules", source)))

    return install


def test_sound(sounddevice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sounddevice()
    assert [(row.state, row.found) for row in hardware.sound()] == [("ok", "3 to play on; Headphones")]
    for wanted, state in (
        ("Headphones", "ok"),
        ("2", "ok"),
        ("default", "ok"),
        ("Speakers", "broken"),
        ("0", "broken"),
    ):
        monkeypatch.setenv("KITSU__PLAYOUT__DEVICE", wanted)
        read.cache_clear()
        assert hardware.sound()[0].state == state, wanted


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (sound_module.NO_PORTAUDIO, "PortAudio is not installed"),
        (sound_module.NOT_INSTALLED, "package sounddevice"),
        (sound_module.CRASHES, "crashed"),
        (sound_module.HANGS, "did not answer"),
        (sound_module.SOURCE + "\ndef query_devices():\n    raise PortAudioError('broken')\n", "sound system failed"),
        (sound_module.SOURCE + "\ndef query_devices():\n    return []\n", "0 to play on"),
    ],
)
def test_no_sound(sounddevice: Any, monkeypatch: pytest.MonkeyPatch, source: str, words: str) -> None:
    monkeypatch.setattr(soundcard, "LIST_S", 0.5 if source == sound_module.HANGS else 10.0)
    sounddevice(source)
    (row,) = hardware.sound()
    assert (row.state, words in row.found) == ("off", True), row
    monkeypatch.setenv("KITSU__PLAYOUT__DEVICE", "Headphones")
    read.cache_clear()
    assert hardware.sound()[0].state == "broken"


@posix_only
@pytest.mark.parametrize(
    ("script", "state", "words"),
    [
        ("echo 'NVIDIA H100 80GB HBM3, 81559 MiB, 570.1'", "ok", "NVIDIA H100 80GB HBM3, 81559 MiB, driver 570.1"),
        ("echo odd", "ok", "odd, memory unknown"),
        ("echo 'NVIDIA-SMI has failed'; exit 9", "broken", "NVIDIA-SMI has failed"),
        ("exit 0", "broken", "nvidia-smi failed"),
        ("exec sleep 30", "off", "did not answer"),
    ],
)
def test_graphics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, state: str, words: str) -> None:
    command = tmp_path / "nvidia-smi"
    command.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(hardware, "COMMAND_S", 0.3 if state == "off" else 10.0)
    (row,) = hardware.gpu()
    assert (row.state, words in row.found) == (state, True), row


def test_no_graphics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert hardware.gpu() == [Finding("gpu", "off", "none: the CPU does it")]


def test_libraries_are_optional(where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware.ctypes.util, "find_library", lambda _: None)
    monkeypatch.setattr(hardware.sys, "platform", "linux")
    assert "broken" not in {row.state for row in hardware.libraries()}
    monkeypatch.setenv("KITSU__PLAYOUT__DEVICE", "1")
    read.cache_clear()
    assert {row.check for row in hardware.libraries() if row.state == "broken"} == {"portaudio"}
    monkeypatch.setattr(hardware.sys, "platform", "win32")
    assert "bundled" in hardware.libraries()[1].found
