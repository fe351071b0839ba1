"""A guard model at Ollama (Llama Guard and its like) as a second opinion: beside the rules, never instead of them.

    text ──► rules ──────────► blocked? that's it
        └──► guard model ─┘    passed?  its opinion counts, too: unsafe → blocked as guard/<code>
                               late, down or garbled → `guard_when_down`: block (the default) or trust the rules,
                               unless a strong vote (see `kitsu.safety.vote`) is against the text, too

Its answer is `safe`, or `unsafe` with a line of codes (S1 … S14) below. Not imported by the package
itself: only whoever uses it pays for httpx and asyncio.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import httpx
import msgspec

from kitsu.errors import GateError
from kitsu.safety.actions import Action
from kitsu.safety.verdict import InputVerdict, Judge, ObsTextVerdict, OutputVerdict, ReplyVerdict, Why, Window

KEEP_ALIVE = "30m"
MAX_ANSWER_BYTES = 64 << 10
MAX_TOKENS = 24  # "unsafe", a line's end and some codes
WARM_TIMEOUT_S = 120.0  # a model that is read from a slow disk
WARM_AGAIN_S = 15.0
AT_RISK = "S11"  # suicide and self-harm, in the list of Llama Guard 3
CONTEXT_CODE_POINTS = 300  # of what she said before, so that a sentence over two segments is read whole
_ANSWER = re.compile(r"\s*(?:(safe)|unsafe(?:\s+(S\d{1,2}))?(?:\s*,\s*S\d{1,2})*)\s*", re.IGNORECASE)

Role = Literal["user", "assistant"]
Kind = Literal["safe", "unsafe", "late", "down", "garbled"]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the model thinks; anything but `safe` and `unsafe` means that it does not say."""

    kind: Kind
    code: str = ""


class _Message(msgspec.Struct, frozen=True):
    content: str = ""


class _Piece(msgspec.Struct, frozen=True):
    """One line of Ollama's stream (docs/api.md, Generate a chat completion)."""

    message: _Message = _Message()
    done: bool = False
    error: str = ""


class GuardModel:
    """Asks. Counts what came of it."""

    def __init__(self, url: str, model: str, budget_ms: float) -> None:
        self.model = model
        self.counts: Counter[str] = Counter()
        self.trouble = ""  # why it gave no opinion last; empty when it did
        self.changed: Callable[[str], None] = lambda trouble: None
        self._budget_s = budget_ms / 1000
        self._client = httpx.AsyncClient(base_url=url, trust_env=False, timeout=None)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def keep_warm(self) -> None:
        """Have the model loaded, and again whenever it was away. Until cancelled."""
        while True:
            if self.trouble or not self.counts:
                await self._load()
            await asyncio.sleep(WARM_AGAIN_S)

    async def ask(self, role: Role, text: str) -> Opinion:
        """Its opinion on what a viewer (`user`) or she (`assistant`) says. Never raises, but for a cancellation."""
        try:
            async with asyncio.timeout(self._budget_s):
                opinion = _opinion(await self._answer(role, text))
        except TimeoutError:
            opinion = Opinion("late")
        except (httpx.HTTPError, httpx.InvalidURL):
            opinion = Opinion("down")
        except (msgspec.DecodeError, ValueError):
            opinion = Opinion("garbled")
        self._note(opinion)
        return opinion

    def _note(self, opinion: Opinion) -> None:
        self.counts[opinion.kind] += 1
        trouble = "" if opinion.kind in ("safe", "unsafe") else opinion.kind
        if trouble != self.trouble:
            self.trouble = trouble
            self.changed(trouble)

    async def _answer(self, role: Role, text: str) -> str:
        body = {
            "model": self.model,
            "messages": [{"role": role, "content": text}],
            "keep_alive": KEEP_ALIVE,
            "options": {"temperature": 0, "num_predict": MAX_TOKENS},
        }
        data = b""
        async with self._client.stream("POST", "/api/chat", json=body) as answer:
            answer.raise_for_status()
            async for chunk in answer.aiter_bytes():
                data += chunk
                if len(data) > MAX_ANSWER_BYTES:
                    raise ValueError("too long for an opinion")
        return _joined(data)

    async def _load(self) -> None:
        body = {"model": self.model, "messages": [], "keep_alive": KEEP_ALIVE}
        try:
            answer = await self._client.post("/api/chat", json=body, timeout=WARM_TIMEOUT_S)
            self.trouble = "" if answer.is_success else "down"
        except (httpx.HTTPError, httpx.InvalidURL):
            self.trouble = "down"


class GuardedGate:
    """A gate that also asks a guard model about what its rules let through."""

    def __init__(
        self,
        gate: Judge,
        guard: GuardModel,
        when_down: Literal["block", "rules"],
        doubts: Callable[[str], bool] = lambda text: False,
    ) -> None:
        self._gate = gate
        self._guard = guard
        self._when_down = when_down
        self._doubts = doubts  # whether another signal is against a text; asked while the guard has no opinion

    async def judge_input(self, text: str, *, author: str, turn_id: str) -> InputVerdict:
        """See `Judge`.

        Raises:
            GateError: also `guard_down`.
        """
        asking = asyncio.create_task(self._guard.ask("user", text))
        try:
            verdict = await self._gate.judge_input(text, author=author, turn_id=turn_id)
            why = await self.objection(asking, text, verdict.why, "drop") if verdict.allowed else None
        finally:
            asking.cancel()
        if why is None:
            return verdict
        if why.rule == f"guard/{AT_RISK}":
            why = replace(why, category="self_harm", action="replace", crisis=True)
        return replace(verdict, allowed=False, text="", question=None, why=why, judged=text)

    async def pardon(self, text: str, *, author: str, turn_id: str) -> InputVerdict:
        """See `Judge`. The operator has read it: nobody else is asked."""
        return await self._gate.pardon(text, author=author, turn_id=turn_id)

    async def judge_reply(self, text: str, *, turn_id: str, ours: bool = False) -> ReplyVerdict:
        """See `Judge`.

        Raises:
            GateError: also `guard_down`.
        """
        if ours:
            return await self._gate.judge_reply(text, turn_id=turn_id, ours=True)
        asking = asyncio.create_task(self._guard.ask("assistant", text))
        try:
            verdict = await self._gate.judge_reply(text, turn_id=turn_id)
            why = await self.objection(asking, text, verdict.why, "drop") if verdict.reply else None
        finally:
            asking.cancel()
        return verdict if why is None else ReplyVerdict(reply=None, why=why, judged=text)

    async def judge_obs_text(self, text: str, *, turn_id: str) -> ObsTextVerdict:
        """See `Judge`. The operator's own words: nobody else is asked."""
        return await self._gate.judge_obs_text(text, turn_id=turn_id)

    def window(self, turn_id: str) -> "GuardedWindow":
        """See `Judge`."""
        return GuardedWindow(self, self._gate.window(turn_id), self._guard)

    async def objection(self, asking: "asyncio.Task[Opinion]", text: str, why: Why, action: Action) -> Why | None:
        """What the guard has against a text that the rules let through.

        Raises:
            GateError: `guard_down` when it has no opinion, and none may speak without it.
        """
        opinion = await asking
        if opinion.kind == "unsafe":
            return Why(rule=f"guard/{opinion.code}", category="guard", view="guard", ms=why.ms, action=action)
        if opinion.kind != "safe" and self._when_down == "block":
            raise GateError(
                "guard_down",
                f"The guard model gave no opinion ({opinion.kind}), so the text is blocked (safety.guard_when_down).",
                retryable=True,
            )
        if opinion.kind != "safe" and self._doubts(text):
            return Why(rule=f"vote+guard/{opinion.kind}", category="guard", view="vote", ms=why.ms, action=action)
        return None


class GuardedWindow:
    """The window of a guarded gate."""

    def __init__(self, gate: GuardedGate, inner: Window, guard: GuardModel) -> None:
        self._gate = gate
        self._inner = inner
        self._guard = guard
        self._said = ""

    async def judge(self, text: str, spoken: str | None = None) -> OutputVerdict:
        """See `Window`.

        Raises:
            GateError: also `guard_down`.
        """
        whole = f"{self._said} {text}".strip()
        asking = asyncio.create_task(self._guard.ask("assistant", whole))
        try:
            verdict = await self._inner.judge(text, spoken)
            why = await self._gate.objection(asking, text, verdict.why, "replace") if verdict.allowed else None
        finally:
            asking.cancel()
        if why is not None:
            return OutputVerdict(allowed=False, speech=None, caption=None, why=why, judged=whole)
        if verdict.allowed:
            self._said = whole[-CONTEXT_CODE_POINTS:]
        return verdict


def _joined(data: bytes) -> str:
    """The words of a stream that ended as it should.

    Raises:
        ValueError: it did not.
    """
    pieces = [msgspec.json.decode(line, type=_Piece) for line in data.splitlines() if line.strip()]
    if not pieces or not pieces[-1].done or any(piece.error for piece in pieces):
        raise ValueError("not a whole answer")
    return "".join(piece.message.content for piece in pieces)


def _opinion(answer: str) -> Opinion:
    """The model's words as an opinion.

    Raises:
        ValueError: they are something else.
    """
    found = _ANSWER.fullmatch(answer)
    if found is None:
        raise ValueError("neither safe nor unsafe")
    return Opinion("safe") if found[1] else Opinion("unsafe", (found[2] or "unsafe").upper())
