"""`python -m kitsu_launcher`: what `kitsu start` runs, detached.

Says one JSON line on stdout when it is clear whether it starts: `{"started": true}` or `{"error": {code, message}}`;
then stdout is closed. Exit codes: 0 stopped, 3 wrong setting, 4 another launcher runs, 6 a port is in use.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence

from kitsu.config import Home, LogSettings, NetworkSettings, home, load, make_secret
from kitsu.errors import ConfigError, KitsuError
from kitsu.filelock import FileLock
from kitsu.leftovers import reap
from kitsu.services import SERVICES, Service
from kitsu.telemetry import log, setup_logs
from kitsu_launcher.config import LauncherSettings
from kitsu_launcher.logs import ServiceLog
from kitsu_launcher.show import Show, service_log
from kitsu_launcher.sockets import PortInUseError, check_services_ports, listen
from kitsu_launcher.system import this_system

EXIT_CONFIG = 3
EXIT_OTHER_RUNS = 4
EXIT_PORT_IN_USE = 6


class OtherRunsError(KitsuError):
    """Another launcher holds the lock of this home."""


def main(argv: Sequence[str] | None = None, services: Mapping[str, Service] = SERVICES) -> int:
    """Run a show until it is told to stop."""
    parser = argparse.ArgumentParser(prog="kitsu_launcher", description="Starts and watches Kitsu's services.")
    parser.add_argument("--only", default="", help="start only these services, separated by commas")
    parser.add_argument("--attached", action="store_true", help="stop when stdin ends")
    arguments = parser.parse_args(argv)
    where = home()
    lock = FileLock(where.lock_file)
    try:
        own_log, listener = _claim(where, lock)
    except KitsuError as error:
        lock.release()
        say({"error": {"code": error.code, "message": error.message}})
        return _exit_code(error)
    say({"started": True})
    try:
        with listener:
            _log_to(own_log)
            only = [name for name in arguments.only.split(",") if name]
            asyncio.run(_run(where, services, listener, only, attached=arguments.attached))
    finally:
        where.running_file.unlink(missing_ok=True)
        lock.release()
        own_log.close()
    return 0


def _claim(where: Home, lock: FileLock) -> tuple[ServiceLog, socket.socket]:
    """Everything that can go wrong before a process is started.

    Raises:
        KitsuError: ConfigError, OtherRunsError `already_running`, PortInUseError `port_in_use`.
    """
    where.make()
    network = load("network", NetworkSettings)
    logs = load("logs", LogSettings)
    load("launcher", LauncherSettings)
    try:
        taken = lock.acquire()
    except OSError as error:
        raise ConfigError("home_not_writable", f"{lock.path} cannot be written ({error.strerror}).") from None
    if not taken:
        raise OtherRunsError("already_running", f"Another launcher runs on {where.root}.")
    make_secret(where.token_file)
    reap(where.running_file)
    check_services_ports(network)
    listener = listen(network.host, network.launcher_port, "network.launcher_port")
    return service_log(where, logs, "launcher"), listener


async def _run(
    where: Home, services: Mapping[str, Service], listener: socket.socket, only: Sequence[str], *, attached: bool
) -> None:
    network = load("network", NetworkSettings)
    show = Show(
        services,
        where=where,
        settings=load("launcher", LauncherSettings),
        logs=load("logs", LogSettings),
        network=network,
        system=this_system(),
    )
    _stop_on_signals(show.stopping)
    if attached:
        _stop_at_end_of_stdin(show.stopping)
    async with asyncio.TaskGroup() as group:
        await show.start(group, only)
        await asyncio.sleep(0)
        # the web stack is imported only now, while the services import theirs on the other cores
        from kitsu_launcher.api import Server, app

        server = Server(app(show, make_secret(where.token_file), network.launcher_port))
        serving = group.create_task(server.serve(sockets=[listener]))
        await show.stopping.wait()
        log.info("launcher.stopping")
        await show.stop()
        server.should_exit = True
        await serving
    log.info("launcher.stopped")


def say(answer: Mapping[str, object]) -> None:
    """One line to whoever started us, then nothing more: nobody reads there later."""
    try:
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    except OSError:
        log.debug("launcher.unheard")
    with open(os.devnull, "w") as nothing:  # noqa: PTH123 - the device, not a path of ours
        os.dup2(nothing.fileno(), 1)


def _exit_code(error: KitsuError) -> int:
    match error:
        case OtherRunsError():
            return EXIT_OTHER_RUNS
        case PortInUseError():
            return EXIT_PORT_IN_USE
        case _:
            return EXIT_CONFIG


def _log_to(own_log: ServiceLog) -> None:
    """The launcher's own JSON lines go to its file, like those of every service."""
    setup_logs("launcher")

    class ToFile(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            own_log.write(self.format(record))

    root = logging.getLogger()
    handler = ToFile()
    handler.setFormatter(root.handlers[0].formatter)
    root.handlers[:] = [handler]


def _stop_on_signals(stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    for number in (getattr(signal, name) for name in names if hasattr(signal, name)):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopping.set))


def _stop_at_end_of_stdin(stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def wait() -> None:
        while sys.stdin.buffer.read(1 << 10):
            continue
        if not loop.is_closed():
            loop.call_soon_threadsafe(stopping.set)

    threading.Thread(target=wait, name="stdin", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
