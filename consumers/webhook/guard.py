"""Which addresses may be connected to: none that are private, unless they are allowed."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import AfterValidator

from hub.consumers.sending.outcome import ForGood

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_SITE_LOCAL = ipaddress.IPv6Network("fec0::/10")
"""Given up by RFC 3879, so no registry calls it private; but sites that have it still route it."""
_COMPATIBLE = ipaddress.IPv6Network("::/96")


class ForbiddenAddress(ForGood):
    """A host has an address that is not public, and is not among those that are allowed."""


class Guard:
    """Guards what is behind the hub: a message, a redirect or a change of the DNS must not lead a request to a machine
    that only the hub can reach. :param allowed: networks that may be connected to although they are private."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._allowed = [ipaddress.ip_network(text) for text in allowed]

    def allows(self, address: str) -> bool:
        """Tell whether an address, as the system writes it, may be connected to."""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        if any(found in network for network in self._allowed):
            return True
        return all(self._public(one) for one in _meanings(found))

    def check(self, host: str, address: str) -> None:
        """Check one address of a host. :raises ForbiddenAddress: it may not be connected to."""
        if not self.allows(address):
            raise ForbiddenAddress(
                f"{host} has the address {address}, which is private: 'allow_private' does not name it"
            )

    def _public(self, address: _Address) -> bool:
        inside = any(address in network for network in self._allowed)
        inner = address.is_multicast or address.is_reserved or address in _SITE_LOCAL
        return inside or (address.is_global and not inner)


def _meanings(address: _Address) -> Iterator[_Address]:
    """The address, and the ones of IPv4 that packets to it reach: mapped, by NAT64, 6to4, Teredo."""
    if not isinstance(address, ipaddress.IPv6Address):
        yield address
        return
    inner: list[ipaddress.IPv4Address | None] = [address.ipv4_mapped, address.sixtofour]
    inner += address.teredo or ()
    if address in _NAT64 or address in _COMPATIBLE:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    yield from (one for one in inner if one is not None)
    if address.ipv4_mapped is None and address not in _NAT64:
        yield address


def _checked(networks: list[str]) -> list[str]:
    for text in networks:
        ipaddress.ip_network(text)
    return networks


Networks = Annotated[list[str], AfterValidator(_checked)]
"""Type of a setting with networks: ``10.1.0.0/16``, ``127.0.0.1``."""
