"""The section ``[jobs.*]``: databases of jobs, and what consumers say of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hub.configuration.schema import Part
from hub.configuration.section import Section, absence, disabled
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
        elif queue is not None and (flaw := _flaw(jobs, databases, tables)):
            yield place if jobs is not None or databases else ("consumers", name, "queue"), flaw


def unknown_to_backends(
    backends: Mapping[str, Part], databases: Mapping[str, Part], tables: Mapping[str, object]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """The same, of backends: those that use jobs say where by ``uses_of_jobs`` of their settings."""
    for name, part in backends.items():
        for place, jobs in getattr(part.config, "uses_of_jobs", tuple)():
            if flaw := _flaw(jobs, databases, tables):
                yield ("backends", name, *place), flaw


def _flaw(jobs: str | None, databases: Mapping[str, Part], tables: Mapping[str, object]) -> str:
    """Problem of a database of jobs that is named, or is to be the only one; empty: none."""
    if jobs is not None:
        return absence("jobs", jobs, databases, tables)
    if not tables:
        return "is a queue of jobs, and there is no database for it: add [jobs.main]"
    if len(databases) > 1:
        return f"must name one of the databases of jobs, of which there are several: {some_of(databases)}"
    if not databases and all(disabled(table) for table in tables.values()):
        return f"is a queue of jobs, and no database is enabled: {some_of(tables)}"
    return ""
