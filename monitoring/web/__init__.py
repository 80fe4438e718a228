"""Web server: a live page of all queues with their history, and the hub's verbs over HTTP."""

from hub.monitoring.web.server import Web

__all__ = ["Web"]
