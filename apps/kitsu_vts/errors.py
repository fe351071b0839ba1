"""What goes wrong with VTube Studio. Whatever it is, the connection is built anew, but for `VtsRefusedError`."""

from kitsu.errors import EngineError


class VtsError(EngineError):
    """The link is not usable: `vts_unreachable`, `vts_closed`, `vts_timeout`, `vts_garbled`."""


class VtsRefusedError(VtsError):
    """VTube Studio answered with an `APIError`. `error_id`: see its Files/ErrorID.cs."""

    def __init__(self, error_id: int, message: str) -> None:
        super().__init__("vts_refused", f"VTube Studio refused: {message} (error {error_id})")
        self.error_id = error_id


class NotAllowedError(VtsError):
    """The user has said no, or taken their permission back: `vts_denied`, `vts_revoked`, `vts_api_off`."""


NO_ACCESS = 1
NEEDS_LOGIN = 8
DENIED = 50
ALREADY_ASKING = 51
HOTKEY_BUSY = frozenset({200, 203})  # the queue is full, or the same one a moment ago
TAKEN = 454  # another plugin holds the parameter
MODEL_WENT = frozenset({201, 202, 650, 651, 652})  # the model went meanwhile
