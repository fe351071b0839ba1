"""Once installed, a show needs no network: it starts, is well and answers aloud, be the way out missing or mute."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kitsu.config import CHECKOUT
from kitsu.services import SERVICES
from tests.e2e.launched import SPINE
from tests.e2e.offline import CANNOT

FIRST_WORD_S = 3.0
BUSY_S = 2.0  # what a machine with other things to do adds


def cannot_be_cut_off() -> str:
    """Why this system cannot take the network away from a process; empty when it can."""
    unshare = shutil.which("unshare")
    if sys.platform != "linux" or unshare is None:
        return "only Linux's unshare takes the network away from one process"
    tried = subprocess.run([unshare, "-rn", "true"], capture_output=True, text=True, check=False)
    return f"unshare -rn is not permitted here: {tried.stderr.strip()}" if tried.returncode else ""


WHY_NOT = cannot_be_cut_off()


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
@pytest.mark.parametrize(("network", "outside"), [("none", "ENETUNREACH"), ("silent", "EAGAIN")])
def test_a_show_without_a_network_talks_at_once(tmp_path: Path, network: str, outside: str) -> None:
    done = subprocess.run(
        ["unshare", "-rn", sys.executable, "-m", "tests.e2e.offline", str(tmp_path), network],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    if done.returncode == CANNOT:
        pytest.skip("no pair of network devices can be made here (iproute2, the kernel's veth)")
    assert done.returncode == 0, done.stderr[-2000:]
    went: dict[str, Any] = json.loads(done.stdout)
    chat = went["chat"]
    assert went["outside"] == outside, "else this proves nothing"
    assert went["processes"] == {name: "ok" if name in SPINE else "off" for name in SERVICES}
    assert set(went["roles"].values()) == {"ok"}, went["roles"]
    assert went["restarts"] == 0
    assert (chat["outcome"], chat["engine"]) == ("spoken", {"policy": "scripted", "tts": "espeak"}), chat
    assert 0 < chat["first_audio_ms"] < FIRST_WORD_S * 1000, "nothing waits for an answer from outside"
    assert went["chat_s"] < chat["audio_ms"] / 1000 + FIRST_WORD_S + BUSY_S
    assert went["start_s"] < 10 + BUSY_S
    assert went["doctor_s"] < 5 + BUSY_S, "doctor is back whatever hangs"
