"""The gate's rules while the show runs: files that change, and the operator's own words.

Files are looked at every second, off the event loop. All or nothing: a set that is wrong, half-written or gone changes
nothing but the health; the rules that counted go on counting.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from kitsu.errors import GateError, KitsuError
from kitsu.safety import Actions, ClosedGate, Gate, Judge, Rulebook, RuleSet
from kitsu.safety.own import BLOCKED, OwnList, OwnTerm, check_category, write_own
from kitsu.telemetry import log
from kitsu_orchestrator.rule_files import Fingerprint, RuleFiles
from kitsu_orchestrator.stream import Tell
from kitsu_orchestrator.switch_gate import SwitchGate

LOOK_EVERY_S = 1.0
SWITCH_S = 0.0005
"""How soon a compiling thread gives way to the event loop (the interpreter's default, 5 ms, would be heard)."""

T = TypeVar("T")


class RuleKeeper:
    """Holds the rules, and gives the gate new ones. `opened` is told of a gate that was closed and now is not."""

    def __init__(self, judge: Judge, files: RuleFiles, key: bytes, *, watching: bool = True) -> None:
        self.gate = SwitchGate(judge)
        self.files = files
        self.tell: Tell = lambda level, code, message: None
        self.opened: Callable[[Gate], None] = lambda gate: None
        self.changed: Callable[[], None] = lambda: None  # health is better or worse
        self.now_only_changed: Callable[[], None] = lambda: None
        self.look_over: Callable[[RuleSet], str] = _nothing_to_say  # in a thread: what the operator should know of them
        self.calm: Callable[[], Awaitable[None]] = _at_once  # before the processor is wanted for long
        self.trouble = ""  # why the files on disk are not the rules that count; empty when they are
        self.reloads = 0
        self._key = key
        self._watching = watching
        self._book: Rulebook | None = None
        self._milder = RuleSet(())
        self._own = OwnList()
        self._now_only = OwnList()
        self._seen: Fingerprint = ()
        self._alone = asyncio.Lock()

    @classmethod
    def start(cls, files: RuleFiles, key: bytes, now_only: OwnList | None = None) -> "RuleKeeper":
        """With the rules as they lie there; when something is wrong with them, with a closed gate.

        `now_only`: the operator's words for this show, from before a crash.

        Raises:
            ConfigError: `bad_setting`.
        """
        seen = files.fingerprint()
        try:
            book, own = files.load()
        except GateError as error:
            log.error("gate.closed", code=error.code, message_=error.message)
            keeper = cls(ClosedGate(error), files, key)
            keeper.trouble = error.message
        else:
            rules = (now_only or OwnList()).applied_to(own.applied_to(book.rules))
            gate = Gate(rules, key, actions=book.actions, budget_ms=files.settings.budget_ms)
            keeper = cls(gate, files, key)
            keeper._book, keeper._own = book, own
            keeper._milder = book.milder.with_allowed(own.allowed)
        keeper._now_only = now_only or OwnList()
        keeper._seen = seen
        return keeper

    @property
    def own(self) -> OwnList:
        """The operator's words that last."""
        return self._own

    @property
    def now_only(self) -> OwnList:
        """The operator's words for this show."""
        return self._now_only

    @property
    def shipped(self) -> RuleSet | None:
        """The rules without the operator's own words; None while they cannot be used."""
        return self._book.rules if self._book else None

    @property
    def levels(self) -> Mapping[str, int]:
        """How strict each category is."""
        return self._book.levels if self._book else {}

    @property
    def milder(self) -> tuple[RuleSet, Actions]:
        """The rules that would count one level higher, less what the operator allows; what is done with findings."""
        return self._milder, self._book.actions if self._book else Actions()

    async def aside(self, work: Callable[[], T]) -> T:
        """Do long work in a thread, when nobody waits for a first word, giving way to the event loop."""
        async with self._alone:
            await self.calm()
            return await self._compile(work)

    async def run(self) -> None:
        """Follow the files until cancelled."""
        while self._watching:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Take in what has changed on disk, if anything has."""
        seen = await asyncio.to_thread(self.files.fingerprint)
        if seen == self._seen:
            return
        async with self._alone:
            await self.calm()
            await self._reload(seen)

    async def block(self, term: str, category: str = BLOCKED, *, now_only: bool = False) -> None:
        """Block this from the next text on.

        Raises:
            GateError: `bad_term`, `no_such_category`, `gate_closed`, `own_words_not_saved`; nothing has changed then.
        """
        async with self._alone:
            self._check_term(term, category)
            if now_only:
                await self._adopt(self._own, self._now_only.blocking(term, category), must_find=term)
            else:
                await self._adopt(self._own.blocking(term, category), self._now_only, must_find=term)

    async def unblock(self, term: str) -> bool:
        """Block this no longer. False: it was not on the operator's own list. Raises like `block`."""
        async with self._alone:
            own, now_only = self._own.unblocking(term), self._now_only.unblocking(term)
            if (own, now_only) == (self._own, self._now_only):
                return False
            await self._adopt(own, now_only)
            return True

    async def allow(self, phrase: str) -> None:
        """Hold nothing against this any more. Raises like `block`."""
        async with self._alone:
            await self._adopt(self._own.allowing(phrase), self._now_only.unblocking(phrase))

    async def disallow(self, phrase: str) -> bool:
        """Take an allowed phrase back. False: it was not on the list. Raises like `block`."""
        async with self._alone:
            own = self._own.disallowing(phrase)
            if own == self._own:
                return False
            await self._adopt(own, self._now_only)
            return True

    # Inside

    async def _reload(self, seen: Fingerprint) -> None:
        missing_own = self.files.lost_own(self._seen, seen)
        try:
            if missing_own:
                raise GateError("rules_missing", f"{self.files.own} is gone; write it again, or block a word.")
            book, own = await self._compile(self.files.load)
            rules, remark = await self._compile(lambda: self._made(book, own, self._now_only))
        except KitsuError as error:
            self._complain(error)
            if not missing_own:
                self._seen = seen
            return
        self._book, self._own = book, own
        self._seen = seen
        self._use(rules, book)
        self._well(remark)

    async def _adopt(self, own: OwnList, now_only: OwnList, *, must_find: str = "") -> None:
        book = self._base()
        rules, remark = await self._compile(lambda: self._made(book, own, now_only))
        if must_find and rules.find(must_find, "output") is None:
            raise GateError("bad_term", "That is on an allow-list (configs/safety/allow.yaml), which comes first.")
        if own != self._own:
            await self._save(own)
        self._own, self._now_only = own, now_only
        self.now_only_changed()
        self._use(rules, book)
        self._remark(remark)

    async def _save(self, own: OwnList) -> None:
        try:
            await asyncio.to_thread(write_own, self.files.own, own)
        except OSError as error:
            text = f"{self.files.own} cannot be written ({error.strerror}); nothing has changed."
            raise GateError("own_words_not_saved", text) from None
        if self._watching and not self.trouble:  # else the next look tells whether this was the cure
            self._seen = await asyncio.to_thread(self.files.with_own_of_now, self._seen)

    def _use(self, rules: RuleSet, book: Rulebook) -> None:
        self._milder = book.milder.with_allowed(self._own.allowed)
        gate = self.gate.now
        if isinstance(gate, Gate):
            gate.use(rules, book.actions)
            return
        opened = Gate(rules, self._key, actions=book.actions, budget_ms=self.files.settings.budget_ms)
        self.gate.now = opened
        self.opened(opened)

    def _made(self, book: Rulebook, own: OwnList, now_only: OwnList) -> tuple[RuleSet, str]:
        """The rules with the operator's words. Looking over them also warms their automata, here and not in a turn."""
        rules = now_only.applied_to(own.applied_to(book.rules))
        if self.files.settings.vote:
            book.milder.ready()
        return rules, self.look_over(rules)

    def _remark(self, remark: str) -> None:
        if remark:
            log.warning("rules.remark", message_=remark)
            self.tell("warn", "her_lines_blocked", remark)

    def _base(self) -> Rulebook:
        """The rules without the operator's own words."""
        if self._book is None and isinstance(self.gate.now, Gate):
            self._book = Rulebook(self.gate.now.rules, self.gate.now.actions, {})
        if self._book is None:
            raise GateError("gate_closed", "The gate is closed; mend its rules first: kitsu status says which line.")
        return self._book

    def _check_term(self, term: str, category: str) -> None:
        check_category(category, self._base().actions.treatments)
        if OwnTerm(term).folded in self._base().rules.innocent.common:
            raise GateError("bad_term", "That is an everyday word (`common` in configs/safety/allow.yaml).")

    async def _compile(self, work: Callable[[], T]) -> T:
        with _giving_way():
            return await asyncio.to_thread(work)

    def _complain(self, error: KitsuError) -> None:
        closed = not isinstance(self.gate.now, Gate)
        holds = "The gate stays closed." if closed else "The rules that counted so far go on counting."
        if self.trouble != error.message:
            self.trouble = error.message
            log.error("rules.refused", code=error.code, message_=error.message)
            self.tell("error", error.code, f"{error.message} {holds}")
            self.changed()

    def _well(self, remark: str) -> None:
        self.trouble = ""
        self.changed()
        self.reloads += 1
        log.info("rules.reloaded", categories=len(self._book.rules.categories) if self._book else 0)
        self.tell("info", "rules_reloaded", "The gate's rules were read anew and count from now on.")
        self._remark(remark)


@contextmanager
def _giving_way() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _nothing_to_say(rules: RuleSet) -> str:
    """Nobody looks the rules over."""
    return ""


async def _at_once() -> None:
    """Nothing to wait for."""
