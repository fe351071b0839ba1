"""The one reason for a bench to fail: it could not measure. A slow figure is not a failure."""

from kitsu.errors import KitsuError


class BenchError(KitsuError):
    """Nothing was measured; `code` and `message` say why."""
