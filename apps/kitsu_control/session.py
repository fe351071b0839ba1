"""Sign-in links and the cookie that they turn into. No I/O; time is a parameter."""

import hashlib
import hmac
import secrets

MAX_LINKS = 16
"""Unused links kept at once; making more forgets the oldest."""


class SignInLinks:
    """Codes that sign a browser in once. Only their hashes are kept, in memory: a restart voids them."""

    def __init__(self, lifetime_s: float) -> None:
        self._lifetime_s = lifetime_s
        self._expiry: dict[bytes, float] = {}

    def make(self, now_s: float) -> str:
        """A new code. `now_s`: any clock, as long as `use` gets the same one."""
        code = secrets.token_urlsafe(32)
        self._expiry[_digest(code)] = now_s + self._lifetime_s
        while len(self._expiry) > MAX_LINKS:
            del self._expiry[next(iter(self._expiry))]
        return code

    def use(self, code: str, now_s: float) -> bool:
        """Whether the code is good; it never is again."""
        expiry = self._expiry.pop(_digest(code), None)
        return expiry is not None and now_s < expiry


class Sessions:
    """Signed cookies: nothing is stored, so a restart of the door keeps everyone signed in.

    Their key comes from the show's token; a new token signs everyone out.
    """

    def __init__(self, token: str, lifetime_s: float) -> None:
        self._key = hashlib.blake2b(token.encode(), person=b"kitsu-session").digest()
        self.lifetime_s = lifetime_s

    def make(self, now_s: float) -> str:
        """A cookie's value, `expiry.random.mac`. `now_s`: unix time."""
        body = f"{int(now_s + self.lifetime_s)}.{secrets.token_hex(16)}"
        return f"{body}.{self._mac(body)}"

    def valid(self, cookie: str, now_s: float) -> bool:
        """Whether we made this cookie and it has not expired. `now_s`: unix time."""
        body, _, mac = cookie.rpartition(".")
        if not hmac.compare_digest(self._mac(body).encode(), mac.encode("utf-8", "surrogatepass")):
            return False
        return now_s < int(body.partition(".")[0])

    def _mac(self, body: str) -> str:
        return hashlib.blake2b(body.encode("utf-8", "surrogatepass"), key=self._key, digest_size=32).hexdigest()


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()
