"""All messages, and who may send which."""

from typing import get_args

from kitsu.protocol import asr, body, chat, control, hub, obs, playout, policy, state, tts, turn
from kitsu.protocol.envelope import Message, type_of

AnyMessage = (
    hub.Hello | hub.HelloAccepted | hub.HelloRefused | hub.HubStopping | hub.ServiceHealth | hub.ServiceError
    | chat.ChatBatch | chat.ChatEvent | chat.ChatRemoved | chat.ChatChannel
    | chat.ChatSend | chat.ChatSent | chat.ChatShed | chat.ChatCommanded
    | policy.PolicyPrepare | policy.PolicyRespond | policy.PolicyCancel
    | policy.PolicyDelta | policy.PolicyFinished | policy.PolicyFailed
    | tts.TtsSynthesize | tts.TtsCancel | tts.TtsUse | tts.TtsUsing | tts.TtsAudio | tts.TtsFinished | tts.TtsFailed
    | playout.PlayoutOpen | playout.PlayoutCaption | playout.PlayoutClose | playout.PlayoutFlush
    | playout.PlayoutStarted | playout.PlayoutProgress | playout.PlayoutFinished | playout.PlayoutFlushed
    | playout.PlayoutPause | playout.PlayoutResume | playout.PlayoutPaused
    | playout.PlayoutFrame | playout.PlayoutSinks
    | playout.PlayoutDevices | playout.PlayoutLook | playout.PlayoutUse | playout.PlayoutUsing
    | playout.PlayoutMirror | playout.PlayoutReference
    | playout.SinkOpened | playout.SinkClosed | playout.SinkPosition | playout.SinkFlush | playout.SinkFlushed
    | body.BodyDirect | body.VtsExpress | body.VtsReset | body.VtsDone | body.VtsState
    | control.ControlPanic | control.ControlResume | control.ControlLevels
    | control.PanicConfirmed | control.PanicUnconfirmed
    | obs.ObsState | obs.ObsSwitch | obs.ObsRun | obs.ObsWrite
    | obs.ObsReset | obs.ObsRestore | obs.ObsSetUp | obs.ObsOutcome
    | asr.AsrSpeech | asr.AsrPartial | asr.AsrFinal | asr.AsrCommand | asr.AsrDropped | asr.AsrState | asr.AsrPrepare
    | asr.AsrListen | asr.AsrTalk | asr.AsrMute | asr.AsrLook | asr.AsrUse | asr.AsrUsing | asr.AsrTranscribe
    | asr.AsrTranscript | asr.MicOpened | asr.MicAudio | asr.MicClosed
    | turn.TurnQueued | turn.TurnStarted | turn.TurnSegment | turn.TurnEnded
    | state.StateSnapshot | state.ShowChanged | state.ServiceChanged | state.StreamNotice
)  # fmt: skip

MESSAGES: dict[str, type[Message]] = {type_of(cls): cls for cls in get_args(AnyMessage)}

BINARY: frozenset[type[Message]] = frozenset(
    {tts.TtsAudio, playout.PlayoutFrame, playout.PlayoutReference, asr.AsrTranscribe, asr.MicAudio}
)
"""Messages that carry a payload."""

_FROM_ANY_WORKER: frozenset[type[Message]] = frozenset(
    {hub.ServiceHealth, hub.ServiceError, control.PanicConfirmed, control.PanicUnconfirmed}
)

_FROM_PLATFORMS: frozenset[type[Message]] = frozenset(
    {chat.ChatBatch, chat.ChatEvent, chat.ChatRemoved, chat.ChatChannel, chat.ChatSent}
)

MAY_SEND: dict[hub.Role, frozenset[type[Message]]] = {
    "orchestrator": frozenset(MESSAGES.values()) - {hub.Hello},
    "policy": _FROM_ANY_WORKER | {policy.PolicyDelta, policy.PolicyFinished, policy.PolicyFailed},
    "tts": _FROM_ANY_WORKER | {tts.TtsAudio, tts.TtsFinished, tts.TtsFailed, tts.TtsUsing},
    "playout": _FROM_ANY_WORKER
    | {
        playout.PlayoutStarted,
        playout.PlayoutProgress,
        playout.PlayoutFinished,
        playout.PlayoutFlushed,
        playout.PlayoutPaused,
        playout.PlayoutFrame,
        playout.PlayoutSinks,
        playout.PlayoutReference,
        playout.PlayoutDevices,
        playout.PlayoutUsing,
        playout.SinkFlush,
    },
    "obs": _FROM_ANY_WORKER | {obs.ObsState, obs.ObsOutcome},
    "vts": _FROM_ANY_WORKER | {body.VtsDone, body.VtsState},
    "twitch": _FROM_ANY_WORKER | _FROM_PLATFORMS,
    "asr": _FROM_ANY_WORKER
    | {
        asr.AsrSpeech,
        asr.AsrPartial,
        asr.AsrFinal,
        asr.AsrCommand,
        asr.AsrDropped,
        asr.AsrState,
        asr.AsrUsing,
        asr.AsrTranscript,
    },
    "control": _FROM_ANY_WORKER
    | {
        playout.SinkOpened,
        playout.SinkClosed,
        playout.SinkPosition,
        playout.SinkFlushed,
        asr.MicOpened,
        asr.MicAudio,
        asr.MicClosed,
        asr.AsrTalk,
    },
}
"""What the hub takes from each role; anything else closes the connection with `forbidden_type`."""

EXITS: frozenset[hub.Role] = frozenset({"tts", "playout", "obs", "control", "twitch"})
"""Roles that let text out, and so get the seal's key."""
