"""``hubbub queue``."""

from __future__ import annotations

import click

from hub.cli.group import Group
from hub.cli.queue import contents, flow, listing


@click.group(cls=Group)
def queue() -> None:
    """Queues: list, inspect, pause, drain, purge and delete them. Orphans are included."""


for command in (
    *(listing.list_, listing.show, contents.peek),
    *(flow.pause, flow.resume, flow.drain),
    *(contents.purge, contents.delete),
):
    queue.add_command(command)
