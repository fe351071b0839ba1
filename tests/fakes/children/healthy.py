"""Beats, obeys, stops when told."""

from tests.fakes.children.base import beat_forever, obey

beat_forever()
obey()
