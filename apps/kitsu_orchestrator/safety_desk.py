"""The gate as the show has it: rules that may change, further signals, a watch over her instructions."""

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kitsu.characters import Character, prompt_parts
from kitsu.config import SafetySettings
from kitsu.errors import GateError
from kitsu.safety import Gate, Judge, PromptWatch, RuleSet
from kitsu.speech.saying import Speaker
from kitsu.telemetry import log
from kitsu_orchestrator.own_lines import blocked_lines, place_of
from kitsu_orchestrator.rule_keeper import RuleKeeper
from kitsu_orchestrator.show import Show

CANARY_LETTERS = "bdfghjkmnpqrtvwxz"  # no vowels: never a word, in no language
CANARY_LENGTH = 14


class SafetyDesk:
    """Puts them together. `judge` is for viewers' lines and a model's words, `own_lines` for her written ones."""

    def __init__(self, keeper: RuleKeeper, character: Character, folder: Path, speaker: Speaker) -> None:
        self.keeper = keeper
        self.canary = "".join(secrets.choice(CANARY_LETTERS) for _ in range(CANARY_LENGTH))
        self.own_lines: Judge = keeper.gate
        self.judge: Judge = keeper.gate
        self.report: Callable[[], None] = lambda: None  # health has changed
        self._character = character
        self._folder = folder
        self._speaker = speaker
        self._show: Show
        self._vote = self._voted(keeper.files.settings)
        self._guard = self._guarded(keeper.files.settings)
        keeper.opened = self._watch
        keeper.changed = lambda: self.report()
        keeper.look_over = self._look_over
        if isinstance(keeper.gate.now, Gate):
            self._watch(keeper.gate.now)

    def attach(self, show: Show) -> None:
        """Whom to tell."""
        self._show = show
        self.keeper.tell = show.notice
        self.keeper.calm = show.store.calm
        show.safety_state = self.state

    async def run(self) -> None:
        """Follow the files, keep the guard model warm, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.keeper.run())
                if self._vote is not None:
                    group.create_task(self._load_vote())
                if self._guard is not None:
                    group.create_task(self._guard.keep_warm())
        finally:
            if self._guard is not None:
                await self._guard.close()

    def state(self) -> dict[str, Any]:
        """For status. Holds no word that is blocked."""
        keeper, settings = self.keeper, self.keeper.files.settings
        is_open = isinstance(keeper.gate.now, Gate)
        return {
            "state": "closed" if not is_open else "degraded" if keeper.trouble else "ok",
            "reason": keeper.trouble,
            "family_mode": settings.family_mode,
            "levels": dict(keeper.levels),
            "reloads": keeper.reloads,
            "own_words": len(keeper.own.blocked) + len(keeper.now_only.blocked),
            "held": self._show.studio.held.state(),
            "guard": self._guard_state(settings),
            "vote": self._vote_state(),
        }

    def _voted(self, settings: SafetySettings) -> Any:
        if not settings.vote:
            return None
        from kitsu.safety.vote import LinearVote, VotedGate

        vote = LinearVote(settings.vote_from)
        self.judge = VotedGate(self.judge, vote, lambda: self.keeper.milder)
        return vote

    async def _load_vote(self) -> None:
        """While the show already runs: until it is there, the rules judge without it."""
        try:
            await self.keeper.aside(self._vote.load)
            await self.keeper.aside(lambda: self.keeper.milder[0].ready())
        except GateError as error:
            log.warning("vote.missing", code=error.code, message_=error.message)
            self.keeper.tell("warn", error.code, error.message)

    def _vote_state(self) -> dict[str, Any] | None:
        if self._vote is None:
            return None
        return {"trouble": self._vote.trouble, "counts": dict(self._vote.counts)}

    def _guarded(self, settings: SafetySettings) -> Any:
        if not settings.guard_model:
            return None
        from kitsu.safety.guard import GuardedGate, GuardModel

        guard = GuardModel(settings.guard_url, settings.guard_model, settings.guard_budget_ms)
        guard.changed = self._guard_changed
        doubts = {"doubts": self._vote.strong} if self._vote is not None else {}
        self.judge = GuardedGate(self.judge, guard, settings.guard_when_down, **doubts)
        return guard

    def _guard_state(self, settings: SafetySettings) -> dict[str, Any] | None:
        if self._guard is None:
            return None
        return {
            "model": self._guard.model,
            "trouble": self._guard.trouble,
            "when_down": settings.guard_when_down,
            "counts": dict(self._guard.counts),
        }

    def _guard_changed(self, trouble: str) -> None:
        log.warning("guard.changed", trouble=trouble)
        blocks = self.keeper.files.settings.guard_when_down == "block"
        meaning = "She says nothing until it does." if blocks else "The rules alone decide until it does."
        if trouble:
            self.keeper.tell("error", "guard_down", f"The guard model does not give its opinion ({trouble}). {meaning}")
        else:
            self.keeper.tell("info", "guard_up", "The guard model gives its opinion again.")

    def _watch(self, gate: Gate) -> None:
        parts = prompt_parts(self._character, self.canary)
        gate.watch(PromptWatch(parts, self.canary, self._character.lines()))

    def _look_over(self, rules: RuleSet) -> str:
        blocked = list(blocked_lines(self._character, rules, self._speaker))
        if not blocked:
            return ""
        place = place_of(self._character, self._folder, blocked[0][0])
        return f"The rules now block {len(blocked)} of her own lines, which she leaves out from now on: {place}."
