"""Asking whether what was shown shall be downloaded."""

import sys

from kitsu_cli.asking import somebody_there, yes
from kitsu_cli.exits import Exit, VerbError


def agree(given: bool, *, quiet: bool) -> bool:
    """Whether the person wants it; `given`: the command line said so.

    Raises:
        VerbError: `not_agreed`: nobody can be asked.
    """
    if given:
        return True
    if quiet or not somebody_there():
        message = "There is nobody to ask here. Read the licence above and add --yes if you agree."
        raise VerbError(Exit.USAGE, "not_agreed", message)
    sys.stderr.write("\n")
    return yes("Download it?")
