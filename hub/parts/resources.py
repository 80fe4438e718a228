"""Resources of the hub for the managers of its parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.enqueuer import Enqueuer
from hub.http.access import Auditor
from hub.http.mounts import PluginMounts
from hub.http.verb import Verb
from hub.parts.declared import DeclaredQueues
from hub.parts.flow_control import FlowControl
from hub.parts.job_sources import JobSources
from hub.parts.queues import Queues
from hub.periodic import Periodic
from hub.publisher import Publisher
from hub.stores import Stores
from hub.workers.runtime import Runtime


@dataclass(frozen=True)
class Resources:
    """The resources from which each manager takes what its parts need.

    :ivar runtime: clocks, randomness and tracing.
    :ivar flow: flow control, which pauses the backends while there is no room.
    :ivar queues: the registry of all queues. :ivar declared: those that backends declare.
    :ivar periodic: makes calls periodically.
    :ivar connections: shared connections by name, which ``Context.connection`` looks up. No section makes any yet.
    :ivar job_sources: databases of jobs, and the consumers' sources in them.
    :ivar snapshot: makes the status document, in the reactor's thread.
    :ivar verbs: the hub's own verbs. :ivar mounts: verbs of plugins.
    """

    reactor: Any
    runtime: Runtime
    state_dir: Path
    stores: Stores
    enqueuer: Enqueuer
    publisher: Publisher
    flow: FlowControl
    queues: Queues
    declared: DeclaredQueues
    periodic: Periodic
    snapshot: Callable[[], Mapping[str, Any]]
    verbs: Callable[[], Sequence[Verb]]
    audit: Auditor
    connections: dict[str, object] = field(default_factory=dict)
    job_sources: JobSources = field(default_factory=JobSources)
    mounts: PluginMounts = field(default_factory=PluginMounts)
