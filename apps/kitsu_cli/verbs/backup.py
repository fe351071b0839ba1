"""`kitsu backup`: one file from which the installation can be put back."""

from argparse import Namespace
from pathlib import Path

from kitsu.home import home
from kitsu_cli import screen
from kitsu_cli.archive.backup import backup
from kitsu_cli.exits import Exit

WARNING = "This file holds keys and passwords: whoever has it can act as you. Keep it to yourself."


def run(arguments: Namespace) -> int:
    """Write it, and say what is in it."""
    path = Path(arguments.file).absolute()
    files = backup(home(), path, with_secrets=arguments.with_secrets)
    if arguments.json:
        screen.write_json({"file": str(path), "with_secrets": arguments.with_secrets, "files": files})
        return Exit.OK
    screen.write([[(f"Written: {path}", "bold")], *([(f"  {name}", "")] for name in files)])
    if arguments.with_secrets:
        screen.write([[(f"! {WARNING}", "yellow")]])
    else:
        print("Keys and passwords are not in it (--with-secrets takes them in); voices and recordings never are.")
    return Exit.OK
