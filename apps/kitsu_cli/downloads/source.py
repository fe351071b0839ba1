"""Where files come from: a folder, or a server over HTTP."""

import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

import httpx

from kitsu_cli.downloads.trouble import CutError, refused

CHUNK_BYTES = 256 << 10
MAX_REDIRECTS = 8
CONNECT_S = 10.0
READ_S = 30.0
_LOCAL = ("127.0.0.1", "localhost", "::1")
_RANGE = re.compile(r"bytes (\d+)-")


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is coming: from which byte on, which is at most the one that was asked for, and its pieces."""

    start: int
    chunks: Iterator[bytes]
    size_bytes: int = -1  # of the whole file; -1: nobody says


class Source(Protocol):
    """`name` is for people. `open` gives the file from byte `offset` on.

    Raises:
        CutError: worth another try. VerbError: not.
    """

    name: str

    def open(self, path: str, offset: int = 0) -> AbstractContextManager[Opened]: ...


@contextmanager
def source_at(place: str, timeout_s: float = READ_S) -> Iterator[Source]:
    """The source at an address (http, https, file) or in a folder; `timeout_s` is for each piece of an answer."""
    with ExitStack() as stack:
        if place.startswith(("http://", "https://")):
            yield HttpSource(place, stack.enter_context(client_for(place, timeout_s)))
        else:
            yield FolderSource(_folder(place))


def client_for(url: str, timeout_s: float = READ_S) -> httpx.Client:
    """A client that asks for bytes as they are; a proxy of the environment is not for this machine's own servers."""
    return httpx.Client(
        follow_redirects=True,
        max_redirects=MAX_REDIRECTS,
        timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, CONNECT_S)),
        trust_env=urlsplit(url).hostname not in _LOCAL,
        headers={"Accept-Encoding": "identity", "User-Agent": f"kitsu/{version('kitsu')}"},
    )


def _folder(place: str) -> Path:
    if not place.startswith("file://"):
        return Path(place).expanduser()
    parts = urlsplit(place)
    share = f"//{parts.netloc}" if parts.netloc not in ("", "localhost") else ""
    return Path(share + url2pathname(parts.path))


class FolderSource:
    """A folder with the publisher's layout."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.name = str(root)

    @contextmanager
    def open(self, path: str, offset: int = 0) -> Iterator[Opened]:
        """The file at `path` below the folder."""
        try:
            file = (self._root / path).open("rb")
        except OSError as error:
            raise refused("not_found", f"{self.name} has no readable {path} ({error.strerror}).") from None
        with file:
            file.seek(offset)
            yield Opened(offset, iter(lambda: file.read(CHUNK_BYTES), b""), os.fstat(file.fileno()).st_size)


class HttpSource:
    """A server. Its redirects are followed, but never from https to http."""

    def __init__(self, base: str, client: httpx.Client) -> None:
        self._base = base.rstrip("/")
        self._client = client
        self.name = _without_password(base)

    @contextmanager
    def open(self, path: str, offset: int = 0) -> Iterator[Opened]:
        """The file at `path` below the base address."""
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        try:
            with self._client.stream("GET", f"{self._base}/{quote(path)}", headers=headers) as response:
                start = self._start(response, path, offset)
                length = response.headers.get("content-length", "")
                yield Opened(start, response.iter_raw(), start + int(length) if length.isdecimal() else -1)
        except httpx.TooManyRedirects:
            raise refused("redirect_loop", f"{self.name} sends us in circles for {path}.") from None
        except httpx.UnsupportedProtocol:
            raise refused(
                "bad_redirect", f"{self.name} sends us to an address that is neither http nor https."
            ) from None
        except httpx.TransportError as error:
            raise CutError(str(error) or type(error).__name__) from None
        except (httpx.InvalidURL, UnicodeError) as error:
            raise refused("bad_address", f"{self.name} is no usable address ({error}).") from None

    def _start(self, response: httpx.Response, path: str, offset: int) -> int:
        if self._base.startswith("https:") and response.url.scheme != "https":
            raise refused("bad_redirect", f"{self.name} sends us from https to http for {path}; refused.")
        match response.status_code:
            case 200:
                return 0
            case 206:
                found = _RANGE.match(response.headers.get("content-range", ""))
                if found and int(found[1]) <= offset:
                    return int(found[1])
                raise refused("bad_answer", f"{self.name} answered with another part of {path} than was asked for.")
            case 404 | 410:
                raise refused("not_found", f"{self.name} has no {path} (HTTP {response.status_code}).")
            case 408 | 429 | 500 | 502 | 503 | 504:
                raise CutError(f"HTTP {response.status_code}")
            case status:
                raise refused("bad_answer", f"{self.name} refused {path} (HTTP {status}).")


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
