"""Takes commands out of the chat, runs them and says what came of it."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Literal

from kitsu.errors import KitsuError
from kitsu.protocol import Author, ChatCommanded, ChatLine, Message
from kitsu.telemetry import Latency, log
from kitsu_orchestrator.commands.call import Call, CommandError, Handler
from kitsu_orchestrator.commands.cooldowns import Cooldowns, Refusals
from kitsu_orchestrator.commands.table import CommandTable, Rule
from kitsu_orchestrator.replies import Replies

RUNNING_LIMIT = 16  # commands at once; what must never wait does not count
TIMEOUT_S = 5.0
NEVER_WAIT = frozenset({"panic", "unpanic"})


class Commands:
    """One platform-neutral desk for commands. `handlers`: what each one does; others may add theirs with `register`."""

    def __init__(
        self,
        table: CommandTable,
        replies: Replies,
        live: Callable[[str], bool | None],
        publish: Callable[[Message], None],
        count: Callable[[str], None],
    ) -> None:
        self.table = table
        self.latency = Latency()
        self._replies = replies
        self._live = live  # platform -> whether its stream is on; None: not known
        self._publish = publish
        self._count = count
        self._cooldowns = Cooldowns()
        self._handlers: dict[str, Handler] = {}
        self._running: set[asyncio.Task[Any]] = set()
        self._refusals = Refusals()

    def register(self, name: str, handler: Handler) -> None:
        """Say what a command does; the last one registered wins."""
        self._handlers[name] = handler

    def take(self, line: ChatLine, received: float) -> bool:
        """Whether a line was a command: it is run then, or refused, and never answered as chat."""
        typed = self.table.typed(line.text)
        if typed is None:
            return False
        if not typed.name:
            self._count("other_bots_command")
            return True
        self.give(Call(typed.name, typed.argument, line, received))
        return True

    def give(self, call: Call) -> None:
        """A command, typed or spoken: it is run, or refused."""
        refusal = self._refusal(call)
        if refusal is not None:
            self._refuse(call, refusal)
            return
        self._cooldowns.used(call.name, self.table.rules[call.name], call.line.author)
        task = asyncio.create_task(self._run(call), name=f"command {call.name}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def stop(self) -> None:
        """No command outlives the show."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _refusal(self, call: Call) -> CommandError | None:
        rule, author = self.table.rules.get(call.name), call.line.author
        if rule is None:
            return CommandError("switched_off", "that command is switched off.")
        if not self.table.allows(call.name, author):
            return CommandError("not_allowed", "that command is not for you, sorry.")
        if not self._is_time(rule, author):
            return CommandError("wrong_time", f"that works only while the stream is {rule.when}.")
        left_s = self._cooldowns.left_s(call.name, rule, author)
        if left_s > 0:
            return CommandError("cooldown", f"again in {max(1, round(left_s))} s, please.", retryable=True)
        if len(self._running) >= RUNNING_LIMIT and call.name not in NEVER_WAIT:
            return CommandError("busy", "too many commands at once, try again.", retryable=True)
        return None

    def _is_time(self, rule: Rule, author: Author) -> bool:
        live = self._live(author.platform)
        return rule.when == "both" or live is None or live == (rule.when == "online")

    def _refuse(self, call: Call, error: CommandError) -> None:
        self._tell(call, "refused", error.code)
        if not self._refusals.aloud(call.line.author):
            return
        task = asyncio.create_task(self._replies.confirm(call.line.author, error.message), name="refusal")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, call: Call) -> None:
        author = call.line.author
        try:
            async with asyncio.timeout(TIMEOUT_S):
                said = await self._handlers[call.name](call)
        except TimeoutError:
            await self._replies.confirm(author, f"{call.name}: no confirmation came within {TIMEOUT_S:g} s.")
            self._tell(call, "failed", "timeout")
        except KitsuError as error:
            await self._replies.confirm(author, error.message)
            self._tell(call, "failed", error.code)
        else:
            if said:
                await self._replies.confirm(author, said)
            self._tell(call, "done", "")

    def _tell(self, call: Call, outcome: Literal["done", "refused", "failed"], reason: str) -> None:
        author, latency_ms = call.line.author, round((time.perf_counter() - call.received) * 1000, 2)
        if outcome == "done":
            self.latency.add(latency_ms)
        log.info("command", command=call.name, role=author.role, outcome=outcome, reason=reason, latency_ms=latency_ms)
        self._publish(
            ChatCommanded(
                command=call.name,
                platform=author.platform,
                role=author.role,
                outcome=outcome,
                reason=reason,
                latency_ms=latency_ms,
            )
        )
