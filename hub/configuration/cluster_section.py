"""The section ``[clusters.*]``: views of clusters, and the backends that they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hub.configuration.schema import Part
from hub.configuration.section import Section, absence
from hub.interfaces import Broadcasting
from hub.units import format_duration


class ClusterSection(Section):
    """The section of clusters."""

    def notes(self, part: Part) -> Iterator[str]:
        """A cluster without a key, or with a long interval."""
        if getattr(part.config, "key", None) is None:
            yield "its announcements are not signed: whoever can publish on the bus can pose as a node; set 'key'"
        latest = getattr(part.config, "named_after", lambda: None)()
        if latest is not None:
            yield (
                f"a node that vanishes is named after up to {format_duration(latest)}, as interval is "
                f"{format_duration(part.config.interval)}; with 4 s or less it is within 15 s"
            )


def unknown_backends(
    clusters: Mapping[str, Part], backends: Mapping[str, Part], tables: Mapping[str, object]
) -> Iterator[tuple[tuple[str, str, str], str]]:
    """Clusters whose backend can't be used: the place of a setting, and what is wrong.

    :param backends: those that are enabled and valid. :param tables: all tables, of which some may have problems.
    """
    topics: dict[str, str] = {}
    for name, part in clusters.items():
        backend, topic = part.config.backend, part.config.topic
        if topic in topics:
            yield ("clusters", name, "topic"), f"{topic} is the topic of clusters.{topics[topic]} already"
        topics[topic] = name
        flaw = absence("backends", backend, backends, tables)
        bus = backends.get(backend)
        if bus is not None and isinstance(bus.plugin.cls, Broadcasting):
            why = bus.plugin.cls.no_broadcast(bus.config, topic)
            flaw = f"announcements over [backends.{backend}] would not reach every hub: {why}" if why else ""
        if flaw:
            yield ("clusters", name, "backend"), flaw
