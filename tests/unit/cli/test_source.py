"""Where files come from, without a network."""

from pathlib import Path

import httpx
import pytest

from kitsu_cli.downloads.source import HttpSource, _folder
from kitsu_cli.exits import VerbError


def redirecting(target: str) -> HttpSource:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/file":
            return httpx.Response(302, headers={"Location": target})
        return httpx.Response(200, stream=httpx.ByteStream(b"moved"))

    client = httpx.Client(transport=httpx.MockTransport(answer), follow_redirects=True)
    return HttpSource("https://publisher.example", client)


def test_a_redirect_to_another_https_host_is_followed() -> None:
    with redirecting("https://elsewhere.example/x").open("file") as opened:
        assert b"".join(opened.chunks) == b"moved"


def test_a_redirect_away_from_https_is_refused() -> None:
    with pytest.raises(VerbError) as caught, redirecting("http://elsewhere.example/x").open("file"):
        pass
    assert caught.value.code == "bad_redirect"


@pytest.mark.parametrize(
    ("place", "folder"),
    [("my/mirror", "my/mirror"), ("file:///srv/my%20mirror", "/srv/my mirror"), ("file://localhost/srv/m", "/srv/m")],
)
def test_folders(place: str, folder: str) -> None:
    assert _folder(place) == Path(folder)
