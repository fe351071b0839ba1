"""Commands that the host speaks: the same table, handlers and confirmations as commands from chat."""

import time
from typing import TYPE_CHECKING

from kitsu.protocol import AsrCommand, Author, ChatLine, VoiceCommand
from kitsu.telemetry import log
from kitsu_orchestrator.commands.call import Call
from kitsu_orchestrator.replies import MICROPHONE

if TYPE_CHECKING:
    from kitsu_orchestrator.show import Show

_NAMES: dict[VoiceCommand, str] = {
    "mute": "ai mute",
    "unmute": "ai unmute",
    "skip": "ai skip",
    "scene": "scene",
    "panic": "panic",
}
"""What each one is called in configs/commands.yaml."""


def obey(show: "Show", message: AsrCommand) -> bool:
    """Do it; what came of it is told as `chat.commanded`. False: guests have no commands."""
    if message.speaker.role != "host":
        log.warning("ears.command_refused", command=message.command)
        return False
    author = Author(name=message.speaker.name[:80] or "host", role="broadcaster", platform=MICROPHONE)
    line = ChatLine(author=author, text="")
    show.commands.give(Call(_NAMES[message.command], message.argument[:200], line, time.perf_counter(), message.conv))
    return True
