"""Runs a recogniser in a process of its own, `python -m kitsu_asr.child`: its memory, GIL and crashes stay there.

In: a line of JSON (`Order`) and, where it says `bytes`, so many bytes. Out: lines of JSON (`News`).
The first order is `load`; its answer is `loaded` or an error.
"""

import os
import queue
import sys
import threading
import time
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from kitsu.errors import EngineError
from kitsu_asr.engine import Engine, Session
from kitsu_asr.engines import make
from kitsu_asr.messages import News, Order
from kitsu_asr.pieces import transcribe
from kitsu_asr.spotting import make_spotter

if TYPE_CHECKING:
    from kitsu_asr.spotter import Spotter


class Stuck(Exception):  # noqa: N818 - no error: the parent is gone
    """Nothing more comes."""


class Child:
    """Orders in, news out, one after the other."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._engine: Engine | None = None
        self._spotter: Spotter | None = None
        self._sessions: dict[str, Session] = {}
        self._spotted = ""  # the utterance that the spotter listens to
        self._encoder = msgspec.json.Encoder()

    def obey(self, order: Order, payload: bytes, *, superseded: bool) -> None:
        """One order. `superseded`: the utterance's end waits already, so that nobody wants a partial result."""
        try:
            self._obey(order, payload, superseded=superseded)
        except EngineError as error:
            self._fail(order, error)
        except MemoryError:
            self._fail(order, EngineError("ears_out_of_memory", "There is not enough memory for this model."))
        except Exception as error:  # noqa: BLE001 - one sound that a model cannot take must not end the process
            text = f"The recogniser failed ({type(error).__name__})."
            self._fail(order, EngineError("ears_failed", text, retryable=True))

    def _obey(self, order: Order, payload: bytes, *, superseded: bool) -> None:
        match order.do:
            case "load":
                self._load(order)
            case "prepare":
                if self._spotter is not None and order.vocabulary is not None:
                    self._spotted = ""
                    self._spotter.prepare(order.vocabulary)
            case "open":
                self._open(order)
            case "feed":
                self._feed(order.id, payload)
            case "partial":
                if not superseded and order.id in self._sessions:
                    began = time.perf_counter()
                    heard = self._sessions[order.id].partial()
                    self._tell(News("partial", order.id, heard, took_ms=_ms(began)))
            case "finish":
                self._finish(order.id)
            case "drop":
                self._close(order.id)
            case "file":
                began = time.perf_counter()
                heard, duration_s = transcribe(self._ready, payload, order.language, order.hints)
                self._tell(News("final", order.id, heard, took_ms=_ms(began), duration_s=duration_s))

    @property
    def _ready(self) -> Engine:
        if self._engine is None:
            raise EngineError("engine_missing", "No recogniser is loaded.")
        return self._engine

    def _load(self, order: Order) -> None:
        assert order.choice is not None
        engine = make(order.engine, order.choice)
        note = engine.load()
        self._engine = engine
        if order.commands:
            self._spotter = make_spotter()
        self._tell(News("loaded", note=note, partials=engine.partials))

    def _open(self, order: Order) -> None:
        self._close(order.id)
        self._sessions[order.id] = self._ready.open(order.language, order.hints)
        if order.commands and self._spotter is not None and self._spotter.begin():
            self._spotted = order.id

    def _feed(self, utterance: str, pcm: bytes) -> None:
        session = self._sessions.get(utterance)
        if session is None:
            return
        session.feed(pcm)
        if utterance == self._spotted and self._spotter is not None:
            self._spotter.feed(pcm)

    def _finish(self, utterance: str) -> None:
        session = self._sessions.get(utterance)
        if session is None:
            raise EngineError("ears_failed", "The utterance was lost.", retryable=True)
        began = time.perf_counter()
        command = None
        try:
            heard = session.finish()
            if utterance == self._spotted and self._spotter is not None:
                self._spotted = ""
                command = self._spotter.finish(heard)
        finally:
            self._close(utterance)
        self._tell(News("final", utterance, heard, command, took_ms=_ms(began)))

    def _close(self, utterance: str) -> None:
        session = self._sessions.pop(utterance, None)
        if session is not None:
            session.close()
        if utterance == self._spotted and self._spotter is not None:
            self._spotted = ""
            self._spotter.cancel()

    def _fail(self, order: Order, error: EngineError) -> None:
        if order.do in ("open", "feed", "finish", "drop"):
            self._sessions.pop(order.id, None)
        self._tell(News("error", order.id, code=error.code, message=error.message, retryable=error.retryable))

    def _tell(self, news: News) -> None:
        try:
            self._out.write(self._encoder.encode(news) + b"\n")
            self._out.flush()
        except OSError:
            raise Stuck from None


Item = tuple[Order, bytes] | None


def _read(source: BinaryIO, items: "queue.Queue[Item]", ending: set[str]) -> None:
    """In a thread: the main one may be busy for seconds, and must learn that nobody waits any more."""
    decoder = msgspec.json.Decoder(Order)
    while line := source.readline():
        order = decoder.decode(line)
        payload = source.read(order.bytes) if order.bytes else b""
        if order.do in ("finish", "drop"):
            ending.add(order.id)
        items.put((order, payload))
    items.put(None)


def main() -> int:
    """Until stdin ends."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints goes to the log
    items: queue.Queue[Item] = queue.Queue()
    ending: set[str] = set()
    threading.Thread(target=_read, args=(sys.stdin.buffer, items, ending), daemon=True).start()
    child = Child(out)
    try:
        while (item := items.get()) is not None:
            order, payload = item
            child.obey(order, payload, superseded=order.id in ending)
            if order.do in ("finish", "drop"):
                ending.discard(order.id)
    except Stuck:
        pass
    return 0


def _ms(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 2)


if __name__ == "__main__":
    sys.exit(main())
