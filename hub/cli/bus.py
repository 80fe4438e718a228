"""Backends that the command line can use: it sends and receives on their buses without a hub."""

from __future__ import annotations

from typing import cast

from hub.configuration.schema import Configuration, Part
from hub.errors import ConfigError, Unavailable
from hub.interfaces import BusTools


def choose(configuration: Configuration, name: str | None, instead: str = "") -> Part:
    """The backend called ``name``, or the first one.

    :param instead: what a user may do if the command line can't use it.
    :raises ConfigError: there is none of that name.
    :raises Unavailable: the command line can't use its class.
    """
    backends = configuration.of("backends")
    if name is not None and name not in backends:
        raise ConfigError([f"no backend is called {name!r}: there are {', '.join(backends) or 'none'}"])
    part = backends[name] if name is not None else next(iter(backends.values()), None)
    if part is None:
        raise ConfigError(["the configuration has no backend"])
    if not issubclass(part.plugin.cls, BusTools):
        text = f"backend {part.name} ({part.settings.type}) can't be used from the command line"
        raise Unavailable(f"{text}: {instead}" if instead else text)
    return part


def tools(part: Part) -> BusTools:
    """The class of a backend, as the tools that the command line uses."""
    return cast(BusTools, part.plugin.cls)
