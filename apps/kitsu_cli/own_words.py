"""The operator's own words: changed in the running show, at once; without one, in the file that the next one reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kitsu.errors import GateError
from kitsu.filelock import FileLock
from kitsu.home import home
from kitsu_cli.exits import Exit, VerbError
from kitsu_cli.running import doors


def change(verb: str, body: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Do `verb` (block, unblock, allow); the words after it, and whether a running show has them.

    Raises:
        VerbError: REFUSED, FILE, NOT_RUNNING (what is for now only needs a show).
    """
    try:
        return doors().orchestrator.post(f"/safety/{verb}", body, timeout_s=10.0), True
    except VerbError as error:
        if error.exit_code != Exit.NOT_RUNNING or body.get("now_only"):
            raise
    return _in_the_file(verb, body), False


def listed() -> tuple[dict[str, Any], bool]:
    """The words, and whether a running show said so. Raises like `change`."""
    try:
        return doors().orchestrator.get("/safety/words"), True
    except VerbError as error:
        if error.exit_code != Exit.NOT_RUNNING:
            raise
    from kitsu.safety.own import read_own

    with _refusals():
        return _as_json(read_own(home().own_words_file)), False


def _in_the_file(verb: str, body: dict[str, Any]) -> dict[str, Any]:
    from kitsu.safety.own import read_own, write_own

    path = home().own_words_file
    with _refusals(), _Alone(path):
        if verb == "block":
            _check_category(body["category"])
        before = read_own(path)
        after = _changed(before, verb, body)
        if after == before and (verb == "unblock" or body.get("remove")):
            raise VerbError(Exit.REFUSED, "no_such_term", "That is not on your list.")
        write_own(path, after)
        return _as_json(after)


def _changed(own: Any, verb: str, body: dict[str, Any]) -> Any:
    if verb == "block":
        return own.blocking(body["term"].strip(), body["category"])
    if verb == "unblock":
        return own.unblocking(body["term"].strip())
    phrase = body["phrase"].strip()
    return own.disallowing(phrase) if body["remove"] else own.allowing(phrase)


def _as_json(own: Any) -> dict[str, Any]:
    blocked = [{"term": known.term, "category": known.category} for known in own.blocked]
    return {"blocked": blocked, "now_only": [], "allowed": list(own.allowed)}


def _check_category(category: str) -> None:
    from kitsu.safety.loading import category_names
    from kitsu.safety.own import BLOCKED, check_category

    if category != BLOCKED:  # the usual one needs no rules: it can also be used while they are broken
        check_category(category, category_names(home().configs / "safety"))


class _Alone:
    """Two commands at once must not lose each other's words."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(path.with_suffix(".lock"))

    def __enter__(self) -> None:
        if not self._lock.acquire():
            raise VerbError(Exit.FILE, "file_busy", "Another command is changing your words; try again.")

    def __exit__(self, *exc_info: object) -> None:
        self._lock.release()


@contextmanager
def _refusals() -> Iterator[None]:
    """Errors of the library and of the disk, as a verb's."""
    try:
        yield
    except GateError as error:
        raise VerbError(Exit.REFUSED, error.code, error.message) from None
    except OSError as error:
        what = f"Your words could not be saved or read ({error.strerror})."
        raise VerbError(Exit.FILE, "file_not_written", what) from None
