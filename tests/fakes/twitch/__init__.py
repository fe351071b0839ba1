"""Twitch on real sockets, as its documentation describes it. It shares no code with Kitsu.

async with FakeTwitch() as twitch:
    twitch.log_in("kitsubot", refresh="r1")      # an access token that Helix takes
    await twitch.subscribed("channel.chat.message")
    await twitch.say("hello", user="rita")

By hand: `python -m tests.fakes.twitch`.
"""

from tests.fakes.twitch.service import FakeTwitch
from tests.fakes.twitch.world import Token, User

__all__ = ["FakeTwitch", "Token", "User"]
