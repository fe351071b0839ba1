import pytest

from kitsu.safety import views
from kitsu.safety.mending import Mender

MENDER = Mender(["zorbly", "make", "want", "bomb", "balm", "burrow"], ["to", "the", "fox"])


def mended(text: str) -> str:
    view = MENDER.mend(views.plain(text))
    return view.text if view else text


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("z*rbly", "zorbly"),
        ("zor#ly now", "zorbly now"),
        ("b*r**w", "b*r**w"),  # most of it must show
        ("b*rr*w", "burrow"),
        ("ba_m", "balm"),
        ("f*x", "f*x"),
        ("abomb", "a bomb"),
        ("iwanttomake", "i want to make"),
        ("makeabombthefox", "make a bomb the fox"),
        ("makeafox", "makeafox"),
    ],
)
def test_what_a_reader_makes_of_it(text: str, read: str) -> None:
    assert mended(text) == read


def test_a_mask_with_several_meanings_stays() -> None:
    assert Mender(["balm", "ball"]).mend(views.plain("bal*x bal*")) is None
