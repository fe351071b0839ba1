"""A fake Twitch to play with: `python -m tests.fakes.twitch`. Type `help` for what can happen there."""

import asyncio
import sys

from tests.fakes.twitch import FakeTwitch, events

HELP = """
USER: TEXT          USER writes TEXT              mod|vip|sub|viewer USER   what USER is from now on
cheer USER N TEXT   with N bits                   sub USER, gift USER N     subscriptions
raid USER N         with N viewers                follow USER, redeem USER TITLE
ban USER            ban                           delete                    the last line
online, offline     the stream                    agree, deny               to a login that waits
drop, reconnect, revoke   what happens to connections
"""


async def play(twitch: FakeTwitch, line: str, last: str) -> str:
    """Do what was typed; returns the id of the last line."""
    word, _, rest = line.strip().partition(" ")
    user, _, more = rest.partition(" ")
    if word.endswith(":"):
        return await twitch.say(rest, word[:-1].lower())
    match word:
        case "mod" | "vip" | "sub" | "viewer" if not more and (word != "sub" or user not in twitch.world.users):
            badge = {"mod": "moderator", "vip": "vip", "sub": "subscriber"}.get(word)
            twitch.world.user(user, badges=[(badge, "1")] if badge else [])
        case "cheer":
            bits, _, text = more.partition(" ")
            return await twitch.say(f"Cheer{bits} {text}", user, bits=int(bits))
        case "sub":
            await twitch.notice("sub", events.sub(), user)
        case "gift":
            await twitch.notice("community_sub_gift", events.community_gift(int(more)), user)
        case "raid":
            await twitch.raid(user, int(more))
        case "follow":
            await twitch.follow(user)
        case "redeem":
            await twitch.redeem(user, more)
        case "ban":
            await twitch.ban(user)
        case "delete":
            await twitch.delete(last)
        case "online" | "offline":
            await twitch.stream(online=word == "online")
        case "agree":
            twitch.allow()
        case "deny":
            twitch.deny()
        case "drop":
            await twitch.eventsub.drop()
        case "reconnect":
            await twitch.eventsub.reconnect()
        case "revoke":
            await twitch.eventsub.revoke("authorization_revoked")
        case _:
            sys.stdout.write(HELP)
    return last


async def main() -> None:
    """Run until the input ends; replies are printed as they come."""
    async with FakeTwitch(http_port=8190, eventsub_port=8191, irc_port=8192) as twitch:
        twitch.echoes = True
        for name, value in {**twitch.settings, "channel": "streamer"}.items():
            sys.stdout.write(f"KITSU__TWITCH__{name.upper()}={value}\n")
        sys.stdout.write("Put these into .env; `kitsu login twitch` logs in here (then type: agree).\n" + HELP)
        printing = asyncio.create_task(replies(twitch))
        last = ""
        while line := await asyncio.to_thread(sys.stdin.readline):
            try:
                last = await play(twitch, line, last)
            except ValueError:
                sys.stdout.write("That wants a number.\n")
        printing.cancel()


async def replies(twitch: FakeTwitch) -> None:
    """Print what is written into the chat."""
    shown = 0
    while True:
        async with twitch.eventsub.changed:
            await twitch.eventsub.changed.wait_for(lambda seen=shown: len(twitch.world.messages) > seen)
        for message in twitch.world.messages[shown:]:
            sys.stdout.write(f"  >> {message['message']}\n")
        sys.stdout.flush()
        shown = len(twitch.world.messages)


if __name__ == "__main__":
    asyncio.run(main())
