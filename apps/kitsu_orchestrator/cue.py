"""What she says without having been spoken to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cue:
    """One thing to say."""

    prompt: str  # for the model; what people wrote stands in it as quoted data
    line: str = ""  # her own written words: for the demo brain, and when the model fails
