"""Latencies of the last turns."""

from collections import deque


class Latency:
    """The last `size` measurements of one stage, in ms."""

    def __init__(self, size: int = 200) -> None:
        self._values: deque[float] = deque(maxlen=size)

    def add(self, value_ms: float) -> None:
        """Note one measurement."""
        self._values.append(value_ms)

    def percentile(self, fraction: float) -> float:
        """Nearest-rank percentile, ms; 0.0 without any measurement."""
        if not self._values:
            return 0.0
        ordered = sorted(self._values)
        return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))]

    def summary(self, name: str) -> dict[str, float]:
        """`{name_p50: …, name_p95: …}`; empty without any measurement."""
        if not self._values:
            return {}
        return {f"{name}_p50": round(self.percentile(0.5), 2), f"{name}_p95": round(self.percentile(0.95), 2)}
