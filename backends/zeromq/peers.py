"""The command line on the bus: a publisher that a hub hears, and a listener that hears what a hub hears."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hub.backends.zeromq.listener import listen
from hub.backends.zeromq.sender import Sender
from hub.backends.zeromq.settings import Config
from hub.message import Message


class Tools:
    """The part of the backend class that the command line uses; see :class:`hub.interfaces.BusTools`."""

    @classmethod
    def sender(cls, config: Config) -> Sender:
        """A publisher that the hub would hear: it connects where the hub binds, or binds where the hub connects.

        :raises Unavailable: neither can be had. :raises ConfigError: a key can't be read.
        """
        return Sender(config)

    @classmethod
    def listener(cls, config: Config, patterns: Sequence[str]) -> Iterator[Message]:
        """What publishers send, or where they connect to the hub, what the hub publishes. More topics may come than the
        patterns match.

        :raises Unavailable: only the hub hears its publishers. :raises ConfigError: a key can't be read.
        """
        return listen(config, patterns)
