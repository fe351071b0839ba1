"""Settings of the orchestrator: sections `turn`, `talk`, `intake`, `dead_air` and `chat`."""

from typing import Annotated, Literal

from msgspec import Meta

from kitsu.config import Seconds, Section


class TurnSettings(Section, frozen=True, kw_only=True):
    """One answer."""

    max_audio_s: Annotated[float, Meta(ge=1, le=600)] = 45.0  # she stops at the next segment's end
    think_timeout_s: Seconds = 30.0  # longest wait for the next piece of the model's answer
    first_audio_target_ms: Annotated[float, Meta(gt=0, le=60_000)] = 1800.0  # p95 of line in -> sound; near it: shorter
    worker_grace_s: Seconds = 3.0  # how long a turn waits for a worker that is being restarted
    voice_ahead_s: Seconds = 8.0  # sound that may wait to be played before the next segment is voiced
    history_lines: Annotated[int, Meta(ge=0, le=200)] = 24
    keep_days: Annotated[int, Meta(ge=1, le=3650)] = 30  # stories of turns in the database


class TalkSettings(Section, frozen=True, kw_only=True):
    """Talking with whoever speaks into a microphone (section `asr` is about hearing them)."""

    barge_in: Literal["off", "speech", "words", "host"] = "speech"  # who silences her by speaking; host: hosts only
    min_words: Annotated[int, Meta(ge=1, le=20)] = 2  # barge_in words: so many, and no "mhm"
    wait_s: Annotated[float, Meta(ge=0.5, le=30)] = 4.0  # she waits so long for a false interruption to end
    floor_s: Annotated[float, Meta(ge=1, le=120)] = (
        15.0  # she begins nothing while somebody speaks, for at most so long
    )
    preemptive: Literal["off", "pause", "stable"] = "stable"  # she thinks ahead in a pause; or on unchanged words too
    echo_share: Annotated[float, Meta(ge=0, le=1)] = 0.3  # more of the sound was hers: its text is compared with hers
    echo_likeness: Annotated[float, Meta(ge=50, le=100)] = 85.0  # percent; so alike, it was her own voice
    echo_s: Annotated[float, Meta(ge=1, le=120)] = 10.0  # what she said longer ago is not compared


class IntakeSettings(Section, frozen=True, kw_only=True):
    """Lines that wait."""

    max_waiting: Annotated[int, Meta(ge=1, le=10_000)] = 50  # per conversation
    stale_after_s: Seconds = 90.0
    remember_ids: Annotated[int, Meta(ge=0, le=1_000_000)] = 5000  # platform message ids, against duplicates
    max_chat: Annotated[int, Meta(ge=1, le=10_000)] = 200  # lines of platform chat that she may choose from
    max_per_author: Annotated[int, Meta(ge=1, le=1000)] = 3  # of them
    chant_at: Annotated[int, Meta(ge=2, le=1000)] = 5  # so many say the same: "chat is saying"
    paid_is_at_least: Annotated[int, Meta(ge=1, le=1_000_000)] = 1  # bits, cents: such a line is never lost
    max_conversations: Annotated[int, Meta(ge=1, le=1000)] = 32


class DeadAirSettings(Section, frozen=True, kw_only=True):
    """What she begins by herself: talk when chat is quiet, and thanks."""

    enabled: bool = (
        True  # topics when chat is quiet; only while the show is live. `kitsu topics off` for this show alone
    )
    quiet_s: Annotated[float, Meta(ge=5, le=3600)] = 45.0  # nobody wrote and she said nothing for so long
    every_s: Annotated[float, Meta(ge=10, le=36_000)] = (
        90.0  # between two; twice as long after each that nobody answered
    )
    longest_s: Annotated[float, Meta(ge=10, le=36_000)] = 900.0  # but no longer than that
    thanks: bool = True  # for subs, gifts, raids, follows and rewards
    gather_s: Annotated[float, Meta(ge=0, le=60)] = 4.0  # thanks that come so close together are said as one


class ChatSettings(Section, frozen=True, kw_only=True):
    """What is written into the platforms' chats."""

    answers: Literal["none", "asked", "all"] = "asked"  # which of her answers are written too; asked: those to !ask
