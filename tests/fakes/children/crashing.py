"""Comes up, then falls over with a traceback."""

from tests.fakes.children.base import beat

beat()
raise RuntimeError("the fox ran away")
