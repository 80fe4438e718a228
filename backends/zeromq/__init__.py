"""ZeroMQ backend: receives from fedmsg's bus, or from any publisher of two-frame messages (topic, body).

:mod:`~hub.backends.zeromq.reader` reads frames from the socket in the reactor's thread,
:mod:`~hub.backends.zeromq.frames` parses them into messages, and the hub's intake receives one batch per turn.
"""

from hub.backends.zeromq.backend import ZeroMQ
from hub.backends.zeromq.settings import Config

__all__ = ["Config", "ZeroMQ"]
