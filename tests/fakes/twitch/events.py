"""Payloads, field by field as docs/eventsub/eventsub-subscription-types and …/eventsub-reference have them."""

import re
import uuid
from typing import Any

from tests.fakes.twitch.world import User, now


def broadcaster(channel: User) -> dict[str, Any]:
    return {
        "broadcaster_user_id": channel.id,
        "broadcaster_user_login": channel.login,
        "broadcaster_user_name": channel.name,
    }


def badges(user: User) -> list[dict[str, str]]:
    return [{"set_id": name, "id": version, "info": ""} for name, version in user.badges]


def fragments(text: str, mentioned: User | None) -> list[dict[str, Any]]:
    """A message in pieces: text and mentions."""
    found = []
    for part in re.split(r"(@\w+)", text):
        if not part:
            continue
        named = mentioned is not None and part.lower() == f"@{mentioned.login}"
        mention = None
        if named and mentioned is not None:
            mention = {"user_id": mentioned.id, "user_login": mentioned.login, "user_name": mentioned.name}
        kind = "mention" if named else "text"
        found.append({"type": kind, "text": part, "cheermote": None, "emote": None, "mention": mention})
    return found


def chat_message(channel: User, user: User, text: str, **more: Any) -> dict[str, Any]:
    """channel.chat.message. `more`: message_id, bits, mentioned, reply_to, source, reward_id."""
    source: User | None = more.get("source")
    reply: User | None = more.get("reply_to")
    return {
        **broadcaster(channel),
        "source_broadcaster_user_id": source.id if source else None,
        "source_broadcaster_user_login": source.login if source else None,
        "source_broadcaster_user_name": source.name if source else None,
        "chatter_user_id": user.id,
        "chatter_user_login": user.login,
        "chatter_user_name": user.name,
        "message_id": more.get("message_id") or str(uuid.uuid4()),
        "source_message_id": None,
        "is_source_only": None,
        "message": {"text": text, "fragments": fragments(text, more.get("mentioned"))},
        "color": "#00FF7F",
        "badges": badges(user),
        "source_badges": None,
        "message_type": "text",
        "cheer": {"bits": more["bits"]} if more.get("bits") else None,
        "reply": _reply(reply) if reply else None,
        "channel_points_custom_reward_id": more.get("reward_id"),
        "channel_points_animation_id": None,
    }


def _reply(parent: User) -> dict[str, Any]:
    user = {"user_id": parent.id, "user_name": parent.name, "user_login": parent.login}
    return {
        "parent_message_id": str(uuid.uuid4()),
        "parent_message_body": "what she said",
        **{f"parent_{key}": value for key, value in user.items()},
        "thread_message_id": str(uuid.uuid4()),
        **{f"thread_{key}": value for key, value in user.items()},
    }


_KINDS = """
    sub resub sub_gift community_sub_gift gift_paid_upgrade prime_paid_upgrade raid unraid pay_it_forward announcement
    charity_donation bits_badge_tier watch_streak modiversary shared_chat_sub shared_chat_resub shared_chat_sub_gift
    shared_chat_community_sub_gift shared_chat_gift_paid_upgrade shared_chat_prime_paid_upgrade shared_chat_raid
    shared_chat_pay_it_forward shared_chat_announcement
"""
_NOTICES = tuple(_KINDS.split())


def notification(channel: User, user: User, kind: str, data: dict[str, Any], text: str = "") -> dict[str, Any]:
    """channel.chat.notification: every kind has a field, and all but one are null."""
    return {
        **broadcaster(channel),
        "source_broadcaster_user_id": None,
        "source_broadcaster_user_login": None,
        "source_broadcaster_user_name": None,
        "chatter_user_id": user.id,
        "chatter_user_login": user.login,
        "chatter_user_name": user.name,
        "chatter_is_anonymous": False,
        "color": "#00FF7F",
        "badges": badges(user),
        "source_badges": None,
        "system_message": f"{user.name}: {kind}",
        "message_id": str(uuid.uuid4()),
        "source_message_id": None,
        "message": {"text": text, "fragments": fragments(text, None)},
        "notice_type": kind,
        **dict.fromkeys(_NOTICES),
        kind: data,
    }


def sub(tier: int = 1) -> dict[str, Any]:
    return {"sub_tier": f"{tier}000", "is_prime": False, "duration_months": 1}


def resub(months: int, tier: int = 1) -> dict[str, Any]:
    return {
        **sub(tier),
        "cumulative_months": months,
        "streak_months": None,
        "is_gift": False,
        "gifter_is_anonymous": None,
        "gifter_user_id": None,
        "gifter_user_name": None,
        "gifter_user_login": None,
    }


def community_gift(total: int) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "total": total, "sub_tier": "1000", "cumulative_total": None}


def gift(recipient: User, community: str | None = None) -> dict[str, Any]:
    return {
        "duration_months": 1,
        "cumulative_total": None,
        "recipient_user_id": recipient.id,
        "recipient_user_name": recipient.name,
        "recipient_user_login": recipient.login,
        "sub_tier": "1000",
        "community_gift_id": community,
    }


def raid(user: User, viewers: int) -> dict[str, Any]:
    return {
        "user_id": user.id,
        "user_name": user.name,
        "user_login": user.login,
        "viewer_count": viewers,
        "profile_image_url": "",
    }


def deleted(channel: User, user: User, message_id: str) -> dict[str, Any]:
    return {**broadcaster(channel), **_target(user), "message_id": message_id}


def cleared_user(channel: User, user: User) -> dict[str, Any]:
    return {**broadcaster(channel), **_target(user)}


def _target(user: User) -> dict[str, Any]:
    return {"target_user_id": user.id, "target_user_name": user.name, "target_user_login": user.login}


def follow(channel: User, user: User) -> dict[str, Any]:
    return {
        **broadcaster(channel),
        "user_id": user.id,
        "user_login": user.login,
        "user_name": user.name,
        "followed_at": now(),
    }


def redemption(channel: User, user: User, title: str, text: str) -> dict[str, Any]:
    return {
        **broadcaster(channel),
        "id": str(uuid.uuid4()),
        "user_id": user.id,
        "user_login": user.login,
        "user_name": user.name,
        "user_input": text,
        "status": "unfulfilled",
        "reward": {"id": str(uuid.uuid4()), "title": title, "cost": 100, "prompt": ""},
        "redeemed_at": now(),
    }


def stream(channel: User, *, online: bool) -> dict[str, Any]:
    more = {"id": "9001", "type": "live", "started_at": now()} if online else {}
    return {**broadcaster(channel), **more}


def update(channel: User, title: str, category: str) -> dict[str, Any]:
    return {
        **broadcaster(channel),
        "title": title,
        "language": "en",
        "category_id": "509658",
        "category_name": category,
        "content_classification_labels": [],
    }
