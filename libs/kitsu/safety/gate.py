"""The only way to an audience."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitsu.protocol.approved import SEAL_KEY_BYTES, Approved, SurfaceName, seal
from kitsu.safety.actions import Actions
from kitsu.safety.clean import clean, parted
from kitsu.safety.judging import MAX_CODE_POINTS, Judging
from kitsu.safety.leakage import PromptWatch
from kitsu.safety.loading import load_rulebook
from kitsu.safety.recent import LETTERS_AT_ONCE, Recent
from kitsu.safety.rules import RuleSet
from kitsu.safety.verdict import InputVerdict, ObsTextVerdict, OutputVerdict, ReplyVerdict, Why

if TYPE_CHECKING:
    from kitsu.config import SafetySettings

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
        actions: Actions | None = None,
        budget_ms: float = 250.0,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        assert len(key) == SEAL_KEY_BYTES
        self._rules = rules
        self._actions = actions or Actions()
        self._key = key
        self._budget_ms = budget_ms
        self._clock = clock  # seconds
        self._names: dict[str, Why] = {}
        self._recent = Recent(clock)
        self._prompt: PromptWatch | None = None

    @classmethod
    def load(cls, folder: Path, settings: "SafetySettings", key: bytes) -> "Gate":
        """A gate with the rules in `folder`.

        Raises:
            GateError: `rules_missing` or `rules_invalid`, naming file and line.
        """
        book = load_rulebook(folder, family_mode=settings.family_mode, levels=settings.level_of)
        return cls(book.rules, key, actions=book.actions, budget_ms=settings.budget_ms)

    @property
    def rules(self) -> RuleSet:
        """The rules that count now."""
        return self._rules

    @property
    def actions(self) -> Actions:
        """What is done with what they find."""
        return self._actions

    def use(self, rules: RuleSet, actions: Actions | None = None) -> None:
        """Judge by these from the next text on, also in windows that are open."""
        self._rules = rules
        self._actions = actions or self._actions
        self._names.clear()

    def watch(self, prompt: PromptWatch) -> None:
        """Let nobody hear these instructions."""
        self._prompt = prompt

    async def judge_input(self, text: str, *, author: str, turn_id: str) -> InputVerdict:
        """A line for her and its author's display name. A bad name alone doesn't block the line.

        Raises:
            GateError: `gate_slow` or `gate_failed`.
        """
        judging = self._begin()
        line = clean(text[:MAX_CODE_POINTS])
        why = judging.whole(text, line, "input", "question")
        if why.action == "allow":
            why = self._with_before(line, author, judging) or why
        return self._input_verdict(line, why, author, turn_id, judging)

    async def pardon(self, text: str, *, author: str, turn_id: str) -> InputVerdict:
        """A line that the operator has read and allowed. The model gets it; the overlay does not show it.

        Raises:
            GateError: `gate_slow` or `gate_failed`.
        """
        judging = self._begin()
        line = clean(text[:MAX_CODE_POINTS])
        why = judging.too_long(text) or Why(rule="operator/allowed-once", ms=judging.ms)
        verdict = self._input_verdict(line, why, author, turn_id, judging)
        return replace(verdict, question=None)

    async def judge_reply(self, text: str, *, turn_id: str, ours: bool = False) -> ReplyVerdict:
        """A line for a platform's chat. There is only one kind of judgement here, so `ours` changes nothing.

        Raises:
            GateError: `gate_slow` or `gate_failed`.
        """
        line, why = self._written(text, "chat_reply")
        reply = self._approve(line, "chat_reply", turn_id) if why.passes else None
        return ReplyVerdict(reply=reply, why=why, judged=line if why.rule else "")

    def window(self, turn_id: str) -> "OutputWindow":
        """A fresh window for one turn."""
        return OutputWindow(self, turn_id)

    async def judge_obs_text(self, text: str, *, turn_id: str) -> ObsTextVerdict:
        """Words for a text source of OBS, judged as what she says is.

        Raises:
            GateError: `gate_slow` or `gate_failed`.
        """
        line, why = self._written(text, "obs_text")
        approved = self._approve(line, "obs_text", turn_id) if why.passes else None
        return ObsTextVerdict(text=approved, why=why, judged=line if why.rule else "")

    def _written(self, text: str, surface: SurfaceName) -> tuple[str, Why]:
        """A text that is shown on its own, and what the rules say of it."""
        judging = self._begin()
        line = clean(text[:MAX_CODE_POINTS])
        why = judging.whole(text, line, "output", surface)
        if why.passes and self._prompt:
            why = judging.told(line, self._prompt, surface) or why
        return line, why

    def _begin(self) -> Judging:
        return Judging(self._rules, self._actions, self._budget_ms, self._clock)

    def _with_before(self, line: str, author: str, judging: Judging) -> Why | None:
        """What the line makes together with what its author wrote just before."""
        before = self._recent.before(author)
        if before:
            why = judging.part(f"{before} {line}", "input", "question")
            if not why.passes and why.start < len(before) < why.end:
                self._recent.forget(author)
                return why
        self._recent.add(author, line)
        letters = self._recent.letters(author) if len(line) <= LETTERS_AT_ONCE else ""
        why = judging.part(letters, "input", "question") if letters else Why()
        if why.passes:
            return None
        self._recent.forget(author)
        return replace(why, start=0, end=len(line))

    def _input_verdict(self, line: str, why: Why, author: str, turn_id: str, judging: Judging) -> InputVerdict:
        name = clean(author[:MAX_NAME_CODE_POINTS])
        name_why = self._name_why(name, judging) if name else Why()
        return InputVerdict(
            allowed=why.passes,
            text=line if why.passes else "",
            author=self._approve(name, "author", turn_id) if name and name_why.passes else None,
            question=self._approve(line, "question", turn_id) if why.action == "allow" else None,
            why=why,
            judged=line if why.rule else "",
            name_why=name_why,
        )

    def _judge_segment(self, text: str, spoken: str, before: str, turn_id: str) -> OutputVerdict:
        judging = self._begin()
        line, said = clean(text[:MAX_CODE_POINTS]), clean(spoken[:MAX_CODE_POINTS])
        judged, why = line, judging.too_long(spoken) or judging.whole(text, line, "output", "speech")
        if why.passes and said != line:
            judged, why = said, judging.part(said, "output", "speech")
        if why.passes and before:
            judged = f"{before} {said}"
            why = judging.part(judged, "output", "speech")
        if why.passes and self._prompt:
            judged = f"{before} {line}"
            why = judging.told(judged, self._prompt, "speech") or why
        if not why.passes:
            return OutputVerdict(allowed=False, speech=None, caption=None, why=why, judged=judged)
        speech = self._approve(said, "speech", turn_id)
        return OutputVerdict(allowed=True, speech=speech, caption=self._approve(line, "caption", turn_id), why=why)

    def _name_why(self, name: str, judging: Judging) -> Why:
        """Judged once and remembered: the same people write again and again."""
        if name not in self._names:
            if len(self._names) >= REMEMBERED_NAMES:
                self._names.clear()
            why = judging.part(name, "input", "author")
            self._names[name] = why if not why.passes else judging.part(parted(name), "input", "author")
        return self._names[name]

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


def _tail(said: str) -> str:
    """The last words of what was said, never beginning inside one."""
    said = said.strip()
    if len(said) <= REMEMBERED_CODE_POINTS:
        return said
    return said[-REMEMBERED_CODE_POINTS:].partition(" ")[2]
