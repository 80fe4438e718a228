"""Hosts and origins that a request may name. Pure.

A page of another site can make its visitor's browser send requests to us: by a name of its own that it points to
127.0.0.1 (DNS rebinding), which ``Host`` shows, or directly, which ``Origin`` and ``Sec-Fetch-Site`` show. A request
without these headers comes from a program, which no page controls.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from hub.errors import Forbidden

HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?")
LOCAL = ("localhost", "127.0.0.1", "::1")
OWN = ("same-origin", "none")
"""Values of ``Sec-Fetch-Site`` for our own page, and for an address that the user typed."""


def name_of(host: str) -> str | None:
    """Name or address in a ``Host`` header, normalised, without the port; ``None``: it is malformed."""
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
    """Allowed hosts. :param names: allowed besides this machine's own: the listening address, and configured names."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {*LOCAL, *names}

    def check(self, hosts: list[str], local: str | None) -> None:
        """Check the ``Host`` header.

        :param hosts: the ``Host`` headers. :param local: the address that the client connected to; a ``Host`` equal to
            it can't be a rebound name.

        :raises Forbidden: there is not exactly one, or it is not allowed.
        """
        name = name_of(hosts[0]) if len(hosts) == 1 else None
        if name is None or (name not in self._names and (local is None or name != name_of(_bracketed(local)))):
            raise Forbidden("this is not a name of this server: see public_hosts in the settings of its web page")


def check_origin(host: str, origins: list[str], sites: list[str], navigates: bool) -> None:
    """Check that no other site made the browser send the request.

    :param origins: the ``Origin`` headers. :param sites: the ``Sec-Fetch-Site`` headers.
    :param navigates: whether the user follows a link to us, which any site may have.

    :raises Forbidden: another site did.
    """
    for origin in origins:
        scheme, _, place = origin.lower().partition("://")
        if scheme not in ("http", "https") or place != host.lower():
            raise Forbidden("requests from pages of other sites are refused")
    if any(site.lower() not in OWN for site in sites) and not navigates:
        raise Forbidden("requests from pages of other sites are refused")


def _bracketed(number: str) -> str:
    return f"[{number}]" if ":" in number else number
