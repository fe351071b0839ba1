"""Every process killed while she speaks: the show recovers within 3 s, and nothing else is restarted."""

import signal
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from kitsu.services import SERVICES
from tests.e2e.launched import SPINE, LaunchedShow, launched, until

STORY = (
    "Let me tell you a long story about a fox, a very long one, with snow, and songs, and a big warm fire in it. " * 3
)
RECOVERY_S = 3.0


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaunchedShow]:
    with launched(tmp_path_factory.mktemp("chaos"), traced=False, KITSU__ASR__ENABLED="true") as running:
        for name in sorted(set(SERVICES) - set(SPINE)):  # nobody has configured them: they run only because we say so
            assert running.kitsu("start", name).returncode == 0
        yield running


@pytest.mark.parametrize("rounds", [1, pytest.param(8, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", SERVICES)
def test_a_killed_service_comes_back(show: LaunchedShow, name: str, rounds: int) -> None:
    for _ in range(rounds):
        show.wait_ready()
        before = show.services()
        turn_id = show.say(STORY)
        show.sounding(turn_id, 300)
        psutil.Process(before[name]["pid"]).kill()
        killed = time.monotonic()
        answer = until(lambda: spoken(show), within_s=20)
        answered_s = time.monotonic() - killed - answer["audio_ms"] / 1000
        assert answered_s < RECOVERY_S, f"{answered_s:.1f} s from kill -9 to the next line's first sound"
        show.wait_ready()
        after = show.services()
        assert after[name]["pid"] != before[name]["pid"]
        assert after[name]["restarts"] == before[name]["restarts"] + 1
        others = [other for other in SERVICES if other != name]
        assert [after[other]["pid"] for other in others] == [before[other]["pid"] for other in others]


def spoken(show: LaunchedShow) -> dict | None:
    """Cut what still plays and send a line; None while the show cannot take it."""
    show.call("POST", "/control/skip", {})
    answer = show.call("POST", "/chat", {"text": "hello there", "wait": True, "timeout_s": 20})
    return answer if answer.get("outcome") == "spoken" else None


def test_a_killed_orchestrator_still_knows_the_words_blocked_for_now(show: LaunchedShow) -> None:
    show.wait_ready()
    show.call("POST", "/safety/block", {"term": "zorbly", "now_only": True})
    kept = show.root / "data" / "this_show.json"
    until(lambda: kept.exists() and b"zorbly" in kept.read_bytes(), within_s=5)
    psutil.Process(show.services()["orchestrator"]["pid"]).kill()
    until(lambda: spoken(show), within_s=20)
    assert show.call("GET", "/safety/words")["now_only"] == [{"term": "zorbly", "category": "blocked"}]
    blocked = show.call("POST", "/chat", {"text": "you z0rbly", "wait": True, "timeout_s": 20})
    assert blocked["outcome"] == "blocked"
    show.call("POST", "/safety/unblock", {"term": "zorbly"})
    until(lambda: not kept.exists(), within_s=5)


def test_without_the_orchestrator_there_is_silence(show: LaunchedShow) -> None:
    """Its death mid-word: the recording ends there, the turn is not taken up again."""
    turn_id = show.say(STORY)
    show.sounding(turn_id, 500)
    psutil.Process(show.services()["orchestrator"]["pid"]).kill()
    story = until(lambda: found if (found := show.turn(turn_id)).get("outcome") else None, within_s=15)
    assert (story["outcome"], story["reason"]) == ("failed", "restart")
    recording = show.root / "artifacts" / "turns" / f"{turn_id}.wav"
    kept_s = recording.stat().st_size / 96_000
    assert 0.3 < kept_s < 2.0, f"{kept_s:.1f} s were played of a turn that was cut after about half a second"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot stop a process and let it go on")
def test_panic_with_the_orchestrator_frozen(show: LaunchedShow) -> None:
    """The second path: launcher to playout, without the hub."""
    if sys.platform == "win32":
        return
    show.wait_ready()
    turn_id = show.say(STORY)
    show.sounding(turn_id, 500)
    frozen = psutil.Process(show.services()["orchestrator"]["pid"])
    frozen.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        pressed = show.kitsu("panic")
        took_s = time.monotonic() - began
        assert "launcher: took the order" in pressed.stdout, pressed.stdout + pressed.stderr
        time.sleep(1.0)  # sound that was not stopped would go on in this time
    finally:
        frozen.send_signal(signal.SIGCONT)
    story = show.ended(turn_id)
    assert story["outcome"] == "panic"
    assert len(show.wav(turn_id)) / 48_000 < 0.9 + took_s, "she was silent from the press on, not from the thaw on"
    assert show.call("GET", "/status")["levels"]["panic"] is not None
    assert show.kitsu("resume").returncode == 0
    assert show.call("POST", "/chat", {"text": "hello", "wait": True})["outcome"] == "spoken"


def test_a_panicked_show_comes_back_panicked(show: LaunchedShow) -> None:
    assert show.kitsu("panic").returncode == 0
    assert show.kitsu("restart").returncode == 0
    assert show.call("GET", "/status")["levels"]["panic"] is not None
    assert show.call("POST", "/chat", {"text": "hello", "wait": True})["outcome"] == "panic"
    assert show.kitsu("resume").returncode == 0
    assert show.call("POST", "/chat", {"text": "hello", "wait": True})["outcome"] == "spoken"
