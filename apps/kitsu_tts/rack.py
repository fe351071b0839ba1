"""All voices of this installation, in order: the first that is well speaks, the next one takes over."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import msgspec

from kitsu.config import home
from kitsu.errors import ConfigError, EngineError
from kitsu.telemetry import log
from kitsu_tts.breaker import Breaker
from kitsu_tts.cache import VoiceCache
from kitsu_tts.config import TtsSettings
from kitsu_tts.engines import ENGINES, make
from kitsu_tts.handover import Handover
from kitsu_tts.installed import installed
from kitsu_tts.voice import Chunk, Voice

if TYPE_CHECKING:
    from kitsu_tts.ears import Ears

DRY_S = 0.6  # a voice that lets the audience wait so long in the middle of a segment has hung
THE_TEXTS_FAULT = frozenset({"nothing_to_say", "text_too_long", "no_such_voice"})  # no other voice would do better


@dataclass(eq=False)
class Place:
    """One voice on the rack."""

    name: str
    settings: TtsSettings
    voice: Voice | None = None  # loaded
    why_not: str = ""  # it could not be loaded
    breaker: Breaker = field(default_factory=Breaker)
    loading: "asyncio.Task[None] | None" = None


class VoiceRack:
    """Speaks with the first voice that is well.

    Args:
        settings: `engine` says which comes first; `fallback` whether others may take over.
        on_trouble: told of a voice that failed and who speaks instead (for the operator).
        clock: seconds.
    """

    def __init__(
        self,
        settings: TtsSettings,
        on_trouble: Callable[[EngineError], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._on_trouble = on_trouble
        self._clock = clock
        self._stack: AsyncExitStack
        self._cache = VoiceCache(home().voice_cache, settings.cache_mb)
        self._last_error = EngineError("voice_missing", "no voice could be loaded", retryable=True)
        order = _order(settings)
        self.places = [Place(name, _own(settings, name, order[0])) for name in order]

    async def load(self, stack: AsyncExitStack) -> None:
        """Load the first voice that can be loaded, and the last resort, so that it can take over at once.

        Raises:
            ConfigError: the engine that the settings name cannot speak.
        """
        self._stack = stack
        self._cache.open()
        for place in self.places:
            try:
                await self._load(place)
            except ConfigError:
                if self._settings.engine != "auto" or place is self.places[-1]:
                    raise
                continue
            break
        last = self.places[-1]
        if last.voice is None and last.name == "espeak":
            self._load_soon(last)

    @property
    def current(self) -> Voice:
        """Who would speak now."""
        return self._first_well() or next(place.voice for place in self.places if place.voice)

    @property
    def trouble(self) -> str:
        """Why she may sound other than chosen, or not at all; empty when all is well."""
        chosen, now = self.places[0], self._clock()
        if chosen.voice is not None and chosen.breaker.allows(now) and not chosen.breaker.failures:
            return chosen.voice.trouble
        why = chosen.why_not or (chosen.voice.trouble if chosen.voice else "") or "it failed"
        return f"{chosen.name}: {why}; {self.current.name} speaks instead" if len(self.places) > 1 else why

    @property
    def note(self) -> str:
        """One line for people: who speaks, and why."""
        place = self.places[0]
        chosen = "" if self._settings.engine != "auto" else f"chosen of: {', '.join(p.name for p in self.places)}"
        return "; ".join(filter(None, (place.voice.note if place.voice else "", chosen)))

    async def use(self, engine: str, voice: str = "") -> None:
        """Put another voice first, from the next segment on.

        Raises:
            EngineError: `no_such_engine`, `no_such_voice`; then nothing has changed.
        """
        if engine not in ENGINES:
            raise EngineError("no_such_engine", f"there is no voice engine {engine!r}; there are: {', '.join(ENGINES)}")
        place = next((one for one in self.places if one.name == engine), None)
        if place is not None and place.loading is not None:
            await asyncio.wait({place.loading})
        try:
            if place is None or place.voice is None:
                place = Place(engine, msgspec.structs.replace(self._settings, engine=engine, voice=voice))
                await self._load(place)
            else:
                await place.voice.choose(voice)
        except ConfigError as error:
            raise EngineError(error.code, error.message) from None
        place.breaker.worked()
        self.places = [place, *(one for one in self.places if one.name != engine)]

    async def speak(self, text: str, voice: str = "") -> AsyncGenerator[Chunk, None]:
        """The sound of `text`. A voice that fails is replaced where it broke off.

        Raises:
            EngineError: the text's fault, or no voice is left.
        """
        handover = Handover(text)
        tried: set[str] = set()
        while True:
            place = self._next(tried)
            tried.add(place.name)
            rest = handover.rest()
            if handover.sent_s and not any(map(str.isalnum, rest)):
                return
            try:
                async with aclosing(self._spoken(place, rest, voice, handover)) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except EngineError as error:
                if error.code in THE_TEXTS_FAULT:
                    raise
                self._failed(place, error, tried)
            else:
                place.breaker.worked()
                return

    async def _spoken(self, place: Place, text: str, voice: str, handover: Handover) -> AsyncGenerator[Chunk, None]:
        engine = self._voice_of(place)
        ears = _ears(engine, text)
        held: list[Chunk] = []  # silence before the first sound: not heard yet, so it can still be taken back
        began = 0.0
        source = self._cache.speak(engine, text, voice if place is self.places[0] else "")
        async with aclosing(source) as chunks:
            while True:
                played_out = began + handover.sent_s - self._clock() if began else 0.0
                patience = max(0.0, played_out) + DRY_S if began else self._settings.first_sound_timeout_s
                try:
                    async with asyncio.timeout(None if engine.trusted else patience):
                        chunk = await anext(chunks, None)
                except TimeoutError:
                    raise EngineError("voice_hung", "the voice stopped in the middle", retryable=True) from None
                if chunk is None:
                    if held:
                        raise EngineError(
                            "voice_silent", "the voice makes no speech: only silence came", retryable=True
                        )
                    return
                held.append(replace(chunk, gain_db=engine.gain_db, engine=engine.name))
                if ears is not None:
                    ears.hear(chunk)
                    if ears.silent:
                        continue
                began = began or self._clock()
                for one in held:
                    yield handover.take(one)
                held.clear()

    def _next(self, tried: set[str]) -> Place:
        place = next((one for one in self._ready() if one.name not in tried), None)
        if place is None:  # nobody else is well: rather somebody who failed before than silence
            loaded = [one for one in self.places if one.voice is not None and one.name not in tried]
            if not loaded:
                raise self._last_error
            place = loaded[0]
        return place

    def _failed(self, place: Place, error: EngineError, tried: set[str]) -> None:
        self._last_error = error
        place.breaker.failed(self._clock())
        following = next((one for one in self._ready() if one.name not in tried), None)
        log.warning("voice.failed", engine=place.name, code=error.code, next=following.name if following else "")
        if following is not None:
            self._on_trouble(
                EngineError("voice_fallback", f"{place.name} failed ({error.message}); {following.name} speaks instead")
            )
        for one in self.places:
            if one.voice is None and not one.why_not:
                self._load_soon(one)

    def _ready(self) -> list[Place]:
        now = self._clock()
        return [place for place in self.places if place.voice is not None and place.breaker.allows(now)]

    def _first_well(self) -> Voice | None:
        return next((place.voice for place in self._ready()), None)

    def _voice_of(self, place: Place) -> Voice:
        assert place.voice is not None
        return place.voice

    async def _load(self, place: Place) -> None:
        voice = make(place.settings)
        try:
            await voice.load(self._stack)
        except ConfigError as error:
            place.why_not = error.message
            raise
        _ears(voice, "")  # its imports now, not in the first turn
        place.voice = voice

    def _load_soon(self, place: Place) -> None:
        async def load() -> None:
            try:
                await self._load(place)
            except ConfigError as error:
                log.warning("voice.not_loaded", engine=place.name, code=error.code, message=error.message)

        if place.loading is None:
            place.loading = asyncio.create_task(load(), name=f"load {place.name}")
            self._stack.callback(place.loading.cancel)


def _order(settings: TtsSettings) -> list[str]:
    """Who speaks first, and who after: what is installed, the most natural voice first."""
    there = [name for name in ("coqui", "piper", "espeak") if not installed(name, settings.voice)]
    if settings.engine == "auto":
        return there or ["espeak"]
    others = [name for name in there if name != settings.engine] if settings.fallback else []
    return [settings.engine, *others]


def _own(settings: TtsSettings, name: str, first: str) -> TtsSettings:
    """What one engine is told: the voice's name is meant for the one that comes first."""
    return msgspec.structs.replace(settings, engine=name, voice=settings.voice if name == first else "")


def _ears(engine: Voice, text: str) -> "Ears | None":
    if engine.trusted:
        return None
    from kitsu_tts.ears import Ears  # numpy: only where a voice needs it

    return Ears(text)
