"""Sections of ``hub.conf``, one per kind of part. To add one, add an entry here, and the manager that the entry
names."""

from __future__ import annotations

from hub.cluster_access import ClusterView
from hub.configuration.backend_section import BackendSection
from hub.configuration.cluster_section import ClusterSection
from hub.configuration.consumer_section import ConsumerSection
from hub.configuration.job_section import JobSection
from hub.configuration.schema import (
    BackendSettings,
    ClusterSettings,
    ConsumerSettings,
    ExporterSettings,
    JobSettings,
    ServerSettings,
)
from hub.configuration.section import Phase, Section
from hub.consumer import Consumer
from hub.interfaces import Backend, Exporter, Server
from hub.job_access import JobKeeper

SECTIONS: dict[str, Section] = {
    section.name: section
    for section in (
        BackendSection("backends", BackendSettings, Backend, "hub.parts.backends:Backends", Phase.SOURCES),
        ConsumerSection(
            *("consumers", ConsumerSettings, Consumer, "hub.parts.consumers:Consumers", Phase.WORKERS),
            removed="removed, its queue is kept",
        ),
        ClusterSection("clusters", ClusterSettings, ClusterView, "hub.parts.clusters:Clusters", Phase.MEMBERSHIPS),
        JobSection("jobs", JobSettings, JobKeeper, "hub.parts.job_databases:JobDatabases", Phase.RESOURCES),
        Section("exporters", ExporterSettings, Exporter, "hub.parts.exporters:Exporters", Phase.OBSERVERS),
        Section("servers", ServerSettings, Server, "hub.parts.servers:Servers", Phase.DOORS),
    )
}
"""Sections by name, in the order of lists and documents. Within a phase, parts start in this order."""
