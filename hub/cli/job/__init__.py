"""``hubbub job``."""

from __future__ import annotations

import click

from hub.cli.group import Group
from hub.cli.job import contents, errors, insert, limit, orders, queues


@click.group(cls=Group)
def job() -> None:
    """Jobs in a database: list queues, check them, insert, inspect, retry, cancel and purge jobs, pause and limit
    queues. No hub needs to run."""


for command in (
    *(queues.queues, insert.insert),
    *(contents.peek, contents.show, errors.errors),
    *(orders.retry, orders.cancel, orders.kick, orders.purge, orders.pause, orders.resume),
    limit.limit,
):
    job.add_command(command)
