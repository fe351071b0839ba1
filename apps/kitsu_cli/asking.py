"""Questions to a person at a terminal."""

import sys

from kitsu_cli.exits import Exit, VerbError


def somebody_there() -> bool:
    """Whether a person can read a question and answer it."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def answer(question: str) -> str:
    """What the person typed; empty for Enter alone.

    Raises:
        VerbError: INTERRUPTED when the terminal was closed (or Ctrl-D pressed).
    """
    sys.stderr.write(question)
    sys.stderr.flush()
    typed = sys.stdin.readline()
    if not typed:
        sys.stderr.write("\n")
        raise VerbError(Exit.INTERRUPTED, "no_answer", "No answer came. Nothing was changed.")
    return typed.strip()


def yes(question: str) -> bool:
    """A clear yes; anything else is a no."""
    return answer(f"{question} [y/N] ").casefold() in ("y", "yes")
