"""Windows, points and pauses, in virtual time."""

import pytest

from kitsu_twitch.limits import LIMIT, LIMIT_AS_MODERATOR, WINDOW_S, BackOff, ChatWindow, Points


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_twenty_in_the_window_then_a_pause_until_the_first_is_out_of_it() -> None:
    clock = Clock()
    window = ChatWindow(clock)
    for _ in range(LIMIT):
        assert window.wait_s() == 0
        window.note()
        clock.now += 1
    assert window.left == 0
    assert window.wait_s() == pytest.approx(WINDOW_S - LIMIT)
    clock.now += window.wait_s()
    assert window.left == 1


def test_never_more_than_twitch_allows_in_any_window() -> None:
    clock, sent = Clock(), []
    window = ChatWindow(clock)
    for _ in range(100):
        clock.now += window.wait_s()
        window.note()
        sent.append(clock.now)
    assert all(later - earlier > 30 for earlier, later in zip(sent, sent[LIMIT:], strict=False))


def test_moderators_may_send_more_and_losing_it_holds_at_once() -> None:
    clock = Clock()
    window = ChatWindow(clock)
    window.moderator(True)
    for _ in range(50):
        window.note()
    assert window.left == LIMIT_AS_MODERATOR - 50
    window.moderator(False)
    assert window.left == 0
    clock.now += WINDOW_S
    assert window.left == LIMIT


def test_points_that_are_used_up_are_waited_for() -> None:
    clock = Clock()
    points = Points(clock)
    assert points.wait_s() == 0
    points.told({"Ratelimit-Remaining": "700", "Ratelimit-Reset": "1020"})
    assert points.wait_s() == 0
    points.told({"Ratelimit-Remaining": "2", "Ratelimit-Reset": "1020"})
    assert points.wait_s() == 20
    clock.now = 1021
    assert points.wait_s() == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Ratelimit-Remaining": "-1", "Ratelimit-Reset": "1020"},
        {"Ratelimit-Remaining": "0", "Ratelimit-Reset": "soon"},
        {"Ratelimit-Remaining": "0", "Ratelimit-Reset": "9" * 400},
        {"Ratelimit-Remaining": "٣", "Ratelimit-Reset": ""},
    ],
)
def test_odd_headers_are_ignored(headers: dict[str, str]) -> None:
    points = Points(Clock())
    points.told(headers)
    assert points.wait_s() == 0


def test_a_reset_in_the_far_future_is_not_believed() -> None:
    points = Points(Clock())
    points.told({"Ratelimit-Remaining": "0", "Ratelimit-Reset": "999999999999"})
    assert points.wait_s() == 60


def test_pauses_double_up_to_a_minute_and_begin_anew() -> None:
    back_off = BackOff()
    pauses = [back_off.next_s() for _ in range(10)]
    assert all(0.75 * 2**n <= pause <= 1.25 * 2**n for n, pause in enumerate(pauses[:6]))
    assert max(pauses) <= 64
    back_off.reset()
    assert back_off.next_s() <= 1.25
