"""Twitch's badges as Kitsu's roles."""

from collections.abc import Iterable

from kitsu.protocol import Author, AuthorRole

PLATFORM = "twitch"
MAX_NAME = 60
MAX_TEXT = 500  # Twitch's own limit; 256 such lines fit into one frame of the hub's

_ROLES: tuple[tuple[frozenset[str], AuthorRole], ...] = (
    (frozenset({"broadcaster"}), "broadcaster"),
    (frozenset({"moderator", "lead_moderator"}), "mod"),
    (frozenset({"vip"}), "vip"),
    (frozenset({"subscriber", "founder"}), "sub"),
)


def author_of(
    user_id: str, login: str, name: str, badges: Iterable[tuple[str, str]], *, foreign: bool = False
) -> Author:
    """Who wrote. `badges`: set and version, as this channel gave them.

    `foreign`: written in another channel's chat (shared chat). Whatever they are there, here they are a viewer.
    """
    held = {} if foreign else dict(badges)
    role: AuthorRole = next((role for names, role in _ROLES if not names.isdisjoint(held)), "viewer")
    return Author(
        name=whole(name or login)[:MAX_NAME],
        role=role,
        platform=PLATFORM,
        user_id=whole(user_id),
        login=whole(login).lower(),
        sub_tier=_tier(held),
    )


def _tier(badges: dict[str, str]) -> int:
    """The version of a subscriber's badge is 2000 or 3000 and the months for tiers 2 and 3, else the months alone."""
    version = badges.get("subscriber", badges.get("founder"))
    if version is None:
        return 0
    return int(version[0]) if len(version) == 4 and version[0] in "23" and version.isdecimal() else 1


def whole(text: str) -> str:
    """Text that can be sent on: half a character (a lone surrogate) cannot, nor what is too long for any chat."""
    return text[:MAX_TEXT].encode("utf-8", "replace").decode()


def tier_of(plan: str) -> int:
    """`1000`, `2000`, `3000` or `Prime`."""
    return int(plan[0]) if plan[:1] in ("1", "2", "3") else 1
