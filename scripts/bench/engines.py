"""Starting the mock engines, each in a process of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError
from bench.journal import Follower
from bench.speeds import Speeds

SCRIPTS = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Engines:
    """Where the mocks listen, how fast they are, what they saw."""

    llm_url: str
    tts_url: str
    speeds: Speeds
    llm: Follower
    tts: Follower


@asynccontextmanager
async def mock_engines(folder: Path, speeds: Speeds) -> AsyncIterator[Engines]:
    """Both mocks, with their journals in `folder`, until the block ends.

    Raises:
        BenchError: `no_engine`.
    """
    llm_file, tts_file = folder / "llm.jsonl", folder / "tts.jsonl"
    factor = ("--realtime-factor", str(speeds.realtime_factor))
    with Follower(llm_file) as llm, Follower(tts_file) as tts:
        async with _mock("bench.mock_llm", llm_file) as llm_url, _mock("bench.mock_tts", tts_file, *factor) as tts_url:
            yield Engines(llm_url, tts_url, speeds, llm, tts)


@asynccontextmanager
async def _mock(module: str, journal: Path, *options: str) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, "--journal", str(journal), *options),
        cwd=SCRIPTS,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    try:
        port = (await process.stdout.readline()).strip().decode()
        if not port.isdigit():
            raise BenchError("no_engine", f"{module} did not start.")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.stdin.close()  # it ends with its stdin
        await process.wait()
