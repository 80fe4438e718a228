"""Reconfiguration of a running backend: a reload adds and removes only the endpoints that differ.

Other connections stay open. Removing an endpoint loses only messages still in transit; everything already received is
read first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from hub.backends.zeromq.endpoints import Endpoint
from hub.backends.zeromq.monitored_socket import MonitoredSocket
from hub.backends.zeromq.publish_sockets import PublishSockets
from hub.backends.zeromq.settings import Config
from hub.errors import Unavailable

ENDPOINTS = ("bind", "connect", "publish_bind", "publish_connect")


def is_alterable(old: Config, new: Config) -> bool:
    """True if a running backend can change from one configuration to the other."""
    if old.model_dump(exclude=set(ENDPOINTS)) != new.model_dump(exclude=set(ENDPOINTS)):
        return False
    before, after = _bound(old), _bound(new)
    if len(set(before)) < len(before) or len(set(after)) < len(after):
        return False  # two endpoints of any port: it is undefined which of them is to be removed
    # A port that moves to another address or use must be unbound first; if binding failed then, the old state could
    # not be restored.
    return not _places(set(before) - set(after)) & _places(set(after))


def alter(listening: MonitoredSocket, outlets: PublishSockets, old: Config, new: Config) -> None:
    """Change the endpoints from one configuration to the other. Steps that can fail come first, removals last.

    :raises Unavailable: an address can't be bound. Nothing was changed.
    """
    with ExitStack() as undo:
        for endpoint in added(old.bind, new.bind):
            with _named("bind"):
                listening.bind(endpoint)
            undo.callback(listening.unbind, endpoint)
        for endpoint in added(old.publish_bind, new.publish_bind):
            with _named("publish_bind"):
                outlets.open("bind", endpoint)
            undo.callback(outlets.drop, "bind", endpoint)
        for endpoint in added(old.publish_connect, new.publish_connect):
            outlets.open("connect", endpoint)
            undo.callback(outlets.drop, "connect", endpoint)
        for endpoint in added(old.connect, new.connect):
            listening.connect(endpoint)
        undo.pop_all()
    for endpoint in added(new.bind, old.bind):
        listening.unbind(endpoint)
    for endpoint in added(new.connect, old.connect):
        listening.disconnect(endpoint)
    for endpoint in added(new.publish_bind, old.publish_bind):
        outlets.drop("bind", endpoint)
    for endpoint in added(new.publish_connect, old.publish_connect):
        outlets.drop("connect", endpoint)


@contextmanager
def _named(setting: str) -> Iterator[None]:
    """Prefix an error about an address with the name of its setting."""
    try:
        yield
    except Unavailable as error:
        raise Unavailable(f"{setting}: {error}") from error


def without_endpoints(config: Config) -> Config:
    """Copy of the configuration without any endpoint, to start from."""
    return config.model_copy(update={name: [] for name in ENDPOINTS})


def endpoints(config: Config) -> list[str]:
    """All endpoints of a configuration."""
    return [*config.bind, *config.connect, *config.publish_bind, *config.publish_connect]


def added(old: list[str], new: list[str]) -> list[str]:
    """Endpoints that are in ``new`` only. Called with swapped arguments it gives the removed ones."""
    return [endpoint for endpoint in new if endpoint not in old]


def _bound(config: Config) -> list[tuple[str, str]]:
    """Bound endpoints, each with its setting."""
    return [*(("bind", text) for text in config.bind), *(("publish_bind", text) for text in config.publish_bind)]


def _places(bound: set[tuple[str, str]]) -> set[str]:
    """Ports, and paths of Unix sockets, of bound endpoints."""
    endpoints = [Endpoint.parse(text) for _, text in bound]
    return {one.port or one.host for one in endpoints if not one.any_port}
