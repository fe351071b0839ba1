"""Where utterances begin, pause and end, frame by frame."""

import pytest

from kitsu_asr.endpoint import PAUSE_MS, Endpointer, Limits

FRAME_MS = 20.0
LIMITS = Limits(onset=100, min_speech=180, longest=5000)


def changes(pattern: str, limits: Limits = LIMITS, patience_ms: float = 500) -> list[tuple[str, float, float]]:
    """`pattern`: `#` is a frame of speech, `.` one without."""
    endpoints = Endpointer(limits, FRAME_MS, patience_ms)
    found = [change for frame in pattern for change in endpoints.feed(frame == "#")]
    return [(change.what, change.at_ms, change.now_ms) for change in found]


def test_an_utterance() -> None:
    assert changes("." * 10 + "#" * 20 + "." * 40) == [
        ("started", 200, 260),
        ("paused", 600, 600 + PAUSE_MS),
        ("ended", 600, 1100),
    ]


def test_a_click_is_nothing() -> None:
    assert changes("." * 10 + "##" + "." * 100) == []


def test_a_cough_is_dropped() -> None:
    assert [what for what, *_ in changes("." * 10 + "#" * 6 + "." * 100)] == ["started", "paused", "dropped"]


def test_gaps_inside_words_do_not_pause() -> None:
    assert [what for what, *_ in changes(("####" + "..") * 10 + "." * 40)] == ["started", "paused", "ended"]


def test_who_goes_on_after_a_pause_goes_on_in_the_same_utterance() -> None:
    found = changes("#" * 20 + "." * 15 + "#" * 20 + "." * 40)
    assert [what for what, *_ in found] == ["started", "paused", "resumed", "paused", "ended"]
    assert found[2][1] == 700
    assert found[-1][1] == 1100


def test_patience_may_change_while_it_pauses() -> None:
    endpoints = Endpointer(LIMITS, FRAME_MS, 500)
    for _ in range(20):
        list(endpoints.feed(True))
    for _ in range(10):
        list(endpoints.feed(False))
    endpoints.patience_ms = 1200
    ended = [n for n in range(100) for change in endpoints.feed(False) if change.what == "ended"]
    assert (ended[0] + 11) * FRAME_MS == 1200


def test_who_never_stops_is_cut() -> None:
    found = changes("#" * 600)
    assert [what for what, *_ in found] == ["started", "ended", "started", "ended", "started"]
    assert found[1][2] - found[0][1] == pytest.approx(5000, abs=40)


def test_the_end_may_be_forced() -> None:
    endpoints = Endpointer(LIMITS, FRAME_MS, 500)
    for _ in range(20):
        list(endpoints.feed(True))
    assert [change.what for change in endpoints.finish()] == ["ended"]
    assert not endpoints.open
    assert list(endpoints.finish()) == []
