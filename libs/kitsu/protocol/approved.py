"""Text that an audience may get.

`Approved[Surface]` is made by `kitsu.safety` alone (`tests/unit/safety/test_only_maker.py` proves it).
It is sealed, keyed by a secret of the hub's current run, over text, surface and turn; each exit checks the seal
before it lets the text out, so that neither a bug nor a forged frame can turn plain text into speech.
"""

import hashlib
import hmac
from typing import Generic, Literal, TypeVar, get_args

from kitsu.errors import ProtocolError
from kitsu.protocol.envelope import Part

SurfaceName = Literal["speech", "caption", "question", "author", "chat_reply", "obs_text", "title", "memory"]
SURFACES: tuple[SurfaceName, ...] = get_args(SurfaceName)


class Surface:
    """A place where an audience meets text. Subclasses are only ever used as the type in `Approved[…]`."""


class Speech(Surface):
    """What the voice says."""


class Caption(Surface):
    """What the pages and the overlay show while she speaks."""


class Question(Surface):
    """The line that is being answered, as the overlay shows it."""


class AuthorName(Surface):
    """The display name of whoever is being answered."""


class ChatReply(Surface):
    """What is written into a platform's chat."""


S_co = TypeVar("S_co", bound=Surface, covariant=True)

SEAL_KEY_BYTES = 32


class Approved(Part, Generic[S_co], frozen=True, kw_only=True):
    """Text that passed the gate for one surface of one turn."""

    text: str
    surface: SurfaceName
    turn_id: str
    seal: str  # hex, see `seal`


def seal(key: bytes, text: str, surface: SurfaceName, turn_id: str) -> str:
    """Keyed blake2b-128 over surface, turn and text (NUL between them; turn ids and surfaces never hold one)."""
    data = "\0".join((surface, turn_id, text)).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, key=key, digest_size=16).hexdigest()


def checked(approved: Approved[S_co], key: bytes, surface: SurfaceName, turn_id: str) -> str:
    """The text, if its seal is right for this exit.

    Raises:
        ProtocolError: `bad_seal` when text, surface or turn differ from what the gate approved.
    """
    expected = seal(key, approved.text, surface, turn_id).encode()
    sealed = hmac.compare_digest(expected, approved.seal.encode("utf-8", "surrogatepass"))
    if approved.surface != surface or approved.turn_id != turn_id or not sealed:
        raise ProtocolError("bad_seal", f"text for {surface!r} of turn {turn_id!r} does not carry the gate's seal")
    return approved.text
