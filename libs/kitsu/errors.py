"""Errors that people may see.

    KitsuError            code, message, retryable
    ├── ConfigError       a setting is wrong: the start stops
    ├── ProtocolError     a frame or message is wrong: the sender is told, its state stays
    ├── GateError         the gate could not judge: nothing is said
    └── EngineError       a model, voice or device failed: the role degrades

`code` is stable and lower_snake_case (tools may match on it); `message` says what happened, what it means for the
show and what to do; `retryable` says whether the same call may succeed later without anyone changing anything.
"""


class KitsuError(Exception):
    """Base of everything Kitsu raises on purpose."""

    def __init__(self, code: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class ConfigError(KitsuError):
    """A setting is wrong; the message names the file and line (or variable), what was found and what is allowed."""


class ProtocolError(KitsuError):
    """A frame or message breaks the protocol."""


class GateError(KitsuError):
    """The gate could not reach a verdict. Callers treat it as a block."""


class EngineError(KitsuError):
    """An engine (model, voice, device) failed."""
