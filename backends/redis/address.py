"""Addresses of Redis servers and Sentinels: ``redis://host:port``, or ``rediss://host:port`` for TLS."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from hub.backends.broker_address import Scheme

SERVER = Scheme("redis", "rediss", 6379, 6379)
SENTINEL = Scheme("redis", "rediss", 26379, 26379)

ServerAddress = Annotated[str, AfterValidator(SERVER.written)]
"""Setting type: the address of a server."""
SentinelAddress = Annotated[str, AfterValidator(SENTINEL.written)]
"""Setting type: the address of a Sentinel."""
