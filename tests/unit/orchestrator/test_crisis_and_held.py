from types import SimpleNamespace
from unittest.mock import MagicMock

from kitsu.protocol import Author, ChatRemoved
from kitsu.safety import Why
from kitsu_orchestrator.chat import Chat
from kitsu_orchestrator.crisis import REMEMBERED, CrisisCare
from kitsu_orchestrator.held import HeldLines
from kitsu_orchestrator.lines import Job
from kitsu_orchestrator.verdicts import MAX_CODE_POINTS, Judged, widened


def ann(**fields: str) -> Author:
    return Author(name=fields.pop("name", "Ann"), **fields)  # type: ignore[arg-type]


def test_one_calm_line_a_person_and_a_while() -> None:
    now = [0.0]
    care = CrisisCare(600.0, lambda: now[0])
    assert care.give(ann(), "1")
    assert care.give(ann(), "1")  # the same turn, thought about anew
    assert not care.give(ann(name="ANN"), "2")
    assert care.give(ann(name="Bob"), "3")
    assert care.give(ann(platform="twitch", user_id="7"), "4")
    assert not care.give(ann(name="Renamed", platform="twitch", user_id="7"), "5")
    now[0] = 601.0
    assert care.give(ann(), "6")


def test_it_does_not_remember_without_end() -> None:
    care = CrisisCare(600.0, lambda: 0.0)
    for number in range(REMEMBERED + 50):
        assert care.give(ann(name=f"n{number}"), str(number))
    assert len(care._given) == REMEMBERED


async def test_lines_of_somebody_who_was_banned_are_withdrawn() -> None:
    held = HeldLines()
    for user in ("7", "8", "7"):
        held.add(Job(text="x", author=ann(platform="twitch", user_id=user)), Why())
    held.withdraw("twitch", "7")
    assert held.state() == {"waiting": 1, "limit": 20, "held": 3, "withdrawn": 2}


async def test_what_a_platform_takes_back_waits_no_longer() -> None:
    studio = SimpleNamespace(held=HeldLines())
    chat = Chat(MagicMock(studio=studio), MagicMock())

    def hold() -> None:
        for user, line in (("7", "a"), ("8", "b")):
            author = ann(platform="twitch", user_id=user)
            studio.held.add(Job(text="x", author=author, message_id=line), Why())
        studio.held.add(Job(text="x", author=ann(platform="local"), message_id="a"), Why())

    for order, left in (
        (ChatRemoved(what="line", platform="twitch", message_id="a"), [("8", "b"), ("", "a")]),
        (ChatRemoved(what="author", platform="twitch", user_id="8"), [("7", "a"), ("", "a")]),
        (ChatRemoved(what="all", platform="twitch"), [("", "a")]),
    ):
        studio.held = HeldLines()
        hold()
        chat.removed("local", order)
        assert studio.held.state()["waiting"] == 3, "a platform speaks for itself only"
        chat.removed("twitch", order)
        jobs = [studio.held.allow(row["turn_id"]) for row in studio.held.as_json()]
        assert [(job.author.user_id, job.message_id) for job in jobs if job] == left


async def test_an_allowed_line_is_still_that_line() -> None:
    held = HeldLines()
    job = Job(text="x", author=ann(platform="twitch"), message_id="m", asked=True, paid=100)
    held.add(job, Why())
    allowed = held.allow(job.turn_id)
    assert allowed is not None
    assert (allowed.message_id, allowed.asked, allowed.paid, allowed.pardoned) == ("m", True, 100, True)
    assert allowed.turn_id != job.turn_id


def test_a_finding_is_shown_as_whole_words() -> None:
    assert widened("hello zorbly!", 7, 9) == "zorbly"
    assert widened("a z o r b l y b", 2, 13) == "z o r b l y"
    assert widened("x", 0, 1) == "x"


def test_of_a_long_text_the_part_around_the_finding_is_kept() -> None:
    text = "a " * 3000 + "zorbly" + " b" * 3000
    row = Judged("t", "stage", "input", "question", Why(rule="r", start=6000, end=6006), text).row()
    assert len(row["text"]) == MAX_CODE_POINTS
    assert row["text"][row["found_from"] : row["found_to"]] == "zorbly"
    assert "zorbly" not in repr(Judged("t", "stage", "input", "question", Why(), text))
