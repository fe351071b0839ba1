"""A statistical vote as a further signal: how much a text reads like abuse, by a linear model. It never blocks alone.

    text ──► rules ──► blocked? that's it
        └──► vote ──┘  passed, and the vote is strong:
                         a rule that counts only one level higher finds something  → that category's action
                         a rule found something to be careful with                 → dropped
                         a guard model is asked and gives no opinion               → blocked (see `GuardedGate`)
                         nothing else says anything                                → a line is `careful`, her words pass

A milder finding is then called `vote+<rule>`, the vote alone `vote`. Names, the operator's own words and her written
lines are not asked about. Not imported by the package itself: the model takes some 100 MB and a second or two to load.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from kitsu.errors import GateError
from kitsu.protocol.approved import SurfaceName
from kitsu.safety.actions import LETS_THROUGH, Actions
from kitsu.safety.rules import Finding, RuleSet, Stage
from kitsu.safety.verdict import InputVerdict, Judge, ObsTextVerdict, OutputVerdict, ReplyVerdict, Why, Window

RULE = "vote"
CATEGORY = "harsh_language"  # when nothing but the vote says something
GET = "pip install kitsu[vote]"
MAX_CODE_POINTS = 4000  # as much as the gate reads
SAME = 1e-6
_PROBES = ("", "hello there", "you are an idiot", "what a lovely day to play, you stupid game")

Score = Callable[[str], float]
Milder = Callable[[], tuple[RuleSet, Actions]]
"""The rules that count only one level higher, and what is done with what they find."""


class Vote(Protocol):
    """Has an opinion on a text, or none."""

    def strong(self, text: str) -> bool:
        """Whether it reads like abuse. Never raises."""
        ...


class LinearVote:
    """The model of alt-profanity-check: tf-idf of single words and a linear SVM, learned from English comments."""

    def __init__(self, strong_from: float) -> None:
        self.counts: Counter[str] = Counter()  # strong, weak, failed
        self.trouble = "loading"  # why it does not vote; empty when it does
        self._strong_from = strong_from
        self._score: Score | None = None

    def load(self) -> None:
        """Read the model. For a thread: it takes a second or two.

        Raises:
            GateError: `vote_missing` or `vote_broken`; there is no vote then.
        """
        try:
            self._score = _model()
        except ImportError as error:
            self.trouble = "missing"
            text = f"safety.vote needs the package {error.name!r}: {GET}. Until then the rules judge without it."
            raise GateError("vote_missing", text) from None
        except Exception as error:
            self.trouble = "broken"
            text = f"The model of safety.vote cannot be used ({type(error).__name__}); the rules judge without it."
            raise GateError("vote_broken", f"{text} Install it anew: {GET}") from error
        self.trouble = ""

    def strong(self, text: str) -> bool:
        """See `Vote`."""
        if self._score is None:
            return False
        try:
            strong = self._score(text[:MAX_CODE_POINTS]) >= self._strong_from
        except Exception:  # noqa: BLE001 - an optional signal: whatever goes wrong in the model is no vote
            self.counts["failed"] += 1
            return False
        self.counts["strong" if strong else "weak"] += 1
        return strong


class VotedGate:
    """A gate that asks for a vote on what its rules let through."""

    def __init__(self, gate: Judge, vote: Vote, milder: Milder) -> None:
        self._gate = gate
        self._vote = vote
        self._milder = milder

    async def judge_input(self, text: str, *, author: str, turn_id: str) -> InputVerdict:
        """See `Judge`."""
        verdict = await self._gate.judge_input(text, author=author, turn_id=turn_id)
        if not verdict.allowed or not self._vote.strong(verdict.text):
            return verdict
        line, why = verdict.text, verdict.why
        if why.action == "careful":
            seconded = replace(why, rule=f"{RULE}+{why.rule}", action="drop")
        else:
            alone = Why(RULE, CATEGORY, "vote", why.ms, "careful", 0, len(line))
            seconded = self.seconded(line, why, "input", "question") or alone
        text = line if seconded.passes else ""
        return replace(verdict, allowed=seconded.passes, text=text, question=None, why=seconded, judged=line)

    async def pardon(self, text: str, *, author: str, turn_id: str) -> InputVerdict:
        """See `Judge`. The operator has read it."""
        return await self._gate.pardon(text, author=author, turn_id=turn_id)

    async def judge_reply(self, text: str, *, turn_id: str, ours: bool = False) -> ReplyVerdict:
        """See `Judge`."""
        verdict = await self._gate.judge_reply(text, turn_id=turn_id, ours=ours)
        if ours or verdict.reply is None or not self._vote.strong(verdict.reply.text):
            return verdict
        why = self.seconded(verdict.reply.text, verdict.why, "output", "chat_reply")
        return verdict if why is None else ReplyVerdict(reply=None, why=why, judged=text)

    async def judge_obs_text(self, text: str, *, turn_id: str) -> ObsTextVerdict:
        """See `Judge`. The operator's own words."""
        return await self._gate.judge_obs_text(text, turn_id=turn_id)

    def window(self, turn_id: str) -> "VotedWindow":
        """See `Judge`."""
        return VotedWindow(self, self._gate.window(turn_id), self._vote)

    def seconded(self, text: str, why: Why, stage: Stage, surface: SurfaceName) -> Why | None:
        """What the milder rules have against a text with a strong vote, if that blocks it.

        Raises:
            GateError: `gate_failed`.
        """
        started = time.perf_counter()
        rules, actions = self._milder()
        beyond: set[str] = set()
        while finding := _find(rules, text, stage, beyond):
            action = actions.of(finding.category, stage, surface)
            if action not in LETS_THROUGH:
                ms = round(why.ms + (time.perf_counter() - started) * 1000, 3)
                rule, crisis = f"{RULE}+{finding.rule}", actions.is_crisis(finding.category)
                return Why(rule, finding.category, finding.view, ms, action, finding.start, finding.end, crisis)
            beyond.add(finding.category)
        return None


class VotedWindow:
    """The window of a voted gate."""

    def __init__(self, gate: VotedGate, inner: Window, vote: Vote) -> None:
        self._gate = gate
        self._inner = inner
        self._vote = vote

    async def judge(self, text: str, spoken: str | None = None) -> OutputVerdict:
        """See `Window`."""
        verdict = await self._inner.judge(text, spoken)
        if verdict.caption is None or not self._vote.strong(verdict.caption.text):
            return verdict
        line = verdict.caption.text
        why = self._gate.seconded(line, verdict.why, "output", "speech")
        return verdict if why is None else OutputVerdict(allowed=False, speech=None, caption=None, why=why, judged=line)


def _find(rules: RuleSet, text: str, stage: Stage, beyond: set[str]) -> Finding | None:
    try:
        return rules.find(text, stage, beyond)
    except Exception as error:  # broad on purpose, as in the gate: a rule that cannot be asked does not let through
        raise GateError("gate_failed", f"The gate failed on a text ({type(error).__name__}); it is blocked.") from error


def _model() -> Score:
    """How likely a text is abuse, from 0 to 1.

    The package's own `predict_prob` takes 3 ms a text, nearly all of it checks by scikit-learn that the few
    multiplications behind it do not need; a gate that must be done in 5 cannot afford that. So we take the fitted
    weights and do these ourselves (a tenth of the time), once they have shown that they give the same answers.

    Raises:
        ImportError: the package or what it needs is not installed.
        ValueError: our answers are not the package's.
    """
    import numpy as np
    from profanity_check import predict_prob
    from profanity_check.profanity_check import model, vectorizer

    folds = [(fold.estimator, fold.calibrators[0]) for fold in model.calibrated_classifiers_]
    weights: Any = np.vstack([svm.coef_[0] for svm, _ in folds])
    offsets = np.array([svm.intercept_[0] for svm, _ in folds])
    slopes, shifts = (np.array([getattr(curve, name) for _, curve in folds]) for name in ("a_", "b_"))

    def score(text: str) -> float:
        row = vectorizer.transform([text])
        margins = weights[:, row.indices] @ row.data + offsets
        return float(np.mean(1.0 / (1.0 + np.exp(slopes * margins + shifts))))  # Platt's curve, of each fold

    if not np.allclose([score(text) for text in _PROBES], predict_prob(list(_PROBES)), atol=SAME):
        raise ValueError("not the same answers")
    return score
