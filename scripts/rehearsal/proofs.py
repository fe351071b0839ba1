"""What bears it out: OBS's own events, the model in VTube Studio, the turns and levels of the show."""

import asyncio
import time
from functools import partial

from bench.real_obs import CHANGED, SAFE_SCENE
from rehearsal.feed import BY, Event, Proof, Unexpected
from rehearsal.rows import Seen
from rehearsal.stage import LOOK_EVERY_S, Stage

OPEN, CLOSED = 0.05, 0.01  # of MouthOpen, which goes from 0 to 1
VTS, OBS, STATUS = "VTS", "OBS", "status"
THERE_S = 20.0
AT_ONCE_S = 0.5


def on_air(stage: Stage, scene: str) -> tuple[Proof, ...]:
    """OBS itself tells another client of it that this scene is on air. Nothing where there is no OBS."""
    if stage.obs is None:
        return ()
    witness, before = stage.obs.witness, stage.obs.mark()

    async def proof() -> Seen:
        at_ms = await witness.saw(CHANGED, after=before, timeout_s=THERE_S, sceneName=scene)
        return Seen(f"{OBS}: {CHANGED}", at_ms / 1000 - time.time() + time.monotonic())

    return (proof,)


def muted(stage: Stage, name: str, *, on: bool) -> tuple[Proof, ...]:
    """An input of OBS is muted, or not."""
    if stage.obs is None:
        return ()
    witness, before = stage.obs.witness, stage.obs.mark()

    async def proof() -> Seen:
        await witness.saw("InputMuteStateChanged", after=before, timeout_s=THERE_S, inputName=name, inputMuted=on)
        if await witness.muted(name) is not on:
            raise Unexpected(f"{name} {'is not' if on else 'is still'} muted")
        return Seen(f"{OBS}: {'muted' if on else 'unmuted'}", time.monotonic())

    return (proof,)


def safe(stage: Stage) -> tuple[Proof, ...]:
    """The safe scene is on air and the microphone muted."""
    return (*on_air(stage, SAFE_SCENE), *muted(stage, "Mic", on=True))


def mouth_moves(stage: Stage) -> Proof:
    """The model's mouth opens."""

    async def proof() -> Seen:
        await stage.studio.until(lambda: stage.studio.value("MouthOpen") > OPEN, THERE_S)
        return Seen(f"{VTS}: mouth", time.monotonic())

    return proof


def mouth_closed(stage: Stage) -> Proof:
    """The model's mouth is closed."""

    async def proof() -> Seen:
        await stage.studio.until(lambda: stage.studio.value("MouthOpen") < CLOSED, THERE_S)
        return Seen(f"{VTS}: mouth closed", time.monotonic())

    return proof


def at_rest(stage: Stage) -> Proof:
    """The model's mouth is closed, and no face shows."""

    async def proof() -> Seen:
        studio = stage.studio
        await studio.until(lambda: studio.value("MouthOpen") < CLOSED and not studio.active(), THERE_S)
        return Seen(f"{VTS}: at rest", time.monotonic())

    return proof


class Turn:
    """The next turn that answers somebody (`by`: a login) or is of a kind; made before its line is written.

    `heard`: what was heard of it, once it has ended.
    """

    def __init__(self, stage: Stage, *, by: str = "", kind: str = "chat") -> None:
        self.heard = ""
        self._feed = stage.feed
        self._after = len(stage.feed)
        self._name = by.capitalize()  # as the fake Twitch shows it
        self._kind = kind

    async def begun(self) -> str:
        """Its id, once she has begun it."""
        _, started = await self._feed.next(self._after, self._is_it)
        return str(started["turn_id"])

    def ends(self, outcome: str, reason: str) -> Proof:
        """It ends so; with what was heard of it."""

        async def proof() -> Seen:
            turn_id = await self.begun()
            at, ended = await self._feed.next(self._after, partial(is_end, turn_id))
            how, self.heard = f"{ended['outcome']}/{ended['reason']}", ended.get("heard", "")
            if how != f"{outcome}/{reason}":
                raise Unexpected(f"her turn ended as {how}")
            return Seen("turn ended", at, self.heard if outcome == "spoken" else how)

        return proof

    def says(self, *words: str) -> Proof:
        """It is heard to its end, and all these words are in it."""
        ends = self.ends("spoken", "completed")

        async def proof() -> Seen:
            seen = await ends()
            lacking = [word for word in words if word not in seen.what]
            if lacking:
                raise Unexpected(f"she said: {seen.what}; without {', '.join(lacking)}")
            return seen

        return proof

    def _is_it(self, event: Event) -> bool:
        if event["type"] != "turn.started" or event["kind"] != self._kind:
            return False
        return not self._name or (event.get("author") or {}).get("text") == self._name


def is_end(turn_id: str, event: Event) -> bool:
    """Whether that turn has ended."""
    return bool(event["type"] == "turn.ended" and event["turn_id"] == turn_id)


def level(stage: Stage, name: str, value: object) -> Proof:
    """A level of the show is so now."""

    async def proof() -> Seen:
        found = (await stage.status())["levels"][name]
        if found != value:
            raise Unexpected(f"{name} is {found!r}")
        return Seen(f"{STATUS}: {name} {value}", None)

    return proof


def all_silent(stage: Stage) -> Proof:
    """Every exit has confirmed the panic."""

    async def proof() -> Seen:
        rows = (await stage.status())["confirmed"]
        late = [row["exit"] for row in rows if row["state"] != "confirmed"]
        if late or not rows:
            raise Unexpected(f"no word from {', '.join(late) or 'any exit'}")
        return Seen(f"{len(rows)} exits", None, ", ".join(sorted(row["exit"] for row in rows)))

    return proof


def nothing_waits(stage: Stage) -> Proof:
    """No line waits, none is answered; sooner than anything of one could be said."""

    async def proof() -> Seen:
        until = time.monotonic() + AT_ONCE_S
        while (status := await stage.status())["waiting"] or status["current"]:
            if time.monotonic() > until:
                raise Unexpected(f"{status['waiting']} lines wait, {len(status['current'])} turns run")
            await asyncio.sleep(LOOK_EVERY_S)
        return Seen(f"{STATUS}: nothing waits", None)

    return proof


async def counted(stage: Stage, reason: str) -> Proof:
    """One more line is dropped for this reason, and told so on the event stream."""
    before = (await stage.status())["dropped"].get(reason, 0)
    after = len(stage.feed)

    async def proof() -> Seen:
        at, _ = await stage.feed.next(
            after, lambda event: event["type"] == "chat.shed" and event["dropped"].get(reason, 0) > before
        )
        return Seen(BY, at, f"not read: {reason}")

    return proof
