"""Protocols of plugins and of the hub's own parts, with the values that they take. This package holds no behaviour.

The names are for plugins to import from here; its modules say what each thing is.
"""

from __future__ import annotations

from hub.interfaces.backend import (
    Backend,
    BackendContext,
    Broadcasting,
    Checking,
    LosingHeaders,
    Reconfigurable,
)
from hub.interfaces.bus_tools import BusTools, Sender
from hub.interfaces.clock import Clock
from hub.interfaces.exporter import Exporter, ExporterContext
from hub.interfaces.intake import Intake
from hub.interfaces.part import NeedingExtras, Releasing, Serving
from hub.interfaces.server import Server, ServerContext
from hub.interfaces.stage import Bury, Drop, Stage
from hub.interfaces.subscription import Sink, Subscription
from hub.interfaces.tracer import Span, Tracer, TracingExporter
from hub.receipt import Answer, Receipt

__all__ = [
    "Answer",
    "Backend",
    "BackendContext",
    "Broadcasting",
    "Bury",
    "BusTools",
    "Checking",
    "Clock",
    "Drop",
    "Exporter",
    "ExporterContext",
    "Intake",
    "LosingHeaders",
    "NeedingExtras",
    "Receipt",
    "Reconfigurable",
    "Releasing",
    "Sender",
    "Server",
    "ServerContext",
    "Serving",
    "Sink",
    "Span",
    "Stage",
    "Subscription",
    "Tracer",
    "TracingExporter",
]
