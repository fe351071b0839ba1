"""scripts/round_trip.py as it is run, with Whisper and Piper on models of a few kilobytes."""

import json
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from kitsu.home import CHECKOUT
from tests.e2e.launched import samples


@pytest.mark.timeout(180)
def test_whisper_hears_and_piper_answers(tmp_path: Path) -> None:
    out = tmp_path / "answer.wav"
    script = str(CHECKOUT / "scripts" / "round_trip.py")
    command = [sys.executable, script, "--engines", "tiny", "--count", "1", "--json", "--wav", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=170, check=False)
    assert done.returncode == 0, done.stderr
    assert "'hello stream'" in done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["answered"], found["asked"]) == (1, 1)
    assert 0 < found["endpoint_ms_p50"] < found["speech_to_sound_ms_p50"] <= found["speech_to_mouth_ms_p50"] < 30_000
    with wave.open(str(out)) as file:
        assert file.getframerate() == 48_000
    assert abs(samples(out.read_bytes())).max() > 0.05
