"""Logs and latencies of a process."""

from kitsu.telemetry.latency import Latency
from kitsu.telemetry.logs import log, setup_logs

__all__ = ["Latency", "log", "setup_logs"]
