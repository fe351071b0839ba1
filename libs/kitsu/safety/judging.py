"""One verdict in the making: what the rules say of a text, within the time that a verdict may take."""

from collections.abc import Callable, Collection
from dataclasses import replace

from kitsu.errors import GateError
from kitsu.protocol.approved import SurfaceName
from kitsu.safety.actions import LETS_THROUGH, Action, Actions
from kitsu.safety.leakage import PromptWatch
from kitsu.safety.rules import Finding, RuleSet, Stage
from kitsu.safety.verdict import Why

MAX_CODE_POINTS = 4000  # longer than any line or segment; whatever is longer is blocked unread


class Judging:
    """Begins when it is made; all its parts share one budget.

    Raises:
        GateError: `gate_slow` or `gate_failed`, from every method that asks the rules.
    """

    def __init__(self, rules: RuleSet, actions: Actions, budget_ms: float, clock: Callable[[], float]) -> None:
        self._rules = rules
        self._actions = actions
        self._budget_ms = budget_ms
        self._clock = clock  # seconds
        self._started = clock()

    @property
    def ms(self) -> float:
        """How long it has taken so far."""
        return round((self._clock() - self._started) * 1000, 3)

    def too_long(self, text: str) -> Why | None:
        """Whether a text is too long to be read at all."""
        if len(text) <= MAX_CODE_POINTS:
            return None
        return Why(rule="too_long", category="shape", ms=self.ms, action="drop")

    def whole(self, text: str, line: str, stage: Stage, surface: SurfaceName) -> Why:
        """A text as it is let out (`line`), and with what is cleaned away first: lines, hidden and turning signs."""
        why = self.too_long(text) or self.part(line, stage, surface)
        if not why.passes or text.strip() == line:
            return why
        hidden = self.part(text, stage, surface)
        return why if hidden.passes else replace(hidden, start=0, end=len(line))

    def part(self, text: str, stage: Stage, surface: SurfaceName) -> Why:
        """The first finding that blocks. What is let through with care must not hide what is worse behind it."""
        careful: Finding | None = None
        beyond: set[str] = set()
        while finding := self._find(text, stage, beyond):
            action = self._actions.of(finding.category, stage, surface)
            if action not in LETS_THROUGH:
                return self._why_of(finding, action)
            careful = careful or (finding if action == "careful" else None)
            beyond.add(finding.category)
        return self._why_of(careful, "careful") if careful else Why(ms=self.ms)

    def told(self, text: str, prompt: PromptWatch, surface: SurfaceName) -> Why | None:
        """Whether it tells her instructions."""
        rule = prompt.find(text)
        action = self._actions.of("leakage", "output", surface)
        if not rule or action in LETS_THROUGH:
            return None
        return Why(rule=rule, category="leakage", view="words", ms=self.ms, action=action, end=len(text))

    def _find(self, text: str, stage: Stage, beyond: Collection[str]) -> Finding | None:
        try:
            finding = self._rules.find(text, stage, beyond)
        except Exception as error:  # broad on purpose: whatever goes wrong in here, the audience gets nothing
            raise GateError(
                "gate_failed", f"The gate failed on a text ({type(error).__name__}); it is blocked."
            ) from error
        ms = self.ms
        if ms > self._budget_ms:
            raise GateError(
                "gate_slow",
                f"A verdict took {ms:.0f} ms, more than safety.budget_ms ({self._budget_ms:.0f}); the text is blocked.",
                retryable=True,
            )
        return finding

    def _why_of(self, finding: Finding, action: Action) -> Why:
        crisis = self._actions.is_crisis(finding.category)
        return Why(finding.rule, finding.category, finding.view, self.ms, action, finding.start, finding.end, crisis)
