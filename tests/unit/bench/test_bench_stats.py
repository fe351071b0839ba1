import pytest

from bench.stats import drift, p50, p95, p99, percentile


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([5.0], 0.95, 5.0), ([1.0, 2.0], 0.5, 1.5), ([4.0, 1.0, 3.0, 2.0], 0.0, 1.0), ([4.0, 1.0, 3.0, 2.0], 1.0, 4.0)],
)
def test_percentile_is_linear_between_neighbours(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


def test_named_percentiles() -> None:
    values = [float(n) for n in range(101)]
    assert (p50(values), p95(values), p99(values)) == (50.0, 95.0, 99.0)


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 0.5)


def test_drift_compares_the_ends() -> None:
    assert drift([1.0, 1.0, 9.0, 9.0, 3.0, 3.0], tail=2) == 2.0
    assert drift([1.0, 2.0, 3.0], tail=10) == 2.0  # short runs: what there is
    assert drift([7.0], tail=10) == 0.0
