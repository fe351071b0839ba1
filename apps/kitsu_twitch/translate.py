"""twitchio's events as Kitsu's neutral ones. No I/O."""

from typing import Any

import twitchio

from kitsu.protocol import Author, ChatEvent, ChatLine, ChatRemoved
from kitsu_twitch.roles import PLATFORM, author_of, tier_of, whole


def line_of(message: twitchio.ChatMessage, me: str) -> ChatLine:
    """A chat message. `me`: our user id. A cheer is a line that was paid for."""
    source = message.source_broadcaster
    foreign = source is not None and source.id != message.broadcaster.id
    chatter = message.chatter
    badges = [(badge.set_id, badge.id) for badge in message.badges]
    to_me = any(user.id == me for user in message.mentions)
    replied = message.reply is not None and message.reply.parent_user.id == me
    return ChatLine(
        author=author_of(chatter.id, chatter.name or "", chatter.display_name or "", badges, foreign=foreign),
        text=whole(message.text),
        message_id=whole(message.id),
        paid=message.cheer.bits if message.cheer else 0,
        mention=to_me or replied,
    )


def is_moderator(message: twitchio.ChatMessage) -> bool:
    """Whether the author of a message may send more than others."""
    return any(badge.set_id in ("moderator", "lead_moderator", "broadcaster") for badge in message.badges)


def event_of(notice: twitchio.ChatNotification) -> ChatEvent | None:
    """A notice in chat as an event; None: nothing that she would speak of."""
    author = None if notice.anonymous else _user(notice.chatter)
    common: dict[str, Any] = {"author": author, "text": whole(notice.text), "message_id": notice.id}
    if notice.sub:
        return ChatEvent(kind="sub", tier=tier_of(notice.sub.tier), **common)
    if notice.resub:
        return ChatEvent(kind="resub", tier=tier_of(notice.resub.tier), count=notice.resub.cumulative_months, **common)
    if notice.community_sub_gift:
        gift = notice.community_sub_gift
        return ChatEvent(kind="gift", tier=tier_of(gift.tier), count=gift.total, **common)
    if notice.sub_gift and not notice.sub_gift.community_gift_id:  # those of a community gift were counted with it
        return ChatEvent(kind="gift", tier=tier_of(notice.sub_gift.tier), **common)
    if notice.raid:
        return ChatEvent(kind="raid", count=notice.raid.viewer_count, **common)
    return None


def follow_of(follow: twitchio.ChannelFollow) -> ChatEvent:
    """A new follower. Twitch gives it no id; one person follows once."""
    return ChatEvent(kind="follow", author=_user(follow.user), message_id=f"follow-{follow.user.id}")


def reward_of(redemption: twitchio.ChannelPointsRedemptionAdd) -> ChatEvent:
    """A channel-point reward."""
    return ChatEvent(
        kind="reward",
        author=_user(redemption.user),
        title=whole(redemption.reward.title),
        text=whole(redemption.user_input),
        message_id=redemption.id,
    )


def deleted(event: twitchio.ChatMessageDelete) -> ChatRemoved:
    """One line."""
    return ChatRemoved(what="line", platform=PLATFORM, message_id=event.message_id)


def cleared_user(event: twitchio.ChannelChatClearUserMessages) -> ChatRemoved:
    """A time-out or a ban."""
    return ChatRemoved(what="author", platform=PLATFORM, user_id=event.user.id)


def cleared() -> ChatRemoved:
    """The whole chat."""
    return ChatRemoved(what="all", platform=PLATFORM)


def _user(user: twitchio.PartialUser) -> Author:
    return author_of(user.id, user.name or "", user.display_name or "", ())
