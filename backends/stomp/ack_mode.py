"""Mode of acknowledgement: the ``ack`` header of SUBSCRIBE."""

from __future__ import annotations

from enum import StrEnum

from hub.backends.stomp.destination import shown
from hub.backends.stomp.frame import ProtocolError


class AckMode(StrEnum):
    """Mode of acknowledgement: a message is done at once; with an ACK for it or a later one; with an ACK for it."""

    AUTO = "auto"
    CLIENT = "client"
    INDIVIDUAL = "client-individual"

    @classmethod
    def parse(cls, text: str) -> AckMode:
        """Parse the ``ack`` header. :raises ProtocolError: it names none of them."""
        try:
            return cls(text)
        except ValueError:
            raise ProtocolError(f"ack is {shown(text)}: expected {', '.join(cls)}") from None
