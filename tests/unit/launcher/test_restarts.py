import pytest

from kitsu_launcher.supervised import Death, ending, pause_s


def death(*, ready: bool = False) -> Death:
    return Death(1, 0.1, was_ready=ready)


def test_the_first_restart_is_immediate_then_pauses_double() -> None:
    pauses = [pause_s(death(), quick, 15.0) for quick in range(10)]
    assert pauses == [0, 0, 0.25, 0.5, 1, 2, 4, 8, 15, 15]


def test_a_service_that_had_come_up_is_back_soon() -> None:
    assert max(pause_s(death(ready=True), quick, 15.0) for quick in range(200)) == 1.0


@pytest.mark.parametrize(
    ("code", "failure", "words"),
    [(1, "", "ended with code 1"), (-9, "", "killed by signal 9"), (1, "no voice", "ended with code 1: no voice")],
)
def test_endings_in_words(code: int, failure: str, words: str) -> None:
    assert ending(code, failure) == words
