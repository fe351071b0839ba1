"""Scripted ears: real wire, and every message at the test's word.

async with FakeEars(port, token) as ears:
    said = await ears.starts()
    await ears.final(said, "What do we play tonight?")
"""

import itertools
from dataclasses import dataclass
from typing import Any, ClassVar

from kitsu.protocol import (
    STAGE,
    AsrCommand,
    AsrDropped,
    AsrFinal,
    AsrPartial,
    AsrSpeech,
    AsrState,
    Capabilities,
    EarsState,
    Message,
    Role,
    SourceState,
    Speaker,
)
from tests.fakes.workers import FakeWorker

HOST = Speaker(name="Robin", role="host")
GUEST = Speaker(name="Kim", role="guest")


@dataclass(frozen=True)
class Said:
    """One utterance."""

    utterance: str
    conv: str = STAGE
    speaker: Speaker = HOST
    source_id: str = "device"

    def fields(self) -> dict[str, Any]:
        return {
            "utterance": self.utterance,
            "conv": self.conv,
            "speaker": self.speaker,
            "source_id": self.source_id,
        }


class FakeEars(FakeWorker):
    """Says what the test says."""

    role: ClassVar[Role] = "asr"

    def __init__(self, port: int, token: str) -> None:
        super().__init__(port, token)
        self.capabilities = Capabilities(engine="fake_asr", features=("commands", "transcribe"))
        self._numbers = itertools.count(1)

    def begin(self) -> None:
        self.frames.clear()
        self._taken.clear()

    async def listens(self, mode: str = "open") -> None:
        """One microphone on the stage."""
        source = SourceState(source_id="device", kind="device", conv=STAGE, mode=mode)  # type: ignore[arg-type]
        await self.send(AsrState(ears=EarsState(configured=True, engine="fake_asr", sources=(source,))))

    async def starts(self, speaker: Speaker = HOST, *, conv: str = STAGE, echo: float = 0.0) -> Said:
        """Somebody begins to speak."""
        said = Said(f"u{next(self._numbers)}", conv, speaker)
        await self.speech(said, echo=echo)
        return said

    async def speech(self, said: Said, state: str = "started", **fields: Any) -> None:
        await self._tell(AsrSpeech(**said.fields(), state=state, at_ms=100.0, **fields))  # type: ignore[arg-type]

    async def partial(self, said: Said, text: str, *, settled: bool = False, **fields: Any) -> None:
        made = {"revision": 1, "stable": len(text), "settled": settled, "complete": settled, **fields}
        await self._tell(AsrPartial(**said.fields(), text=text, **made))

    async def final(self, said: Said, text: str, **fields: Any) -> None:
        await self._tell(AsrFinal(**said.fields(), text=text, **{"endpoint_ms": 700.0, **fields}))

    async def command(self, said: Said, command: Any, argument: str = "") -> None:
        await self._tell(AsrCommand(**said.fields(), command=command, argument=argument, confidence=0.9))

    async def dropped(self, said: Said, reason: Any = "nothing") -> None:
        await self._tell(AsrDropped(**said.fields(), reason=reason))

    async def _tell(self, message: Message) -> None:
        """Sent, and read by the hub."""
        await self.send(message)
        await self.settle()
