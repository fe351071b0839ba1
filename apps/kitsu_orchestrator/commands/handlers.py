"""What each command does. A handler answers only when the thing has happened, or says why it has not."""

import asyncio
from typing import TYPE_CHECKING

from rapidfuzz import process

from kitsu.errors import KitsuError
from kitsu.panic import pressed
from kitsu.protocol import STAGE, ChatLine
from kitsu_orchestrator.commands.call import Call, CommandError, Handler
from kitsu_orchestrator.ignored import Ignored

if TYPE_CHECKING:
    from kitsu_orchestrator.commands.runner import Commands
    from kitsu_orchestrator.show import Show

SKIPPED_WITHIN_S = 1.0
NAMES_SHOWN = 6
COMMANDS = (
    "ask", "ai on", "ai off", "ai mute", "ai unmute", "ai skip", "ai status", "ai clear", "ai ignore", "ai unignore",
    "scene", "voice", "panic", "unpanic", "help",
)  # fmt: skip
LIKENESS = 60  # percent; a suggestion that is less like what was typed is no help


class Handlers:
    """The commands that the orchestrator knows by itself."""

    def __init__(self, show: "Show", commands: "Commands", ignored: Ignored) -> None:
        self._show = show
        self._commands = commands
        self._ignored = ignored

    def all(self) -> dict[str, Handler]:
        """By name."""
        return {name: getattr(self, name.removeprefix("ai ")) for name in COMMANDS}

    async def ask(self, call: Call) -> str:
        """A question that goes before the rest of the chat."""
        if self._show.levels.now.panic is not None:
            raise CommandError("panic", "everything is silent right now.", retryable=True)
        if self._show.levels.now.mode != "live":
            raise CommandError("off_air", "she is not answering chat right now.", retryable=True)
        if not call.argument:
            raise CommandError("no_text", "what do you want to ask? Write it after the command.")
        stage = self._show.conversation(STAGE)
        line = ChatLine(author=call.line.author, text=call.argument, message_id=call.line.message_id)
        entry = stage.crowd.put(line, asked=True)
        if entry is None:
            raise CommandError("not_taken", "that waits already, or you have enough questions waiting.", retryable=True)
        stage.woken()
        self._show.dead_air.heard()
        before = stage.crowd.place(entry) + (stage.current is not None)
        return f"noted, {before} before you." if before else "noted, you are next."

    async def on(self, call: Call) -> str:
        """On air."""
        self._show.set_mode("live")
        panic = " Panic still holds, though." if self._show.levels.now.panic else ""
        return f"she answers the chat from now on.{panic}"

    async def off(self, call: Call) -> str:
        """Off air."""
        self._show.set_mode("standby")
        return "she does not answer the chat any more."

    async def mute(self, call: Call) -> str:
        """Nobody hears her."""
        self._show.set_muted(True)
        return "muted."

    async def unmute(self, call: Call) -> str:
        """She is heard again."""
        self._show.set_muted(False)
        return "she can be heard again."

    async def skip(self, call: Call) -> str:
        """End what she is saying; answered when it has ended."""
        conversation = self._show.conversations.get(call.conv)
        turn = conversation.current if conversation is not None else None
        if turn is None or not self._show.skip(call.conv):
            raise CommandError("nothing_to_skip", "she is not saying anything.")
        done, _ = await asyncio.wait({turn.job.done}, timeout=SKIPPED_WITHIN_S)
        if not done:
            raise CommandError("skip_late", "told her to stop, but no confirmation came within a second.")
        return "skipped."

    async def status(self, call: Call) -> str:
        """How things are, on one line."""
        show, levels = self._show, self._show.levels.now
        air = "PANIC, everything is silent" if levels.panic else "live" if levels.mode == "live" else "off air"
        engines = {row.role: row.capabilities.engine for row in show.services.states() if row.connected}
        missing = [row.role for row in show.services.states() if not row.connected]
        parts = [
            air + (", muted" if levels.muted else ""),
            f"brain {engines.get('policy') or 'missing'}",
            f"voice {engines.get('tts') or 'missing'}",
            f"{show.conversation(STAGE).backlog} waiting",
            *([f"not there: {', '.join(missing)}"] if missing else []),
        ]
        return " · ".join(parts)

    async def clear(self, call: Call) -> str:
        """Nothing waits any more."""
        return f"{self._show.conversation(STAGE).clear()} waiting lines dropped."

    async def ignore(self, call: Call) -> str:
        """Somebody is not read any more; what waits of them goes too."""
        login = self._login(call)
        new = self._ignored.add(login)
        await self._save()
        stage = self._show.conversation(STAGE)
        count = stage.crowd.remove_login(login) + stage.remove(lambda job: job.author.login == login)
        return f"{'ignored from now on' if new else 'was ignored already'}, {count} waiting lines dropped."

    async def unignore(self, call: Call) -> str:
        """Somebody is read again."""
        if not self._ignored.remove(self._login(call)):
            raise CommandError("not_ignored", "nobody of that name is ignored.")
        await self._save()
        return "is read again."

    async def scene(self, call: Call) -> str:
        """Another scene in OBS; answered when OBS's own event came."""
        state = self._show.obs.state
        if state is None or not state.scenes:
            raise CommandError("obs_missing", "OBS is not connected.")
        if not call.argument:
            raise CommandError("no_name", f"which one? {_some(list(state.scenes))}")
        chosen = _chosen(call.argument, list(state.scenes))
        try:
            await self._show.obs.switch(chosen)
        except KitsuError as error:
            raise CommandError(error.code, "OBS did not switch; the control page says why.") from error
        return f"OBS shows {chosen} now."

    async def voice(self, call: Call) -> str:
        """Another voice, from the next segment on."""
        peer = self._show.hub.peer("tts")
        choices = list(peer.capabilities.voices) if peer else []
        if not call.argument:
            raise CommandError("no_name", f"which one? {_some(choices)}")
        chosen = _chosen(call.argument, choices)
        engine, _, voice = chosen.partition("/")
        try:
            using = await self._show.voice_choice.use(engine, voice)
        except KitsuError as error:
            raise CommandError(error.code, "the voice could not be changed; the control page says why.") from error
        return f"she speaks with {using.engine}{'/' if using.voice else ''}{using.voice} now."

    async def panic(self, call: Call) -> str:
        """Everything silent; answered with what each exit said."""
        self._show.panic(pressed(f"{call.door}:{call.line.author.role}"))
        exits = await self._show.panic_desk.settled()
        late = [row.exit for row in exits if row.state == "late"]
        slowest = max((row.latency_ms for row in exits if row.state == "confirmed"), default=0.0)
        if late:
            return f"PANIC: silent, but no word from {', '.join(late)}. Look at them!"
        return f"PANIC: everything is silent, {len(exits)} exits confirmed within {slowest:.0f} ms."

    async def unpanic(self, call: Call) -> str:
        """The show goes on."""
        if self._show.levels.now.panic is None:
            raise CommandError("no_panic", "there is no panic.")
        self._show.resume()
        return "the panic is over."

    async def help(self, call: Call) -> str:
        """The commands that this person may use."""
        table = self._commands.table
        names = (f"{table.prefix}{name} {table.rules[name].help}".strip() for name in table.of(call.line.author))
        return ", ".join(names)

    def _login(self, call: Call) -> str:
        login = call.argument.removeprefix("@").casefold()
        if not login or not login.replace("_", "").isalnum() or len(login) > 40:
            raise CommandError("no_name", "whom? Write @ and the name after the command.")
        return login

    async def _save(self) -> None:
        try:
            await asyncio.to_thread(self._ignored.save)
        except OSError:
            self._show.notice("error", "ignored_not_saved", "The list of ignored people could not be saved.")


def _chosen(wanted: str, choices: list[str]) -> str:
    """The choice that somebody means.

    Raises:
        CommandError: `no_such_name`, with the nearest ones.
    """
    low = wanted.casefold()
    whole = [choice for choice in choices if choice.casefold() == low]
    part = [choice for choice in choices if low in choice.casefold().split("/")]
    found = whole or part
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandError("ambiguous", f"which one? {_some(found)}")
    near = process.extract(low, choices, limit=3, score_cutoff=LIKENESS, processor=str.casefold)
    raise CommandError("no_such_name", f"there is none of that name. {_some([name for name, *_ in near] or choices)}")


def _some(names: list[str]) -> str:
    """Some of the names, as a hint."""
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return f"There are: {', '.join(names[:NAMES_SHOWN])}{more}." if names else "There are none."
