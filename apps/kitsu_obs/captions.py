"""Her words in OBS's own text sources: the sentence that sounds, and the line that she answers.

For streams without the overlay. A source that OBS does not have is left out; newest words win, older ones are never
written late.
"""

import asyncio
import textwrap
from typing import Any, Protocol

from kitsu.errors import EngineError
from kitsu.protocol import (
    Message,
    PlayoutCaption,
    PlayoutFinished,
    PlayoutProgress,
    PlayoutStarted,
    TurnStarted,
    checked,
)
from kitsu.telemetry import log
from kitsu_obs.config import ObsSettings
from kitsu_obs.steps import Json, ask

LINE_CODE_POINTS = 42  # as in subtitles; OBS's text sources do not wrap by themselves
LINGER_S = 1.5  # of the last sentence, to be read to its end
MAX_KEPT = 200  # sentences that wait for their sound


class Asker(Protocol):
    """What writing needs of `ObsLink`."""

    async def batch(self, requests: list[Json], timeout_s: float) -> list[Json]: ...


class Captions:
    """What two text sources shall say. `run` writes it whenever it changes."""

    def __init__(self, link: Asker, settings: ObsSettings) -> None:
        self._link = link
        self._timeout_s = settings.timeout_s
        self._caption, self._answering = settings.caption_input, settings.answering_input
        self._sentences: dict[tuple[str, int], str] = {}
        self._lines: dict[str, str] = {}  # turn id -> the line that is answered
        self._sounding: tuple[str, int] = ("", -1)
        self._wanted = {name: "" for name in (self._caption, self._answering) if name}
        self._written: dict[str, str] = {}
        self._changed = asyncio.Event()
        self._fading: asyncio.TimerHandle | None = None

    def see(self, message: Message, key: bytes) -> None:
        """What happens on the stage.

        Raises:
            ProtocolError: `bad_seal`.
        """
        match message:
            case TurnStarted():
                _keep(self._lines, message.turn_id, _line(message, key))
            case PlayoutCaption(segment=segment, caption=caption):
                _keep(self._sentences, (message.turn_id, segment), checked(caption, key, "caption", message.turn_id))
            case PlayoutStarted():
                self._want(self._answering, self._lines.pop(message.turn_id, ""))
            case PlayoutProgress(heard=heard):
                self._sounds((message.turn_id, heard.segment))
            case PlayoutFinished(reason="played"):
                self._fading = asyncio.get_running_loop().call_later(LINGER_S, self._fade)
            case _:
                pass

    def clear(self) -> None:
        """Nothing of hers stands there any more, and nothing comes late."""
        self._sentences.clear()
        self._lines.clear()
        self._fade()

    def rewrite(self) -> None:
        """OBS is new: whatever it shows, it gets what it should."""
        self._written.clear()
        self._changed.set()

    async def run(self) -> None:
        """Write what changed. Until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            todo = {name: text for name, text in self._wanted.items() if self._written.get(name) != text}
            if todo:
                await self._write(todo)

    async def _write(self, todo: dict[str, str]) -> None:
        requests = [
            ask("SetInputSettings", inputName=name, inputSettings={"text": _wrapped(text)})
            for name, text in todo.items()
        ]
        try:
            await self._link.batch(requests, self._timeout_s)
        except EngineError as error:  # OBS is away; `rewrite` comes with it
            log.debug("obs.captions_not_written", code=error.code)
            return
        self._written |= todo

    def _sounds(self, now: tuple[str, int]) -> None:
        if now == self._sounding or now not in self._sentences:
            return
        self._sounding = now
        self._unfade()
        self._want(self._caption, self._sentences.pop(now))

    def _fade(self) -> None:
        self._unfade()
        self._sounding = ("", -1)
        for name in self._wanted:
            self._want(name, "")

    def _unfade(self) -> None:
        if self._fading is not None:
            self._fading.cancel()
            self._fading = None

    def _want(self, name: str, text: str) -> None:
        if name in self._wanted and self._wanted[name] != text:
            self._wanted[name] = text
            self._changed.set()


def _keep(table: dict[Any, str], key: object, text: str) -> None:
    table[key] = text
    while len(table) > MAX_KEPT:
        del table[next(iter(table))]


def _line(started: TurnStarted, key: bytes) -> str:
    """Whose line, as the gate let it through; empty for what she begins herself."""
    if started.question is None:
        return ""
    question = checked(started.question, key, "question", started.turn_id)
    author = checked(started.author, key, "author", started.turn_id) if started.author else ""
    return f"{author}: {question}" if author else question


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, LINE_CODE_POINTS))
