"""Where things are; see `kitsu.home`, which installers can import without any package."""

from kitsu.home import CHECKOUT, Home, home

__all__ = ["CHECKOUT", "Home", "home"]
