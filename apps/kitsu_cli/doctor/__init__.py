"""What `kitsu doctor` looks at, all at the same time."""

from kitsu_cli.doctor.finding import Finding
from kitsu_cli.doctor.looking import findings

__all__ = ["Finding", "findings"]
