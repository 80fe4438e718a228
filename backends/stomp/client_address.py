"""Address of a STOMP broker: ``stomp://host:port``, or ``stomp+ssl://host:port`` for TLS."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from hub.backends.broker_address import Scheme

STOMP = Scheme("stomp", "stomp+ssl", 61613, 61614)
"""Its ports are those of ActiveMQ and RabbitMQ."""
BrokerAddress = Annotated[str, AfterValidator(STOMP.written)]
"""Setting type: the address of a broker."""
