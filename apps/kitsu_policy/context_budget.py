"""What of a conversation fits into the model's context."""

from collections.abc import Sequence

from kitsu.protocol import Line

CHARS_PER_TOKEN = 4  # of English, about; counting exactly would need each model's own tokenizer


def estimated_tokens(text: str) -> int:
    """About how many tokens a text takes, rounded up."""
    return -(-len(text) // CHARS_PER_TOKEN)


def newest_that_fit(history: Sequence[Line], room_tokens: int) -> Sequence[Line]:
    """The history without its oldest lines, as much as `room_tokens` hold.

    `room_tokens` is what system prompt, line and answer leave of the context; it may be below 0.
    """
    for kept, line in enumerate(reversed(history)):
        room_tokens -= estimated_tokens(line.text)
        if room_tokens < 0:
            return history[len(history) - kept :]
    return history
