import pytest

from bench.sink import Heard, PlayedPosition, audible
from bench.speeds import Speeds
from bench.split import split, stall_ms

REPLY = "Sure, let me think about that for a moment."
SPEEDS = Speeds()


def rows_of_model(tokens: int, *, at: float = 0.010) -> list[dict[str, object]]:
    sent = [{"ev": "tok", "t": at + 0.150 + 0.025 * n, "id": 1, "i": n + 1} for n in range(tokens)]
    return [{"ev": "req", "t": at, "id": 1, "user": ""}, *sent]


def rows_of_voice(text: str, at: float) -> list[dict[str, object]]:
    return [
        {"ev": "req", "t": at, "id": 1, "text": text, "ms": 500},
        {"ev": "chunk", "t": at + 0.080, "id": 1, "i": 1},
    ]


def test_a_turn_cut_at_its_comma() -> None:
    found = split(REPLY, 0.0, rows_of_model(3), rows_of_voice("Sure,", 0.163), [Heard("sound", 0.245)], SPEEDS)
    assert found is not None
    assert found.total_ms == pytest.approx(245)
    assert (found.before_ms, found.between_ms, found.after_ms) == pytest.approx((10, 3, 2))
    assert found.lookahead_ms == 0
    assert found.added_ms == pytest.approx(15)
    assert found.clause_ratio == pytest.approx(245 / 230)


def test_waiting_for_the_next_word_is_where_to_cut_not_what_it_costs() -> None:
    voice = rows_of_voice("Sure, let me think", 0.262)
    found = split(REPLY, 0.0, rows_of_model(6), voice, [Heard("sound", 0.345)], SPEEDS)
    assert found is not None
    assert found.lookahead_ms == pytest.approx(25)
    assert found.overhead_ms == pytest.approx(10 + 27 + 3)
    assert found.added_ms == pytest.approx(15)


def test_sound_of_before_the_voice_answered_does_not_count() -> None:
    sound = [Heard("sound", 0.200), Heard("sound", 0.245)]
    found = split(REPLY, 0.0, rows_of_model(3), rows_of_voice("Sure,", 0.163), sound, SPEEDS)
    assert found is not None
    assert found.total_ms == pytest.approx(245)


@pytest.mark.parametrize(
    ("model", "voice", "sound"),
    [
        ([], rows_of_voice("Sure,", 0.163), [Heard("sound", 0.3)]),
        (rows_of_model(3), [], [Heard("sound", 0.3)]),
        (rows_of_model(3), rows_of_voice("something else", 0.163), [Heard("sound", 0.3)]),
        (rows_of_model(3), rows_of_voice("Sure,", 0.163), []),
        (rows_of_model(0), rows_of_voice("Sure,", 0.163), [Heard("sound", 0.3)]),
    ],
)
def test_a_turn_with_a_missing_part_is_no_measurement(
    model: list[dict[str, object]], voice: list[dict[str, object]], sound: list[Heard]
) -> None:
    assert split(REPLY, 0.0, model, voice, sound, SPEEDS) is None


def test_a_listener_hears_only_gaps_as_stalls() -> None:
    assert stall_ms([]) == 0
    early = [Heard("sound", 1.0, samples=4800), Heard("sound", 1.05, samples=4800)]
    assert stall_ms(early) == 0
    late = [Heard("sound", 1.0, samples=4800), Heard("sound", 1.25, samples=4800)]
    assert stall_ms(late) == pytest.approx(150)


def test_played_position_follows_the_clock_and_stops_where_sound_ends() -> None:
    played = PlayedPosition()
    played.arrived(1000, 960, now=5.0)
    assert played.at(5.0) == 1000
    assert played.at(5.01) == 1480
    assert played.sounds(5.01)
    assert played.at(6.0) == 1960
    played.arrived(1960, 960, now=7.0)  # after a gap it starts where it stood
    assert played.at(7.0) == 1960


def test_silence_is_not_audible() -> None:
    assert not audible(memoryview(b"\0" * 8))
    assert not audible(memoryview(b""))
    assert audible(memoryview((0).to_bytes(2, "little") + (-9000 & 0xFFFF).to_bytes(2, "little")))
