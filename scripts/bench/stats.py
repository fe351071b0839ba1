"""Medians and percentiles of small samples."""

from collections.abc import Sequence
from statistics import fmean


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0..1) of the sample lies, linear between neighbours.

    Raises:
        ValueError: the sample is empty.
    """
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no percentile of nothing")
    place = (len(ordered) - 1) * share
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def p50(values: Sequence[float]) -> float:
    """The median."""
    return percentile(values, 0.5)


def p95(values: Sequence[float]) -> float:
    """What one in twenty is worse than."""
    return percentile(values, 0.95)


def p99(values: Sequence[float]) -> float:
    """What one in a hundred is worse than."""
    return percentile(values, 0.99)


def drift(values: Sequence[float], tail: int) -> float:
    """Mean of the last `tail` values minus mean of the first `tail`: how much slower it got over the run."""
    part = max(1, min(tail, len(values) // 2))
    return fmean(values[-part:]) - fmean(values[:part])
