"""The only way to an audience."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitsu.errors import GateError
from kitsu.protocol.approved import SEAL_KEY_BYTES, Approved, SurfaceName, seal
from kitsu.safety.clean import clean, parted
from kitsu.safety.loading import load_rules
from kitsu.safety.recent import Recent
from kitsu.safety.rules import Finding, RuleSet, Stage
from kitsu.safety.verdict import InputVerdict, OutputVerdict, Why

if TYPE_CHECKING:
    from kitsu.config import SafetySettings

MAX_CODE_POINTS = 4000  # longer than any line or segment; whatever is longer is blocked unread
MAX_NAME_CODE_POINTS = 60
REMEMBERED_CODE_POINTS = 200  # of what a turn has said, against words split over segments
REMEMBERED_NAMES = 2000


class Gate:
    """Judges by rules, and seals what passes. The only maker of `Approved`.

    A verdict that takes longer than `budget_ms`, or that anything goes wrong in, is a `GateError`, which callers treat
    as a block.
    """

    def __init__(
        self,
        rules: RuleSet,
        key: bytes,
        *,
        budget_ms: float = 250.0,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        assert len(key) == SEAL_KEY_BYTES
        self._rules = rules
        self._key = key
        self._budget_ms = budget_ms
        self._clock = clock  # seconds
        self._names: dict[str, bool] = {}
        self._recent = Recent(clock)

    @classmethod
    def load(cls, folder: Path, settings: "SafetySettings", key: bytes) -> "Gate":
        """A gate with the rules in `folder`.

        Raises:
            GateError: `rules_missing` or `rules_invalid`, naming file and line.
        """
        rules = load_rules(folder, family_mode=settings.family_mode)
        return cls(rules, key, budget_ms=settings.budget_ms)

    async def judge_input(self, text: str, *, author: str, turn_id: str) -> InputVerdict:
        """A line for her and its author's display name. A bad name alone doesn't block the line.

        Raises:
            GateError: `gate_slow` or `gate_failed`.
        """
        started = self._clock()
        line, name = clean(text[:MAX_CODE_POINTS]), clean(author[:MAX_NAME_CODE_POINTS])
        why = self._too_long(text, started) or self._why(text[:MAX_CODE_POINTS], "input", started)
        if not why.rule:
            why = self._why_with_before(line, author, started) or why
        named = bool(name) and self._name_passes(name, started)
        allowed = not why.rule
        return InputVerdict(
            allowed=allowed,
            text=line if allowed else "",
            author=self._approve(name, "author", turn_id) if named else None,
            question=self._approve(line, "question", turn_id) if allowed else None,
            why=why,
        )

    def _why_with_before(self, line: str, author: str, started: float) -> Why | None:
        """What the line makes together with what its author wrote just before."""
        before = self._recent.before(author)
        if not before:
            self._recent.add(author, line)
            return None
        why = self._why(f"{before} {line}", "input", started, border=len(before))
        if why.rule:
            self._recent.forget(author)
            return why
        self._recent.add(author, line)
        return None

    def window(self, turn_id: str) -> "OutputWindow":
        """A fresh window for one turn."""
        return OutputWindow(self, turn_id)

    def _judge_segment(self, text: str, spoken: str, before: str, turn_id: str) -> OutputVerdict:
        started = self._clock()
        line, said = clean(text[:MAX_CODE_POINTS]), clean(spoken[:MAX_CODE_POINTS])
        why = self._too_long(max(text, spoken, key=len), started) or self._why(
            text[:MAX_CODE_POINTS], "output", started
        )
        if not why.rule and said != line:
            why = self._why(said, "output", started)
        if not why.rule and before:
            why = self._why(f"{before} {said}", "output", started)
        if why.rule:
            return OutputVerdict(allowed=False, speech=None, caption=None, why=why)
        speech = self._approve(said, "speech", turn_id)
        return OutputVerdict(allowed=True, speech=speech, caption=self._approve(line, "caption", turn_id), why=why)

    def _name_passes(self, name: str, started: float) -> bool:
        """Judged once and remembered: the same people write again and again."""
        if name not in self._names:
            if len(self._names) >= REMEMBERED_NAMES:
                self._names.clear()
            fine = not self._why(name, "input", started).rule and not self._why(parted(name), "input", started).rule
            self._names[name] = fine
        return self._names[name]

    def _too_long(self, text: str, started: float) -> Why | None:
        if len(text) <= MAX_CODE_POINTS:
            return None
        return Why(rule="too_long", category="shape", ms=self._ms(started))

    def _why(self, text: str, stage: Stage, started: float, border: int | None = None) -> Why:
        """`border`: only what reaches over it counts."""
        try:
            finding = self._rules.find(text, stage)
            if finding and border is not None and not finding.start < border < finding.end:
                finding = None
        except Exception as error:  # broad on purpose: whatever goes wrong in here, the audience gets nothing
            raise GateError(
                "gate_failed", f"The gate failed on a text ({type(error).__name__}); it is blocked."
            ) from error
        ms = self._ms(started)
        if ms > self._budget_ms:
            raise GateError(
                "gate_slow",
                f"A verdict took {ms:.0f} ms, more than safety.budget_ms ({self._budget_ms:.0f}); the text is blocked.",
                retryable=True,
            )
        return _why_of(finding, ms)

    def _ms(self, started: float) -> float:
        return round((self._clock() - started) * 1000, 3)

    def _approve(self, text: str, surface: SurfaceName, turn_id: str) -> Approved[Any]:
        return Approved(text=text, surface=surface, turn_id=turn_id, seal=seal(self._key, text, surface, turn_id))


class OutputWindow:
    """The segments of one turn, in order: each is judged alone and together with what was said before it."""

    def __init__(self, gate: Gate, turn_id: str) -> None:
        self._gate = gate
        self._turn_id = turn_id
        self._said = ""

    async def judge(self, text: str, spoken: str | None = None) -> OutputVerdict:
        """One segment, as it is written and as it will be heard (`spoken`; None: just so).

        Raises:
            GateError: `gate_slow` or `gate_failed`.
        """
        verdict = self._gate._judge_segment(text, text if spoken is None else spoken, self._said, self._turn_id)
        if verdict.speech:
            self._said = _tail(f"{self._said} {verdict.speech.text}")
        return verdict


class ClosedGate:
    """Stands where a gate would, when its rules cannot be loaded: nothing passes."""

    def __init__(self, reason: GateError) -> None:
        self.reason = reason

    async def judge_input(self, text: str, *, author: str, turn_id: str) -> InputVerdict:
        """Never a verdict.

        Raises:
            GateError: `gate_closed`, always.
        """
        raise self._closed()

    def window(self, turn_id: str) -> "ClosedWindow":
        """A window that nothing passes."""
        return ClosedWindow(self._closed())

    def _closed(self) -> GateError:
        return GateError("gate_closed", f"The gate is closed, so she says nothing. {self.reason.message}")


class ClosedWindow:
    """The window of a closed gate."""

    def __init__(self, reason: GateError) -> None:
        self._reason = reason

    async def judge(self, text: str, spoken: str | None = None) -> OutputVerdict:
        """Never a verdict.

        Raises:
            GateError: `gate_closed`, always.
        """
        raise self._reason


def _why_of(finding: Finding | None, ms: float) -> Why:
    if finding is None:
        return Why(ms=ms)
    return Why(rule=finding.rule, category=finding.category, view=finding.view, ms=ms)


def _tail(said: str) -> str:
    """The last words of what was said, never beginning inside one."""
    said = said.strip()
    if len(said) <= REMEMBERED_CODE_POINTS:
        return said
    return said[-REMEMBERED_CODE_POINTS:].partition(" ")[2]
