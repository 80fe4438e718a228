"""The section ``[jobs.*]``: databases of jobs, and what consumers say of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hub.configuration.schema import Part
from hub.configuration.section import Section
from hub.text import some_of


class JobSection(Section):
    """The section of databases of jobs."""

    @property
    def noun(self) -> str:
        """The name of one of its parts."""
        return "database of jobs"


def unknown_databases(
    consumers: Mapping[str, Part], databases: Mapping[str, Part], tables: Mapping[str, object]
) -> Iterator[tuple[tuple[str, str, str], str]]:
    """Consumers of jobs whose database can't be told: the place of a setting, and what is wrong.

    :param databases: those that are enabled and valid. :param tables: all tables, of which some may have problems.
    """
    for name, part in consumers.items():
        queue, jobs = part.settings.queue, part.settings.jobs
        place = ("consumers", name, "jobs")
        if queue is None and jobs is not None:
            yield place, "names a database of jobs, and there is no queue: set queue, too"
        elif queue is None:
            continue
        elif jobs is not None and jobs not in tables:
            yield place, f"there is no [jobs.{jobs}]; there are: {some_of(tables) if tables else 'none'}"
        elif jobs is not None and jobs in tables and jobs not in databases and _disabled(tables[jobs]):
            yield place, f"[jobs.{jobs}] is not enabled"
        elif jobs is None and not tables:
            yield ("consumers", name, "queue"), "is a queue of jobs, and there is no database for it: add [jobs.main]"
        elif jobs is None and len(databases) > 1:
            yield place, f"must be set: there are several databases of jobs, {some_of(databases)}"
        elif jobs is None and not databases and all(_disabled(table) for table in tables.values()):
            yield ("consumers", name, "queue"), f"is a queue of jobs, and no database is enabled: {some_of(tables)}"


def _disabled(table: object) -> bool:
    return isinstance(table, Mapping) and table.get("enabled") is False
