"""The ZeroMQ backend: fedmsg's bus, or any publisher of two frames (topic, body).

A message's way: :mod:`~hub.backends.zeromq.reader` takes frames from the socket in the reactor,
:mod:`~hub.backends.zeromq.frames` makes messages of them, the hub's intake is handed one list per turn.
"""

from hub.backends.zeromq.backend import ZeroMQ
from hub.backends.zeromq.settings import Config

__all__ = ["Config", "ZeroMQ"]
