"""Which addresses may be asked for."""

import pytest

from kitsu.errors import ConfigError
from kitsu_control.guard import allowed_hosts


def test_loopback_only() -> None:
    assert allowed_hosts("127.0.0.1", 8100) == {"127.0.0.1:8100", "localhost:8100", "[::1]:8100"}
    assert "[::1]:1" in allowed_hosts("::1", 1)
    assert "127.0.0.2:1" in allowed_hosts("127.0.0.2", 1)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::", "example.com", ""])
def test_the_network_is_refused(host: str) -> None:
    with pytest.raises(ConfigError, match="not_loopback"):
        allowed_hosts(host, 8100)
