"""Extras: optional libraries, which ``pip install 'hubbub[NAME]'`` brings."""

from __future__ import annotations

import importlib

import msgspec

from hub.errors import MissingExtra


class Extra(msgspec.Struct, frozen=True):
    """A use of an extra.

    :ivar use: the subject of "... needs an optional library": ``TLS to a broker``.
    :ivar name: of the extra, as in ``hubbub[stomp]``.
    :ivar modules: to import, in this order. A library that is there and can't be imported counts as missing.
    :ivar vital: false if the part starts without it, and only lacks that use.
    """

    use: str
    name: str
    modules: tuple[str, ...]
    vital: bool = True

    def error(self) -> MissingExtra:
        """Make the error that names the extra."""
        return MissingExtra(self.use, self.name)

    def check(self) -> None:
        """Import the libraries. :raises MissingExtra: one of them is missing."""
        try:
            for module in self.modules:
                importlib.import_module(module)
        except ImportError as error:
            raise self.error() from error
