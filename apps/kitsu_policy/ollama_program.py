"""Runs `ollama serve` for as long as the brain lives (`policy.ollama_autostart`)."""

import asyncio
import os
import shutil
import subprocess
import sys
from contextlib import AsyncExitStack, suppress
from typing import Any

import psutil

from kitsu.errors import EngineError
from kitsu.telemetry import log
from kitsu_policy.ollama_address import OllamaAddress

START_S = 10.0
STOP_S = 2.0
LOOK_EVERY_S = 0.1
PROGRAM = "ollama"


async def serve_ollama(address: OllamaAddress, stack: AsyncExitStack) -> None:
    """Make sure that an Ollama answers at `address` on this machine. One that had to be started ends with `stack`.

    Raises:
        EngineError: `ollama_missing`, `ollama_ended`, `model_unreachable`.
    """
    if await address.listens():
        return
    process = await _spawn(address)
    stack.push_async_callback(_stop, process)
    log.info("ollama.started", pid=process.pid, address=str(address))
    try:
        async with asyncio.timeout(START_S):
            while not await address.listens():
                if process.returncode is not None:
                    text = f"`ollama serve` ended with code {process.returncode}; run it by hand to see why"
                    raise EngineError("ollama_ended", text)
                await asyncio.sleep(LOOK_EVERY_S)
    except TimeoutError:
        text = f"`ollama serve` does not answer at {address} yet"
        raise EngineError("model_unreachable", text, retryable=True) from None


async def _spawn(address: OllamaAddress) -> asyncio.subprocess.Process:
    program = shutil.which(PROGRAM)
    if program is None:
        text = "policy.ollama_autostart is on, but the program `ollama` is not on PATH; install Ollama"
        raise EngineError("ollama_missing", text)
    options: dict[str, Any] = {}
    if sys.platform == "win32":
        options["creationflags"] = subprocess.CREATE_NO_WINDOW
    try:
        return await asyncio.create_subprocess_exec(
            program,
            "serve",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_environment(address),
            **options,
        )
    except OSError as error:
        raise EngineError("ollama_missing", f"`ollama serve` cannot be started: {error.strerror}") from None


def _environment(address: OllamaAddress) -> dict[str, str]:
    """Ours, without Kitsu's settings, which hold keys."""
    inherited = {name: value for name, value in os.environ.items() if not name.upper().startswith("KITSU")}
    return inherited | {"OLLAMA_HOST": str(address)}


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End it and the runners that it started: ended the hard way, as on Windows, it leaves them behind."""
    runners = _children(process.pid)
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
    for runner in runners:
        with suppress(psutil.Error):
            runner.kill()
    await process.wait()
    log.info("ollama.stopped", pid=process.pid)


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []
