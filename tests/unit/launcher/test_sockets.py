import os

import pytest

from kitsu.config import NetworkSettings
from kitsu_launcher.sockets import PortInUseError, check_services_ports, listen


def test_a_busy_port_names_itself_its_setting_and_its_owner() -> None:
    with listen("127.0.0.1", 0, "network.launcher_port") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUseError) as caught:
            listen("127.0.0.1", port, "network.launcher_port")
    message = caught.value.message
    assert str(port) in message
    assert "network.launcher_port" in message
    assert "KITSU__NETWORK__LAUNCHER_PORT" in message
    assert str(os.getpid()) in message
    assert caught.value.code == "port_in_use"


def test_ports_of_services_are_checked_and_let_go() -> None:
    with listen("127.0.0.1", 0, "x") as taken:
        busy = taken.getsockname()[1]
        with pytest.raises(PortInUseError, match=r"network\.orchestrator_port"):
            check_services_ports(NetworkSettings(orchestrator_port=busy))
    check_services_ports(NetworkSettings(orchestrator_port=busy, control_port=busy))


def test_an_address_that_is_not_ours() -> None:
    with pytest.raises(PortInUseError):
        listen("192.0.2.1", 9001, "network.launcher_port")
