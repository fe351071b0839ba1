"""Exit codes. They are a promise: scripts match on them. docs/cli.md and `kitsu --help` list them."""

from enum import IntEnum

from kitsu.errors import KitsuError


class Exit(IntEnum):
    """How a verb ended."""

    OK = 0
    NO = 1
    USAGE = 2
    SETTINGS = 3
    NOT_RUNNING = 4
    NOT_STARTED = 5
    PORT_IN_USE = 6
    REFUSED = 7
    TIMEOUT = 8
    FILE = 9
    DOWNLOAD = 10
    INTERRUPTED = 130


MEANING: dict[Exit, str] = {
    Exit.OK: "done; for chat and say: spoken, or answered with a fallback line",
    Exit.NO: "the turn was not spoken, a part is not healthy, an exit did not confirm the panic, you answered no",
    Exit.USAGE: "the command line is wrong",
    Exit.SETTINGS: "a setting, a secret or a folder is wrong; the message names it",
    Exit.NOT_RUNNING: "Kitsu does not run here, or the part that was asked does not answer",
    Exit.NOT_STARTED: "a service could not be started",
    Exit.PORT_IN_USE: "another program has one of Kitsu's ports",
    Exit.REFUSED: "the request was refused; the message says why",
    Exit.TIMEOUT: "no answer in time",
    Exit.FILE: "a file could not be read or written, or the disk has no room",
    Exit.DOWNLOAD: "something could not be downloaded; the message says whether trying again helps",
    Exit.INTERRUPTED: "interrupted with Ctrl-C",
}


class VerbError(KitsuError):
    """A verb could not be done: one line for people, and the exit code."""

    def __init__(self, exit_code: Exit, code: str, message: str) -> None:
        super().__init__(code, message)
        self.exit_code = exit_code
