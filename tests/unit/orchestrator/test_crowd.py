"""The crowd: who is chosen, what is one line, what goes, and that none of it grows."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitsu.protocol import Author, AuthorRole, ChatLine
from kitsu_orchestrator.config import IntakeSettings
from kitsu_orchestrator.crowd import Crowd


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def crowd(clock: Clock | None = None, **settings: int | float) -> tuple[Crowd, Counter[str]]:
    dropped: Counter[str] = Counter()

    def drop(reason: str, lines: int) -> None:
        dropped[reason] += lines

    return Crowd(IntakeSettings(**settings), drop, clock or Clock()), dropped  # type: ignore[arg-type]


def line(text: str, user: str = "", role: AuthorRole = "viewer", message_id: str = "") -> ChatLine:
    name = user or f"by {text}"
    return ChatLine(
        author=Author(name=name, platform="twitch", user_id=name, login=name, role=role),
        text=text,
        message_id=message_id,
    )


def taken(crowd: Crowd) -> list[str]:
    jobs = [crowd.take() for _ in range(len(crowd))]
    return [job.text for job in jobs if job is not None]


async def test_to_her_before_known_before_everyone_and_everyone_gets_a_turn() -> None:
    waiting, _ = crowd()
    for text in ("v1", "v2"):
        waiting.put(line(text))
    for text, role in (("s1", "sub"), ("m1", "mod"), ("b1", "broadcaster")):
        waiting.put(line(text, role=role))  # type: ignore[arg-type]
    waiting.put(line("q1"), to_her=True)
    waiting.put(line("q2"), asked=True)
    assert taken(waiting) == ["q1", "q2", "v1", "s1", "m1", "v2", "b1"]
    assert waiting.take() is None


async def test_nobody_twice_in_a_row_while_somebody_else_waits() -> None:
    waiting, _ = crowd()
    for text, user in (("a1", "ann"), ("a2", "ann"), ("a3", "ann"), ("b1", "bob")):
        waiting.put(line(text, user))
    assert taken(waiting) == ["a1", "b1", "a2", "a3"]


async def test_an_author_may_have_so_many_lines_waiting() -> None:
    waiting, dropped = crowd(max_per_author=2)
    for number in range(5):
        waiting.put(line(str(number), "ann"))
    assert (len(waiting), dropped) == (2, {"author_limit": 3})
    waiting.take()
    assert waiting.put(line("next", "ann")) is not None, "there is room again"


async def test_equal_lines_are_one_and_many_make_a_chant() -> None:
    waiting, dropped = crowd(chant_at=3)
    waiting.put(line("first", "zoe", "mod"))
    for number, text in enumerate(("LUL", "lul", " LUL  ", "LuL")):
        waiting.put(line(text, f"user{number}"))
    waiting.put(line("lul", "user0"))
    assert dropped == {"merged": 3, "repeated": 1}
    job = waiting.take()
    assert job is not None
    assert job.text == "4 people in chat are saying: LUL", "it goes before what one mod says"
    assert job.author.name == "chat"


async def test_stale_lines_go() -> None:
    clock = Clock()
    waiting, dropped = crowd(clock, stale_after_s=10.0)
    waiting.put(line("old"))
    clock.now = 9.0
    waiting.put(line("new"))
    clock.now = 11.0
    assert taken(waiting) == ["new"]
    assert dropped == {"stale": 1}


async def test_a_full_crowd_drops_the_oldest_of_the_lowest_rank() -> None:
    waiting, dropped = crowd(max_chat=3)
    waiting.put(line("s1", role="sub"))
    waiting.put(line("v1"))
    waiting.put(line("v2"))
    waiting.put(line("v3"))
    waiting.put(line("s2", role="sub"))
    waiting.put(line("s3", role="sub"))
    assert waiting.put(line("v4")) is None, "nobody better goes for it"
    assert sorted(taken(waiting)) == ["s1", "s2", "s3"]
    assert dropped == {"crowded": 4}


async def test_what_is_taken_back_goes() -> None:
    waiting, dropped = crowd()
    waiting.put(line("a1", "ann", message_id="1"))
    waiting.put(line("a2", "ann", message_id="2"))
    waiting.put(line("b1", "bob", message_id="3"))
    assert waiting.remove_line("twitch", "2") == 1
    assert waiting.remove_line("youtube", "3") == 0
    assert waiting.remove_line("twitch", "") == 0
    assert waiting.remove_author(("twitch", "ann")) == 1
    assert taken(waiting) == ["b1"]
    assert dropped == {"removed": 2}


async def test_the_place_in_the_queue() -> None:
    waiting, _ = crowd()
    waiting.put(line("q1"), asked=True)
    entry = waiting.put(line("q2"), asked=True)
    waiting.put(line("v1"))
    assert entry is not None
    assert waiting.place(entry) == 1


@pytest.mark.parametrize("text", ["", " ", "\x00", "\u202e", "🦊" * 3000, "İ" * 400, "a" * 100_000])
async def test_odd_lines(text: str) -> None:
    waiting, _ = crowd()
    waiting.put(line(text, "ann"))
    job = waiting.take()
    assert job is not None
    assert len(job.text) <= 2000


EVENTS = st.lists(
    st.tuples(st.sampled_from(["put", "asked", "take", "ban", "delete", "clear", "later"]), st.integers(0, 9)),
    max_size=60,
)


@given(EVENTS)
async def test_every_line_is_somewhere_and_only_once(events: list[tuple[str, int]]) -> None:
    clock = Clock()
    waiting, dropped = crowd(clock, max_chat=6, max_per_author=2, chant_at=2, stale_after_s=5.0)
    put = took = cleared = 0
    for what, number in events:
        match what:
            case "put" | "asked":
                put += 1
                text, user = f"text {number % 4}", f"user{number % 5}"
                waiting.put(line(text, user, "sub" if number % 3 else "viewer", f"m{put}"), asked=what == "asked")
            case "take":
                took += waiting.take() is not None
            case "ban":
                waiting.remove_author(("twitch", f"user{number % 5}"))
            case "delete":
                waiting.remove_line("twitch", f"m{number}")
            case "clear":
                cleared += waiting.clear()
            case "later":
                clock.now += number
        assert len(waiting) <= 6
        assert put == took + cleared + len(waiting) + sum(dropped.values())
        assert len(waiting._ids) == len(waiting)
        assert sum(waiting._authors.values()) == len(waiting)
