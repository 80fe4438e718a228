"""``hubbub queue``."""

from __future__ import annotations

import click

from hub.cli.group import Group
from hub.cli.queue import contents, flow, listing


@click.group(cls=Group)
def queue() -> None:
    """Queues, those that belong to no consumer any more too."""


for command in (
    *(listing.list_, listing.show, contents.peek),
    *(flow.pause, flow.resume, flow.drain),
    *(contents.purge, contents.delete),
):
    queue.add_command(command)
