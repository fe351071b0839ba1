"""The launcher's settings."""

from typing import Annotated

from msgspec import Meta

from kitsu.config import Seconds, Section


class LauncherSettings(Section, frozen=True, kw_only=True):
    """How services are watched, restarted and stopped."""

    hang_s: Seconds = 10.0  # without a heartbeat for so long, a service is killed and started again
    start_s: Seconds = 60.0  # the first heartbeat may take so long
    stop_s: Seconds = 4.0  # after the order to stop, before it is told harder
    terminate_s: Seconds = 1.0  # after that, before it is killed with all its children
    restart_max_s: Annotated[float, Meta(ge=0, le=600)] = 15.0  # longest pause before the next try
