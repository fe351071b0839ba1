"""The `kitsu` command."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TextIO

from kitsu.errors import ConfigError, KitsuError
from kitsu_cli.arguments import VERBS, parser
from kitsu_cli.exits import Exit, VerbError


def main(argv: Sequence[str] | None = None) -> int:
    """Do one verb; errors become one line on stderr and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        _speak_utf8(stream)
    arguments = parser().parse_args(argv)
    verb = import_module(f"kitsu_cli.verbs.{VERBS[arguments.verb].module}")
    try:
        code: int = verb.run(arguments)
    except KitsuError as error:
        sys.stderr.write(f"kitsu {arguments.verb}: {error.message}\n")
        return _exit_code(error)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:  # whoever read our output (`head`) has enough
        sys.stderr.close()
        return Exit.OK
    return code


def _exit_code(error: KitsuError) -> Exit:
    match error:
        case VerbError():
            return error.exit_code
        case ConfigError():
            return Exit.SETTINGS
        case _:
            return Exit.NO


def _speak_utf8(stream: TextIO) -> None:
    """Pipes on Windows speak a code page otherwise."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(encoding="utf-8", errors="replace")


if __name__ == "__main__":
    sys.exit(main())
