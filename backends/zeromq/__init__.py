"""The ZeroMQ backend: fedmsg's bus, or any publisher of two frames (topic, body).

A message's way: :mod:`~backends.zeromq.reader` takes frames from the socket in the reactor,
:mod:`~backends.zeromq.frames` makes messages of them, the hub's intake is handed one list per turn.
"""

from backends.zeromq.backend import ZeroMQ
from backends.zeromq.settings import Config

__all__ = ["Config", "ZeroMQ"]
