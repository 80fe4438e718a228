"""Settings of the relay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from hub.consumers.relay.renaming import Renaming
from hub.consumers.relay.way import LONGEST_NAME, escaped
from hub.settings import Settings, setting


class Config(Settings):
    """Settings of the ways and the names."""

    to: list[str] = setting(
        ...,
        "Names of the backends that each message is published to. None goes back to the backend that it came from.",
        example=["zeromq"],
        min_length=1,
        max_length=100,
    )
    only_from: list[str] = setting([], "Names of the backends whose messages are relayed. Empty: those of all.")
    renamed: dict[str, str] = setting(
        {},
        "New beginnings of topics, by the old ones: {'org.example' = 'net.example'}. The longest that fits counts, by "
        "whole words. An empty old one stands before every topic, an empty new one leaves the old one out. Unless "
        "'topics' is set, only these topics are relayed.",
    )
    content: Literal["body", "msg"] = setting(
        "body",
        "What is published: 'body', all of the body, byte for byte; 'msg', the field of that name, for messages in "
        "fedmsg's envelope, to a backend that makes an envelope of its own.",
    )
    bus_names: dict[str, str] = setting(
        {},
        "Names of buses by their backends, for the header that breaks loops, where other hubs call the same bus by "
        "another name. Unset: the backend's name.",
    )

    @property
    def rename(self) -> Renaming:
        """The prefixes to replace."""
        return Renaming(self.renamed)

    def bus(self, backend: str) -> str:
        """The name of a backend's bus, as other hubs know it."""
        return self.bus_names.get(backend, backend)

    def contradictions(self) -> Iterator[str]:
        """Yield what can't be."""
        yield from self.rename.problems()
        if len(set(self.to)) < len(self.to):
            yield "to: a backend is named twice"
        if len(self.only_from) == 1 and self.to == self.only_from:
            yield "to: a message is never relayed to the backend that it came from, and 'only_from' names no other"
        for name in (*self.to, *self.only_from, *self.bus_names):
            if not 0 < len(escaped(self.bus(name))) <= LONGEST_NAME:
                yield f"bus_names: expected a name of 1 to {LONGEST_NAME} letters for the bus of {name[:100]!r}"

    def uses_of_backends(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield each backend that is named, after the place of the setting."""
        settings: Mapping[str, list[str]] = {"to": self.to, "only_from": self.only_from, "bus_names": [*self.bus_names]}
        for place, names in settings.items():
            yield from (((place,), name) for name in names)
