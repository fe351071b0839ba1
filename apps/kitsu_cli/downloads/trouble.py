"""What can go wrong with a download.

VerbError (exit code and stable `code`)     said to people; the command ends
└── made by `refused`, `cut_off`
CutError                                    the connection broke: worth another try
"""

from kitsu_cli.exits import Exit, VerbError

AGAIN = "Run the same command again: it goes on where it stopped."
GOES_ON = "connection_cut"
"""The code of the only failure after which what was already downloaded is kept."""


class CutError(Exception):
    """The connection broke, or the server has a bad moment; the text says how."""


def refused(code: str, message: str) -> VerbError:
    """A download that another try would not mend."""
    return VerbError(Exit.DOWNLOAD, code, message)


def cut_off(whence: str, why: str) -> VerbError:
    """All tries were used up."""
    return VerbError(Exit.DOWNLOAD, GOES_ON, f"The download from {whence} broke off ({why}). {AGAIN}")


def no_space(folder: object, needed_bytes: int) -> VerbError:
    """The disk has no room."""
    message = f"There is not enough room in {folder}: {megabytes(needed_bytes)} are needed. Make room and try again."
    return VerbError(Exit.FILE, "no_space", message)


def megabytes(count: int) -> str:
    """`61.2 MB`, in millions of bytes as download pages count."""
    return f"{count / 1e6:.1f} MB" if count < 1e9 else f"{count / 1e9:.2f} GB"
