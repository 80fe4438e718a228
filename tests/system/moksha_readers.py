"""What Fedora's operators read a moksha hub with, step for step: the script that collectd's exec plugin runs, and the
nagios checks. Theirs are in Fedora's infrastructure repository (``fedmsg-service-collectd.py``,
``check_fedmsg_consumer_backlog.py``, ``check_fedmsg_consumer_exceptions.py``,
``check_fedmsg_producers_consumers.py``), for a socket in ``/var/run/fedmsg``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import zmq

TIMEOUT = 20_000
"""Milliseconds, theirs."""


def read(socket: Path) -> dict[str, Any]:
    """The first document that comes. They look first whether the file may be written to."""
    assert socket.exists()
    assert os.access(socket, os.W_OK)
    with zmq.Context() as context, context.socket(zmq.SUB) as subscriber:
        subscriber.linger = 0
        subscriber.connect(f"ipc:///{socket}")
        subscriber.setsockopt_string(zmq.SUBSCRIBE, "")
        poller = zmq.Poller()
        poller.register(subscriber, zmq.POLLIN)
        assert dict(poller.poll(TIMEOUT)).get(subscriber) == zmq.POLLIN, "no document came"
        document: dict[str, Any] = json.loads(subscriber.recv())
        return document


def putvals(document: dict[str, Any], service: str, host: str, time: int) -> list[str]:
    """The lines for collectd; what is not initialized has none."""

    def line(kind: str, instance: str, number: float) -> str:
        return "PUTVAL %s/%s/%s-%s interval=5 %i:%i" % (host, service, kind, instance, time, number)  # noqa: UP031

    lines = []
    for consumer in (each for each in document["consumers"] if each["initialized"]):
        name, times = consumer["name"], consumer["times"] or [0]
        lines.append(line("queue_length", f"{name}_backlog", consumer["backlog"]))
        lines.append(line("gauge", f"{name}_exceptions", consumer["exceptions"]))
        lines.append(line("gauge", f"{name}_in", consumer["headcount_in"]))
        lines.append(line("gauge", f"{name}_out", consumer["headcount_out"]))
        for kind, seconds in (("min", min(times)), ("max", max(times)), ("avg", sum(times) / len(times))):
            lines.append(line("response_time", f"{name}_{kind}", 1000 * seconds))
    producers = [each for each in document["producers"] if each["initialized"]]
    return lines + [line("gauge", f"{each['name']}_exceptions", each["exceptions"]) for each in producers]


def check_number(document: dict[str, Any], key: str, name: str, warning: int, critical: int) -> int:
    """nagios' exit code for a consumer's ``backlog`` or ``exceptions``: 0 OK, 1 warning, 2 critical, 3 unknown."""
    for consumer in document["consumers"]:
        if consumer["name"] == name:
            number = consumer[key]
            if number is None:
                return 3
            return 2 if number > critical else 1 if number > warning else 0
    return 3


def check_all_there(document: dict[str, Any], names: set[str]) -> int:
    """0: each of them is a consumer or a producer that is initialized; 2: one is not."""
    initialized = {each["name"]: each["initialized"] for each in document["consumers"] + document["producers"]}
    return 0 if all(initialized.get(name) for name in names) else 2
