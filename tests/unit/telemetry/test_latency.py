"""Latencies of the last turns."""

from kitsu.telemetry import Latency


def test_nothing_measured_says_nothing() -> None:
    latency = Latency()
    assert latency.summary("first_chunk") == {}
    assert latency.percentile(0.5) == 0.0


def test_nearest_rank() -> None:
    latency = Latency()
    for value in range(100, 0, -1):
        latency.add(value)
    assert latency.summary("gate") == {"gate_p50": 51, "gate_p95": 96}
    assert (latency.percentile(0), latency.percentile(1)) == (1, 100)


def test_old_measurements_are_forgotten() -> None:
    latency = Latency(size=3)
    for value in (1000, 1, 2, 3):
        latency.add(value)
    assert latency.percentile(1) == 3
