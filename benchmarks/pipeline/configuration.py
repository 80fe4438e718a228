"""Configurations of the pipeline's hubs. Pure."""

from __future__ import annotations

from pathlib import Path

CONSUMERS = Path(__file__).with_name("consumers.py")
PREFETCH = 2
"""Messages that a worker has at once: one in hand, one that is there when it is finished."""
BACKENDS = {
    "RabbitMQ": ('type = "amqp"\nconnect = ["amqp://127.0.0.1:{port}"]\n', 'publish = ""\n'),
    "Redis": ('type = "redis"\nconnect = "redis://127.0.0.1:{port}"\n', 'publish = "{{topic}}"\n'),
}
"""The table of each broker, and what a hub needs that publishes."""


def hub(broker: str, port: int, consumer: str, queue: str = "", publishes: bool = False, confirm: str = "") -> str:
    """Text of a ``hub.conf``.

    :param queue: what it reads. :param consumer: lines of the section of its consumer. :param confirm: ``settled``:
        with a small prefetch.
    """
    table, publish = BACKENDS[broker]
    lines = [table + (publish if publishes else "")]
    few = f"prefetch = {PREFETCH}\n" if confirm else ""
    if confirm:
        lines.append(f'confirm = "{confirm}"\n' + (few if broker == "Redis" else ""))
    if queue and broker == "Redis":
        lines.append(f'streams = ["{queue}"]\nconsumer = "one"\n')
    elif queue:
        lines.append(f'\n[backends.queue.queues."{queue}"]\n{few}')
    text = f'[hub]\nstate_dir = "state"\n\n[backends.queue]\n{"".join(lines)}'.format(port=port)
    return f"{text}\n[consumers.one]\n{consumer}\n"


def program(name: str) -> str:
    """The line of a consumer of this benchmark."""
    return f'type = "{CONSUMERS}:{name}"\n'
