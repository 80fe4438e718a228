"""Bus peers for the command line: a publisher that the hub receives from, and a listener to what the hub receives."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from hub.backends.zeromq.listener import listen
from hub.backends.zeromq.sender import Sender
from hub.backends.zeromq.settings import Config, no_place_for
from hub.message import Message


class Tools:
    """Backend methods that the command line uses; see :class:`hub.interfaces.BusTools`."""

    @classmethod
    def no_place_for(cls, config: Config, headers: Collection[str]) -> str | None:
        """Return why a message loses these headers; see :class:`hub.interfaces.LosingHeaders`."""
        return no_place_for(config, headers)

    @classmethod
    def sender(cls, config: Config) -> Sender:
        """Open a publisher that the hub receives from: it connects where the hub binds, or binds where it connects.

        :raises Unavailable: neither is possible. :raises ConfigError: a key can't be read.
        """
        return Sender(config)

    @classmethod
    def listener(cls, config: Config, patterns: Sequence[str]) -> Iterator[Message]:
        """Yield messages as they arrive: those of the publishers that the hub connects to, else those that the hub
        publishes. They may include topics that no pattern matches.

        :raises Unavailable: only the hub receives from its publishers. :raises ConfigError: a key can't be read.
        """
        return listen(config, patterns)
