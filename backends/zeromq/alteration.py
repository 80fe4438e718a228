"""What a reload changes of a backend that runs: its endpoints, just those that differ.

What the hub has received is not touched, nor are the other connections. What is lost of an endpoint that goes is what
has not arrived yet: what its publishers, and the network, still hold. What arrived, it was read before it went.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from hub.backends.zeromq.endpoints import Endpoint
from hub.backends.zeromq.line import Line
from hub.backends.zeromq.outlets import Outlets
from hub.backends.zeromq.settings import Config
from hub.errors import Unavailable

ENDPOINTS = ("bind", "connect", "publish_bind", "publish_connect")


def is_alterable(old: Config, new: Config) -> bool:
    """Whether a running backend can go from one to the other."""
    if old.model_dump(exclude=set(ENDPOINTS)) != new.model_dump(exclude=set(ENDPOINTS)):
        return False
    before, after = _bound(old), _bound(new)
    if len(set(before)) < len(before) or len(set(after)) < len(after):
        return False  # any port, twice: which of them is to go can't be told
    # A port that is bound again, for another address or use, has to be let go first; if it could not be bound then,
    # things would not be as they were.
    return not _places(set(before) - set(after)) & _places(set(after))


def alter(listening: Line, outlets: Outlets, old: Config, new: Config) -> None:
    """Go from one to the other. What can fail comes first, what goes last.

    :raises Unavailable: an address can't be bound. Nothing has changed then.
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
    """An address that can't be bound is told with the setting that has it."""
    try:
        yield
    except Unavailable as error:
        raise Unavailable(f"{setting}: {error}") from error


def without_endpoints(config: Config) -> Config:
    """Such as one may begin with."""
    return config.model_copy(update={name: [] for name in ENDPOINTS})


def endpoints(config: Config) -> list[str]:
    """All of them."""
    return [*config.bind, *config.connect, *config.publish_bind, *config.publish_connect]


def added(old: list[str], new: list[str]) -> list[str]:
    """What the second has and the first has not; the other way round it is what goes."""
    return [endpoint for endpoint in new if endpoint not in old]


def _bound(config: Config) -> list[tuple[str, str]]:
    """Each with its use."""
    return [*(("bind", text) for text in config.bind), *(("publish_bind", text) for text in config.publish_bind)]


def _places(bound: set[tuple[str, str]]) -> set[str]:
    """Ports, and paths of Unix sockets."""
    endpoints = [Endpoint.parse(text) for _, text in bound]
    return {one.port or one.host for one in endpoints if not one.any_port}
