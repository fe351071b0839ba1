"""How the roles are, as the hub sees it."""

from kitsu.config import is_wanted
from kitsu.errors import KitsuError
from kitsu.protocol import ServiceHealth, ServiceState, SinkState
from kitsu.services import SERVICES
from kitsu_orchestrator.hub import Hub, Peer

_EXITS = {
    "policy": "brain",
    "tts": "voice",
    "playout": "playout",
    "control": "captions",
    "vts": "vts",
    "twitch": "twitch",
}


class Services:
    """States of all hub roles, and who can hear her."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._wanted = frozenset(service.name for service in SERVICES.values() if is_wanted(service))
        self.sinks: tuple[SinkState, ...] = ()

    def states(self) -> tuple[ServiceState, ...]:
        """One row for each role that is wanted, or there all the same."""
        return tuple(
            self.state(service.name)
            for service in SERVICES.values()
            if service.role is not None and (service.name in self._wanted or self._hub.peer(service.role))
        )

    def state(self, name: str) -> ServiceState:
        """One role."""
        service = SERVICES[name]
        assert service.role is not None
        peer = self._hub.peer(service.role)
        if peer is None:
            return ServiceState(role=name, connected=False, state="missing", reason=service.without_it)
        return _state(name, peer, peer.health)

    def exits(self) -> list[str]:
        """Everything that must confirm a panic."""
        peers = [peer for peer in self._hub.peers() if "not_configured" not in peer.capabilities.features]
        roles = [name for peer in peers for name in _exits_of(peer)]
        browsers = self.browsers() if self._hub.peer("control") else []
        return roles + [f"overlay:{sink.sink}" for sink in browsers]

    def exits_of(self, peer: Peer) -> list[str]:
        """The exits that are gone with a worker."""
        gone = _exits_of(peer)
        if peer.role == "control":
            gone += [f"overlay:{sink.sink}" for sink in self.browsers()]
        return gone

    def browsers(self) -> list[SinkState]:
        """The sinks that come through the control door."""
        return [sink for sink in self.sinks if sink.kind != "device"]


def absence(name: str) -> KitsuError:
    """Why a worker cannot take an order: nobody asked for it, or it is gone."""
    service = SERVICES[name]
    if not is_wanted(service):
        return KitsuError(f"{name}_not_configured", f"Nothing was done: not configured: {service.how_to}")
    text = f"Nothing was done: the {name} service is not running; kitsu logs {name} says why."
    return KitsuError(f"{name}_missing", text, retryable=True)


def _exits_of(peer: Peer) -> list[str]:
    """OBS is an exit only where there is one to steer."""
    if peer.role == "obs":
        return ["obs"] if "panic" in peer.capabilities.features else []
    return [_EXITS[peer.role]] if peer.role in _EXITS else []


def _state(name: str, peer: Peer, health: ServiceHealth | None) -> ServiceState:
    if health is None:
        return ServiceState(role=name, connected=True, state="ok", capabilities=peer.capabilities)
    return ServiceState(
        role=name,
        connected=True,
        state=health.state,
        reason=health.reason,
        latency_ms=health.latency_ms,
        queues=health.queues,
        capabilities=health.capabilities,
    )
