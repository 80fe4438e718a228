"""Durable topic subscriptions, in the dialects of three brokers: which headers ask for one, and its queue's name. Pure.

- RabbitMQ: SUBSCRIBE with ``durable:true`` and ``auto-delete:false``; the id names it.
- ActiveMQ: CONNECT with ``client-id``, SUBSCRIBE with ``activemq.subscriptionName``.
- Artemis: SUBSCRIBE with ``durable-subscription-name``, with or without a ``client-id`` at CONNECT.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from hub.backends.stomp.destination import shown
from hub.backends.stomp.frame import ProtocolError

PREFIX = "subscription"
LONGEST = 200
"""Characters of the name of a queue."""
_ACTIVEMQ = ("activemq.subscriptionName", "activemq.subcriptionName")
"""The second is how older versions spell it."""
_ARTEMIS = "durable-subscription-name"


def queue_name(headers: Mapping[str, str], user: str | None, client_id: str | None) -> str | None:
    """The name of the queue behind a durable topic subscription; ``None``: the headers ask for none.

    Users have names of their own: nobody can take over or end another user's subscription.

    :param user: who has logged in, or, where no login is checked, which login was given.
    :param client_id: as in CONNECT.
    :raises ProtocolError: something is missing, or contradicts.
    """
    name = next((headers[key] for key in (*_ACTIVEMQ, _ARTEMIS) if key in headers), None)
    if name is not None:
        if client_id is None and _ARTEMIS not in headers:
            raise ProtocolError("activemq.subscriptionName needs a client-id header in CONNECT")
    elif headers.get("durable") == "true":
        if headers.get("auto-delete", "false") != "false":
            raise ProtocolError("a subscription with durable:true and auto-delete:true is not supported")
        if "id" not in headers:
            raise ProtocolError("a subscription with durable:true needs an id, by which it is found again")
        name = headers["id"]
    else:
        return None
    parts = (PREFIX, user or "", client_id or "", name)
    found = ".".join(quote(part, safe="").replace(".", "%2E") for part in parts)
    if not name or len(found) > LONGEST:
        raise ProtocolError(f"the name {shown(name)} of a durable subscription is too long or empty")
    return found
