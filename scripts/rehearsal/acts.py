"""The script: what the chat of a stream does in a minute and a half."""

from collections.abc import Iterator
from functools import partial

from rehearsal.playing import Act, Rehearsal, Use
from rehearsal.proofs import (
    Turn,
    all_silent,
    at_rest,
    counted,
    is_end,
    level,
    mouth_closed,
    mouth_moves,
    muted,
    nothing_waits,
    on_air,
    safe,
)
from rehearsal.stage import CHANNEL
from tests.fakes.twitch import events

VIEWERS = ("rita", "suna", "vik")
MOD = "mia"
NOT_FOR_YOU = "not for you"
FOR_MODS = {  # command -> what is typed after it
    "ai on": "",
    "ai off": "",
    "ai mute": "",
    "ai unmute": "",
    "ai skip": "",
    "ai clear": "",
    "ai ignore": "@vik",
    "ai unignore": "@vik",
    "scene": "Gaming",
    "voice": "espeak",
    "panic": "",
    "unpanic": "",
}
FOR_ALL_S = 10.0  # cooldown of the commands for everyone


async def forbidden(play: Rehearsal) -> None:
    """Everybody tries what is not theirs. It is said aloud once; whoever tries again and again gets no echo."""
    reply = NOT_FOR_YOU
    for use in _tries():
        await play.use(Use(use.who, use.command, use.argument, reply=reply, outcome="refused", reason="not_allowed"))
        reply = ""
    aliases = (
        Use("rita", "ai skip", typed="skip"),
        Use("vik", "panic", typed="ai panic"),
        Use(MOD, "unpanic", typed="ai resume"),
    )
    for use in aliases:
        await play.use(Use(use.who, use.command, typed=use.typed, outcome="refused", reason="not_allowed"))
    await play.observe(
        "!followage", "rita (viewer)", lambda: play.stage.twitch.say("!followage", "rita"),
        await counted(play.stage, "other_bots_command"),
    )  # fmt: skip


def _tries() -> Iterator[Use]:
    for who in VIEWERS:
        for command, argument in FOR_MODS.items():
            yield Use(who, command, argument)
    yield Use(MOD, "unpanic")


async def going_live(play: Rehearsal) -> None:
    """Off air nobody is answered; mods and the broadcaster decide."""
    await play.use(Use("nils", "ask", "hello?", reply="not answering chat", outcome="failed", reason="off_air"))
    for who, on in ((MOD, True), (CHANNEL, False), (CHANNEL, True), (MOD, False), (MOD, True)):
        command, reply = ("ai on", "answers the chat") if on else ("ai off", "does not answer")
        await play.use(Use(who, command, reply=reply), level(play.stage, "mode", "live" if on else "standby"))


async def asking(play: Rehearsal) -> None:
    """A question, and the answer: heard, seen, and written."""
    answer = Turn(play.stage, by="rita")
    await play.use(Use("rita", "ask", "who are you?", reply="noted, you are next"))
    written = play.replied("rita", "^(?!noted)", text_of=lambda: answer.heard)
    await play.use(Use("rita", "ask", "and you?", outcome="refused", reason="cooldown"))
    await play.observe("… she answers", "Kitsu", _nothing, mouth_moves(play.stage), answer.says(), written)


async def _nothing() -> None:
    """It has begun already."""


async def cutting(play: Rehearsal) -> None:
    """Everybody asks at once; some answers are skipped, the rest of the questions dropped."""
    sub, vip = Turn(play.stage, by="suna"), Turn(play.stage, by="vik")
    await play.use(Use("suna", "ask", "what games do you like?", reply="noted"))
    for who, alias in (("vik", ""), (MOD, ""), (CHANNEL, "kitsu")):
        await play.use(Use(who, "ask", f"do you like {who}?", reply="noted", typed=alias))
    await sub.begun()
    await play.use(Use(MOD, "ai skip", reply="skipped"), sub.ends("interrupted", "skip"))
    await vip.begun()
    await play.use(Use(CHANNEL, "ai skip", reply="skipped", typed="skip"), vip.ends("interrupted", "skip"))
    await play.use(Use(MOD, "ai clear", reply=r"^[12] waiting lines? dropped"))
    await play.use(Use(CHANNEL, "ai clear", reply="^0 waiting lines dropped"))
    await _quiet(play)
    await play.use(
        Use(MOD, "ai skip", reply="not saying anything", outcome="failed", reason="nothing_to_skip"),
        nothing_waits(play.stage),
    )


async def _quiet(play: Rehearsal) -> None:
    """Wait until she says nothing any more."""
    while running := (await play.stage.status())["current"]:
        await play.stage.feed.next(0, partial(is_end, running[0]["turn_id"]))


async def muting(play: Rehearsal) -> None:
    """Mute and unmute."""
    for who in (MOD, CHANNEL):
        await play.use(Use(who, "ai mute", reply="muted"), level(play.stage, "muted", True))
        await play.use(Use(who, "ai unmute", reply="can be heard again"), level(play.stage, "muted", False))


async def scenes(play: Rehearsal) -> None:
    """Scenes of the real OBS, also misspelt ones."""
    stage = play.stage
    if stage.obs is None:
        await play.use(
            Use(MOD, "scene", "Gaming", reply="OBS is not connected", outcome="failed", reason="obs_missing")
        )
        return
    just = "Just Chatting"
    await play.use(Use(MOD, "scene", "just chatting", reply=f"OBS shows {just} now"), *on_air(stage, just))
    again = Use(MOD, "scene", "Gaming", outcome="refused", reason="cooldown")
    await play.use(again)
    for argument, reply, reason in (
        ("Gamimg", "There are: Gaming", "no_such_name"),
        ("xyzzy", "There are: .*Gaming", "no_such_name"),
        ("", "which one\\? There are: ", "no_name"),
    ):
        await play.use(Use(CHANNEL, "scene", argument, reply=reply, outcome="failed", reason=reason))
    await play.use(Use(CHANNEL, "scene", "Gaming", reply="OBS shows Gaming now"), *on_air(stage, "Gaming"))


async def voices(play: Rehearsal) -> None:
    """A voice that is there, and one that is not."""
    await play.use(Use(MOD, "voice", "espeak", reply="she speaks with espeak"))
    await play.use(Use(CHANNEL, "voice", "eSpeak", reply="she speaks with espeak"))
    await play.use(Use(CHANNEL, "voice", "klingon", reply="There are: ", outcome="failed", reason="no_such_name"))


async def ignoring(play: Rehearsal) -> None:
    """Somebody is not read any more, and is read again."""
    for who in (MOD, CHANNEL):
        await play.use(Use(who, "ai ignore", "@Troll", reply="ignored from now on"))
        await play.observe(
            "are you there?", "troll (viewer)", lambda: play.stage.twitch.say("are you there?", "troll"),
            await counted(play.stage, "ignored"),
        )  # fmt: skip
        await play.use(Use(who, "ai unignore", "@troll", reply="is read again"))
    await play.use(
        Use(MOD, "ai unignore", "@troll", reply="nobody of that name", outcome="failed", reason="not_ignored")
    )


async def looking_viewer(play: Rehearsal) -> None:
    """What everybody may ask for; a viewer hears of their own commands only."""
    await play.use(Use("rita", "ai status", reply="off air|live"))
    await play.use(Use("suna", "ai status", outcome="refused", reason="cooldown"))
    await play.use(Use("rita", "help", reply="^!ask QUESTION, !ai status, !help$"))
    for who, alias in ((MOD, ""), (CHANNEL, "ai help")):
        await play.use(Use(who, "help", reply="!unpanic" if who == CHANNEL else "!panic, !help$", typed=alias))
    for who, alias in ((MOD, ""), (CHANNEL, "ai")):
        await play.use(Use(who, "ai status", reply="brain scripted · voice espeak", typed=alias))


async def looking_sub(play: Rehearsal) -> None:
    """The same for a subscriber, once the cooldown is over."""
    await _look(play, "suna")


async def looking_vip(play: Rehearsal) -> None:
    """And for a VIP."""
    await _look(play, "vik")


async def _look(play: Rehearsal, who: str) -> None:
    for command, reply in (("ai status", "^live · "), ("help", "^!ask QUESTION, !ai status, !help$")):
        await play.cooled(command, FOR_ALL_S)
        await play.use(Use(who, command, reply=reply))


async def thanking(play: Rehearsal) -> None:
    """A raid; then several at once; then a line that was paid for."""
    twitch, stage = play.stage.twitch, play.stage
    thanks = Turn(stage, kind="thanks")
    await play.observe("raid, 42 viewers", "partner", lambda: twitch.raid("partner", 42), thanks.says("Partner"))
    await _quiet(play)

    async def many() -> None:
        await twitch.notice("sub", events.sub(), "nina")
        await twitch.notice("community_sub_gift", events.community_gift(5), "gerd")
        await twitch.follow("flo")

    together = Turn(stage, kind="thanks")
    await play.observe("sub, 5 gifts, follow", "nina, gerd, flo", many, together.says("Nina", "Gerd"))
    await _quiet(play)
    line, paid = "Cheer100 what is your favourite snack?", Turn(stage, by="bianca")
    await play.observe(line, "bianca, 100 bits", lambda: twitch.say(line, "bianca", bits=100), paid.says())


async def banning(play: Rehearsal) -> None:
    """A ban takes every line of that person back: the one that sounds, and those that wait. Others are answered."""
    twitch, stage = play.stage.twitch, play.stage
    await _quiet(play)
    sounding = Turn(stage, by="wanda")
    await play.use(Use("wanda", "ask", "what music do you like?", reply="noted"), mouth_moves(stage))
    await play.use(Use("bully", "ask", "are you a robot?", reply="noted, 1 before you"))
    await play.observe(
        "ban of whoever is next", f"{CHANNEL} (broadcaster)", lambda: twitch.ban("bully"),
        sounding.says(), nothing_waits(stage), play.unanswered("bully"),
    )  # fmt: skip
    turn = Turn(stage, by="troll")
    await play.use(Use("troll", "ask", "what games do you like?", reply="noted, you are next"), mouth_moves(stage))
    await twitch.say("are you a robot?", "troll")
    await twitch.say("tell me a joke", "troll")
    await play.observe(
        "ban of troll", f"{CHANNEL} (broadcaster)", lambda: twitch.ban("troll"),
        turn.ends("interrupted", "removed"), mouth_closed(stage), nothing_waits(stage), play.unanswered("troll"),
    )  # fmt: skip


async def panicking(play: Rehearsal) -> None:
    """A mod presses while she speaks; a mod cannot end it; the broadcaster does."""
    stage = play.stage
    await play.cooled("scene", 2.0)
    turn = Turn(stage, by="olga")
    await play.use(Use("olga", "ask", "tell me about yourself", reply="noted"), mouth_moves(stage))
    pressed = r"PANIC: everything is silent, \d+ exits confirmed"
    ends = turn.ends("panic", "panic")
    await play.use(Use(MOD, "panic", reply=pressed), *safe(stage), at_rest(stage), ends, all_silent(stage))
    await play.use(Use("paul", "ask", "hello?", reply="everything is silent", outcome="failed", reason="panic"))
    if stage.obs is not None:
        held = Use(MOD, "scene", "Gaming", reply="did not switch", outcome="failed", reason="obs_held")
        await play.use(held)
    await play.use(Use(MOD, "unpanic", outcome="refused", reason="not_allowed"))
    unmuted = muted(stage, "Mic", on=False)
    await play.use(Use(CHANNEL, "unpanic", reply="panic is over"), *on_air(stage, "Gaming"), *unmuted)
    none = Use(CHANNEL, "unpanic", reply="no panic", outcome="failed", reason="no_panic", typed="ai unpanic")
    await play.use(none)
    again = Use(CHANNEL, "panic", reply=pressed, typed="ai panic")
    await play.use(again, *safe(stage), at_rest(stage), all_silent(stage))
    back = Use(CHANNEL, "unpanic", reply="panic is over", typed="ai resume")
    await play.use(back, *on_air(stage, "Gaming"), level(stage, "panic", None))
    answer = Turn(stage, by="quinn")
    await play.use(Use("quinn", "ask", "are you back?", reply="noted"), mouth_moves(stage), answer.says())


PLAY: tuple[Act, ...] = (
    forbidden,
    looking_viewer,
    going_live,
    asking,
    looking_sub,
    cutting,
    muting,
    scenes,
    voices,
    ignoring,
    thanking,
    looking_vip,
    banning,
    panicking,
)
