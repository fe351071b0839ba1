"""`kitsu restart`: the whole show, or single services while the rest goes on."""

from argparse import Namespace

from kitsu.config import home, load_all
from kitsu_cli.exits import Exit
from kitsu_cli.verbs import start
from kitsu_cli.verbs.stop import stop_all


def run(arguments: Namespace) -> int:
    """Settings are checked before anything is stopped."""
    load_all()
    arguments.foreground = False
    launcher = start.running_launcher()
    if launcher is None:
        return start.bring_up(arguments)
    if not arguments.services:
        stop_all(launcher, arguments.timeout)
        return start.bring_up(arguments)
    for name in arguments.services:
        launcher.post(f"/services/{name}/restart", timeout_s=arguments.timeout)
    status = start.until_settled(launcher, arguments, home(), None)
    start.report(status, arguments)
    failed = {service["name"] for service in start.broken(status)}
    return Exit.NOT_STARTED if failed & set(arguments.services) else Exit.OK
