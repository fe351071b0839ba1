"""Places in what is said and in what is shown."""

from collections.abc import Iterable

from kitsu.protocol import Rewrite


def written_span(rewrites: Iterable[Rewrite], start: int, end: int) -> tuple[int, int]:
    """Where code points `start` to `end` of the spoken form stand in the written one; all of a replaced piece."""
    moved = 0
    for one in rewrites:
        if one.start >= end:
            break
        if one.end > start:
            return one.written_start, one.written_end
        moved = one.written_end - one.end
    return start + moved, end + moved
