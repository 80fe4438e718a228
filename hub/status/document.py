"""The type of the status document. A new number needs one field in its row's type, and the code that counts it:
"Where to add" in ``docs/architecture.rst`` has both.

The types are dictionaries, so that exporters, servers and clients read the document as it is made, without conversion.
``None`` stands for values that are not known. Seconds are floats, times are epoch seconds.
"""

from collections.abc import Mapping
from typing import Any, TypedDict

from hub.status.clusters import ClusterStatus
from hub.status.consumers import ConsumerStatus
from hub.status.hub import HubRow
from hub.status.parts import BackendStatus, ExporterStatus, JobDatabaseStatus, ServerStatus


class HubStatus(TypedDict):
    """The whole status: the hub, and each of its parts by name."""

    hub: HubRow
    backends: dict[str, BackendStatus]
    consumers: dict[str, ConsumerStatus]
    clusters: dict[str, ClusterStatus]
    jobs: dict[str, JobDatabaseStatus]
    exporters: dict[str, ExporterStatus]
    servers: dict[str, ServerStatus]


Status = Mapping[str, Any]
"""A status as a program reads it, perhaps of another version of the hub, or made by a test."""
