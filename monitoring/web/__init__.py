"""The web page: what every queue has and had before it, live; and the way to steer the hub from it."""

from hub.monitoring.web.server import Web

__all__ = ["Web"]
