"""How the command line is a peer on a bus: finds the backend whose class offers the tools for it."""

from __future__ import annotations

from typing import cast

from hub.configuration.schema import Configuration, Part
from hub.errors import ConfigError, Unavailable
from hub.interfaces import BusTools


def choose(configuration: Configuration, name: str | None) -> Part:
    """The backend of that name, or the first one.

    :raises ConfigError: there is none of that name.
    :raises Unavailable: its class has no tools for the command line.
    """
    backends = configuration.backends
    if name is not None and name not in backends:
        raise ConfigError([f"no backend is called {name!r}: there are {', '.join(backends) or 'none'}"])
    part = backends[name] if name is not None else next(iter(backends.values()), None)
    if part is None:
        raise ConfigError(["the configuration has no backend"])
    if not hasattr(part.plugin.cls, "sender") or not hasattr(part.plugin.cls, "listener"):
        raise Unavailable(f"backend {part.name} ({part.settings.type}) can't be used from the command line")
    return part


def tools(part: Part) -> BusTools:
    """What its class offers."""
    return cast(BusTools, part.plugin.cls)
