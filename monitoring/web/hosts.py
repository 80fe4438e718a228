"""Which names and origins a request may name. Pure.

A page of another site can have its visitor's browser ask us: by a name of its own that suddenly means 127.0.0.1 (DNS
rebinding), which ``Host`` betrays, or openly, which ``Origin`` and ``Sec-Fetch-Site`` betray. No such header is a
program's request: those are not tricked.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from hub.errors import Forbidden

HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?")
LOCAL = ("localhost", "127.0.0.1", "::1")
OWN = ("same-origin", "none")
"""What ``Sec-Fetch-Site`` says of our own page, and of what a person typed."""


def name_of(host: str) -> str | None:
    """The name or number in a ``Host`` header, in one spelling, without the port; ``None``: it is not one."""
    match = HOST.fullmatch(host.lower())
    if match is None:
        return None
    name = match[1].strip("[]")
    try:
        number = ipaddress.ip_address(name)
    except ValueError:
        return name
    mapped = number.ipv4_mapped if isinstance(number, ipaddress.IPv6Address) else None
    return str(mapped or number)


class Hosts:
    """:param names: allowed beside this machine's own: the address it listens on, those that are configured."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {*LOCAL, *names}

    def check(self, hosts: list[str], local: str | None) -> None:
        """:param hosts: the ``Host`` headers. :param local: the number that the client connected to, if it did so by
        one: it can't be a rebound name.

        :raises Forbidden: not exactly one, or not one of ours.
        """
        name = name_of(hosts[0]) if len(hosts) == 1 else None
        if name is None or (name not in self._names and (local is None or name != name_of(_bracketed(local)))):
            raise Forbidden("this is not a name of this server: see public_hosts in the settings of its web page")


def check_origin(host: str, origins: list[str], sites: list[str], navigates: bool) -> None:
    """:param origins: the ``Origin`` headers. :param sites: those of ``Sec-Fetch-Site``.
    :param navigates: whether somebody follows a link to us, which any site may have.

    :raises Forbidden: another site has the browser ask.
    """
    for origin in origins:
        scheme, _, place = origin.lower().partition("://")
        if scheme not in ("http", "https") or place != host.lower():
            raise Forbidden("another site may not ask this one")
    if any(site.lower() not in OWN for site in sites) and not navigates:
        raise Forbidden("another site may not ask this one")


def _bracketed(number: str) -> str:
    return f"[{number}]" if ":" in number else number
