"""Gate(in): whether a turn's line comes to the model, and what is done with one that does not."""

from kitsu.errors import GateError
from kitsu.protocol import TurnStarted
from kitsu.safety import InputVerdict, Why
from kitsu_orchestrator.answer import Ending
from kitsu_orchestrator.curtain import Curtain
from kitsu_orchestrator.lines import Job, TurnIds
from kitsu_orchestrator.story import Story
from kitsu_orchestrator.studio import Studio
from kitsu_orchestrator.verdicts import Judged


class Admission:
    """One line before the gate. No verdict counts as a block."""

    def __init__(self, studio: Studio, job: Job, story: Story, ids: TurnIds, curtain: Curtain) -> None:
        self.started: TurnStarted | None = None
        self.own_line = ""  # the category whose line of her own is the answer
        self.care = ""  # the category to be careful about
        self._studio = studio
        self._job = job
        self._story = story
        self._ids = ids
        self._curtain = curtain

    async def admit(self) -> str | Ending:
        """The line as the model gets it, or how the turn ends."""
        job, story = self._job, self._story
        if job.kind != "chat":
            self._start(None)
            story.text = job.text if job.cue else ""
            return job.text
        try:
            verdict = await self._verdict()
        except GateError as error:
            return self._no_verdict(error)
        story.mark("gate_in_ms")
        self._record("question", verdict.why, verdict.judged)
        if not verdict.name_why.passes:
            self._record("author", verdict.name_why, job.author.name)
        self._start(verdict)
        if verdict.allowed:
            self.care = verdict.why.category if verdict.why.action == "careful" else ""
            return verdict.text or Ending("dropped", "empty")
        story.step("gate.blocked_input", verdict.why.rule)
        return self._refused(verdict.why)

    async def _verdict(self) -> InputVerdict:
        job, gate = self._job, self._studio.gate
        judge = gate.pardon if job.pardoned else gate.judge_input
        return await self._studio.verdict(judge(job.text, author=job.author.name, turn_id=job.turn_id))

    def _no_verdict(self, error: GateError) -> Ending:
        self._story.step("gate.error", error.code)
        self._record("question", Why(rule=f"gate/{error.code}", category="gate", action="drop"), self._job.text)
        self._start(None)
        return Ending("blocked", "gate_error")

    def _refused(self, why: Why) -> str | Ending:
        """What a line gets that the gate did not let through."""
        turn_id = self._job.turn_id
        if why.crisis:
            text = "Somebody in the chat may be in a bad place; please have a look"
            self._curtain.notice("viewer_in_crisis", f"{text}: kitsu why {turn_id}")
        if why.action == "replace" and (not why.crisis or self._studio.care.give(self._job.author, turn_id)):
            self.own_line = why.category
            return ""
        if why.action == "stop":
            self._curtain.notice("line_stopped", f"A line was stopped ({why.category}): kitsu why {turn_id}")
        if why.action == "hold":
            self._curtain.once_up(lambda: self._studio.held.add(self._job, why))
            self._curtain.notice("line_held", "A line waits for your word: kitsu safety held")
            return Ending("held", "operator")
        return Ending("blocked", "input_gate")

    def _record(self, surface: str, why: Why, text: str) -> None:
        shown = "" if why.action == "allow" else text
        self._curtain.note(Judged(self._job.turn_id, self._job.conv, "input", surface, why, shown))

    def _start(self, verdict: InputVerdict | None) -> None:
        author = verdict.author if verdict else None
        self._story.author = author.text if author else ""
        self._story.text = verdict.text if verdict and verdict.question else ""
        self.started = TurnStarted(
            **self._ids,
            kind=self._job.kind,
            author=author,
            author_role=self._job.author.role,
            question=verdict.question if verdict else None,
        )
        self._story.step("turn.started")
        self._curtain.tell(self.started)
