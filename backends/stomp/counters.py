"""Counters of the server; they only grow."""

from __future__ import annotations

import msgspec


class Counters(msgspec.Struct):
    """Counts of the server, over all connections.

    :ivar received: messages of SEND frames that were passed on. :ivar bytes: of their bodies and topics.
    :ivar delivered: MESSAGE frames that were sent. :ivar acked: messages acked, also by later ones.
    :ivar late_acks: ACK and NACK frames for messages that were settled, or that somebody else had, by then.
    :ivar nacked: messages that a NACK was for. :ivar errors: ERROR frames of sessions.
    :ivar refused_logins: logins that were refused. :ivar lost_replies: messages to a reply queue whose owner was gone.
    """

    received: int = 0
    bytes: int = 0
    delivered: int = 0
    acked: int = 0
    late_acks: int = 0
    nacked: int = 0
    errors: int = 0
    refused_logins: int = 0
    lost_replies: int = 0
