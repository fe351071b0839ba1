"""`kitsu install coqui`: a real environment and a real pip, fed from a folder with tiny packages of those names."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from kitsu.home import CHECKOUT
from kitsu_tts.installed import installed

SYNTHESIZER = {
    "TTS/__init__.py": "",
    "TTS/utils/__init__.py": "",
    "TTS/utils/synthesizer.py": "class Synthesizer: pass\n",
    "TTS/tts/__init__.py": "",
    "TTS/tts/models/__init__.py": "",
    "TTS/tts/models/xtts.py": "import torchaudio\nclass Xtts: pass\n",
}
TORCH = {"torch.py": "class cuda:\n    is_available = staticmethod(lambda: False)\n"}


def wheel(folder: Path, name: str, files: dict[str, str]) -> None:
    """A package of the version that the constraints want."""
    pins = dict(line.split("==") for line in constraints() if "==" in line)
    version = pins.get(name, "1.0")
    stem = f"{name.replace('-', '_')}-{version}"
    info = {
        f"{stem}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as archive:
        for path, text in {**files, **info}.items():
            archive.writestr(path, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            rows.append(f"{path},sha256={digest},{len(text.encode())}")
        archive.writestr(f"{stem}.dist-info/RECORD", "\n".join([*rows, f"{stem}.dist-info/RECORD,,"]))


def constraints() -> list[str]:
    return (CHECKOUT / "requirements-coqui.txt").read_text(encoding="utf-8").splitlines()


def install(home: Path, packages: Path, *more: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.upper().startswith(("KITSU", "PIP_"))}
    clean |= {"KITSU_HOME": str(home), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(packages)}
    command = [sys.executable, "-m", "kitsu_cli", "install", "coqui", *more]
    return subprocess.run(
        command, env=clean, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100, check=False
    )


def test_it_is_made_tried_and_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, packages = tmp_path / "home", tmp_path / "packages"
    packages.mkdir()
    monkeypatch.setenv("KITSU_HOME", str(home))
    asked = install(home, packages)
    assert asked.returncode == 2
    assert "non-commercial" in asked.stderr, "the licence is shown"
    assert "--yes" in asked.stderr
    failed = install(home, packages, "--yes")
    assert failed.returncode == 10
    assert "install.log" in failed.stderr
    assert "not installed" in installed("coqui")
    for name, files in (("six", {"six.py": ""}), ("torch", TORCH), ("coqui-tts", SYNTHESIZER)):
        wheel(packages, name, files)
    done = install(home, packages, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    models = str(home / "engines" / "coqui" / "models")
    assert json.loads(done.stdout) == {"installed": "coqui", "device": "cpu", "models": models}
    assert "no voice yet" in installed("coqui")
    assert not (home / ".env").exists(), "XTTS is nobody's default"

    (home / ".env").write_text("# quickstart: channel: fox\nKITSU__TTS__VOICE=clone\n", encoding="utf-8")
    shown = install(home, packages, "--accept-cpml")
    assert shown.returncode == 2
    assert "no commercial licence can be had" in " ".join(shown.stderr.split())
    broken = install(home, packages, "--accept-cpml", "--yes")
    assert (broken.returncode, "install.log" in broken.stderr) == (10, True), "torchaudio is nowhere to be had"
    assert "no voice yet" in installed("coqui"), "what was installed stays"
    assert "CPML" not in (home / ".env").read_text(encoding="utf-8")
    for name in ("torchaudio", "torchcodec"):
        wheel(packages, name, {f"{name}.py": ""})
    done = install(home, packages, "--accept-cpml", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["accept_cpml"] is True
    written = (home / ".env").read_text(encoding="utf-8")
    assert "KITSU__TTS__ACCEPT_CPML=true" in written
    assert written.startswith("# quickstart: channel: fox\nKITSU__TTS__VOICE=clone\n"), "the rest is as it was"


def test_the_constraints_name_no_host() -> None:
    assert not [line for line in constraints() if "://" in line or "@" in line]
    assert {line.split("==")[0] for line in constraints()} >= {"coqui-tts", "torch", "six"}
