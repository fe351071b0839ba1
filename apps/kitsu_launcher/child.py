"""One run of a service's process: its pipes, its tree, and the ladder that ends it."""

import asyncio
import json
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from typing import Any

import psutil

from kitsu_launcher.beats import Lines
from kitsu_launcher.config import LauncherSettings
from kitsu_launcher.system import System, Tree

LAST_WORDS_S = 1.0  # for what a dead process still has in its pipes

_ENVIRONMENT = {
    "PYTHONUNBUFFERED": "1",
    "PYTHONUTF8": "1",
    "KITSU_SHOW": secrets.token_hex(8),  # this run: a service that comes back knows its own show by it
}


class Pipes(asyncio.SubprocessProtocol):
    """stdout and stderr line by line, and the moment of the end.

    asyncio's own streams call a process ended only when its pipes are closed, and a grandchild may hold those open.
    """

    def __init__(self, on_stdout: Callable[[bytes], None], on_stderr: Callable[[bytes], None]) -> None:
        self._readers = {1: (Lines(), on_stdout), 2: (Lines(), on_stderr)}
        self._open = {1, 2}
        self.exited = asyncio.Event()
        self.emptied = asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        splitter, deliver = self._readers[fd]
        for line in splitter.feed(data):
            deliver(line)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd not in self._open:
            return
        splitter, deliver = self._readers[fd]
        for line in splitter.finish():
            deliver(line)
        self._open.discard(fd)
        if not self._open:
            self.emptied.set()

    def process_exited(self) -> None:
        self.exited.set()


class Child:
    """A process with a pipe on stdin (its end means stop), heartbeats on stdout and logs on stderr."""

    def __init__(self, transport: asyncio.SubprocessTransport, pipes: Pipes, tree: Tree) -> None:
        stdin = transport.get_pipe_transport(0)
        assert isinstance(stdin, asyncio.WriteTransport)
        self.pid = transport.get_pid()
        self.created = _created(self.pid)
        self._stdin = stdin
        self._transport = transport
        self._pipes = pipes
        self._tree = tree

    @classmethod
    async def spawn(
        cls,
        module: str,
        system: System,
        *,
        on_stdout: Callable[[bytes], None],
        on_stderr: Callable[[bytes], None],
    ) -> "Child":
        """Start `python -m module`; the current folder is not on its path.

        Raises:
            OSError: the system could not start it.
        """
        transport, pipes = await asyncio.get_running_loop().subprocess_exec(
            lambda: Pipes(on_stdout, on_stderr),
            sys.executable,
            "-P",
            "-m",
            module,
            env=os.environ | _ENVIRONMENT,
            **system.spawn_options,
        )
        try:
            tree = system.tree(transport.get_pid())
        except OSError:
            transport.kill()
            await pipes.exited.wait()
            transport.close()
            raise
        return cls(transport, pipes, tree)

    def order(self, order: Mapping[str, Any]) -> bool:
        """Write one order to its stdin at once; False when nobody reads there any more."""
        if self._pipes.exited.is_set() or self._stdin.is_closing():
            return False
        self._stdin.write(json.dumps(order).encode() + b"\n")
        return True

    async def wait(self) -> int:
        """Its exit code, once it has ended, its last words were read and nothing of its tree is left."""
        await self._pipes.exited.wait()
        self._tree.kill()
        await _within(LAST_WORDS_S, self._pipes.emptied)
        self._tree.close()
        self._transport.close()
        code = self._transport.get_returncode()
        assert code is not None
        return code

    def kill(self) -> None:
        """End it and everything it started, now."""
        self._tree.kill()

    async def stop(self, settings: LauncherSettings) -> None:
        """The ladder: order and end of file, then terminate, then kill; done when it is gone."""
        self.order({"verb": "stop"})
        self._stdin.close()
        if await _within(settings.stop_s, self._pipes.exited):
            return
        self._tree.terminate()
        if await _within(settings.terminate_s, self._pipes.exited):
            return
        self._tree.kill()
        await self._pipes.exited.wait()


async def _within(seconds: float, event: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


def _created(pid: int) -> float:
    """When the process was made (unix s): with the id it names a process for good; 0.0 when it is gone already."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0
