"""One sink plays, whoever else is there."""

from kitsu.protocol import PlayoutSinks, SinkClosed
from tests.unit.playout.stage import RATE_HZ, Stage


def playing() -> Stage:
    stage = Stage.on_air()
    stage.open()
    stage.say(0, "a long line of many words", 10.0)
    return stage


def elected(stage: Stage) -> str:
    return stage.player.elected("stage")


def test_nobody_listens_and_the_clock_runs() -> None:
    stage = playing()
    stage.close(1)
    stage.run(11)
    assert stage.finished[0].reason == "played"
    assert {frame.sink for _, frame, _ in stage.frames} == {""}
    assert stage.all(PlayoutSinks)[-1].sinks == ()


def test_device_before_overlay_before_page_and_first_come() -> None:
    stage = Stage.on_air()
    for name, kind, winner in (
        ("p1", "page", "p1"),
        ("o1", "overlay", "o1"),
        ("o2", "overlay", "o1"),
        ("d", "device", "d"),
    ):
        stage.sink(name, kind)  # type: ignore[arg-type]
        assert elected(stage) == winner
    for name, winner in (("d", "o1"), ("o1", "o2"), ("o2", "p1"), ("p1", "")):
        stage.give(SinkClosed(conv="stage", sink=name))
        assert elected(stage) == winner


def test_a_blocked_sink_loses_and_gets_it_back() -> None:
    stage = playing()
    stage.sink("o1")
    stage.sink("p1", "page")
    stage.position(0, "o1", "blocked")
    assert elected(stage) == "p1"
    stage.run(0.5)
    assert stage.frames[-1][1].sink == "p1"
    stage.position(0, "o1", "running")
    assert elected(stage) == "o1"


def test_a_blocked_sink_alone_is_nobody() -> None:
    stage = playing()
    stage.sink("o1")
    stage.position(0, "o1", "blocked")
    stage.run(0.1)
    assert stage.frames[-1][1].sink == ""
    assert stage.all(PlayoutSinks)[-1].sinks[0].state == "blocked"
    assert not stage.all(PlayoutSinks)[-1].sinks[0].elected


def test_a_stalled_sink_loses_to_another_and_returns_when_it_moves() -> None:
    stage = playing()
    stage.sink("o1")
    stage.sink("p1", "page")
    for step in range(10):
        stage.run(0.1)
        stage.position(step * 4800, "o1")
    assert elected(stage) == "o1"
    for _ in range(10):
        stage.run(0.1)
        stage.position(9 * 4800, "o1")  # said again, but it stands still
        stage.sink("o1")
    assert elected(stage) == "p1"
    assert stage.errors == ["sink_stalled"]
    stage.position(10 * 4800, "o1")
    assert elected(stage) == "o1"


def test_an_idle_sink_is_not_stalled() -> None:
    stage = Stage.on_air()
    stage.sink("o1")
    for _ in range(30):
        stage.run(1)
        stage.sink("o1")
    assert elected(stage) == "o1"
    assert not stage.errors


def test_a_sink_of_a_door_that_died_is_forgotten() -> None:
    stage = Stage.on_air()
    stage.sink("o1")
    stage.run(11)
    assert stage.all(PlayoutSinks)[-1].sinks == ()


def test_status_tells_lag_and_underruns() -> None:
    stage = playing()
    stage.sink("o1")
    stage.run(1)
    stage.position(round(0.9 * RATE_HZ))
    stage.run(0.01)
    (state,) = stage.all(PlayoutSinks)[-1].sinks
    assert (state.sink, state.elected, state.state) == ("o1", True, "running")
    assert abs(state.behind_ms - 100) < 1


def test_positions_of_another_life_do_not_confuse() -> None:
    stage = playing()
    stage.sink("o1")
    stage.position(99_999_999)
    stage.position(-5)
    stage.run(0.5)
    stage.flush(1)
    assert 450 < stage.finished[0].audio_ms <= 500.1


def test_unknown_sinks_are_ignored() -> None:
    stage = playing()
    stage.position(5, "nobody")
    stage.give(SinkClosed(conv="stage", sink="nobody"))
    assert elected(stage) == ""


def test_only_so_many_sinks() -> None:
    stage = Stage.on_air()
    for number in range(100):
        stage.sink(f"p{number}", "page")
    stage.run(0)
    assert len(stage.all(PlayoutSinks)[-1].sinks) == 32


def test_a_sink_hears_only_its_conversation() -> None:
    stage = playing()
    stage.sink("p1", "page", conv="page:1")
    stage.run(0.2)
    assert {frame.sink for _, frame, _ in stage.frames} == {""}
