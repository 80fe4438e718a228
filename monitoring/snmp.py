"""Command ``hubbub snmp``: the hub's numbers for snmpd, which starts it as its ``pass_persist`` program."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from io import TextIOWrapper
from typing import Any

import click

from hub.cli.common import ConfigReader, config_option
from hub.control.client import Client
from hub.errors import HubError
from hub.interfaces import Clock
from hub.monitoring.snmp_agent import Agent, Oid, Tree, format_oid, parse_oid
from hub.monitoring.snmp_values import BASE, down, objects

FRESH = 1.0
"""Seconds for which a status is reused: a walk requests hundreds of objects."""
TIMEOUT = 2.0
REST = 10
"""Seconds without a request to the hub per second that the last answer took. snmpd blocks while it waits for us, so a
hub that is slow, or hangs, would make it slow too."""


class Cache:
    """Cache of the latest status as objects; it is requested again when it is too old.

    :param ask: requests the hub's status. If it raises :class:`HubError`, the hub is shown as down.
    :param monotonic: returns seconds.
    """

    def __init__(self, ask: Callable[[], Mapping[str, Any]], base: Oid, monotonic: Clock) -> None:
        self._ask = ask
        self._base = base
        self._monotonic = monotonic
        self._tree = Tree({})
        self._until = float("-inf")

    def tree(self) -> Tree:
        """Objects that are at most a second old, or ten times as old as the last answer took."""
        began = self._monotonic()
        if began >= self._until:
            try:
                self._tree = Tree(objects(self._ask(), self._base))
            except HubError as error:
                self._tree = Tree(down(str(error), self._base))
            ended = self._monotonic()
            self._until = ended + max(FRESH, (ended - began) * REST)
        return self._tree


class OidType(click.ParamType[Oid]):
    """Parameter type of an OID: ``1.3.6.1.4.1.8072.9999.9999.482``."""

    name = "oid"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Oid:
        """Parse an OID. :raises click.BadParameter: it is not one."""
        if isinstance(value, tuple):
            return value
        try:
            return parse_oid(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command()
@config_option
@click.option(
    "--base",
    type=OidType(),
    default=format_oid(BASE),
    show_default=True,
    help="Root of our objects, if not in Net-SNMP's playpen; the same as in snmpd.conf and in the MIB file.",
)
def snmp(load_config: ConfigReader, base: Oid) -> None:
    """Answer snmpd, which starts this as its pass_persist program."""
    client = Client(load_config.socket(), timeout=TIMEOUT)
    cache = Cache(lambda: client.get("/status"), base, time.monotonic)
    Agent(cache.tree).serve(TextIOWrapper(sys.stdin.buffer, "ascii", "replace"), sys.stdout)
