"""A kind of part that no hub has: what one has to write for a new one. Its settings, its manager, its entry."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from hub.configuration.schema import Part, PartSettings
from hub.configuration.section import Phase, Section
from hub.errors import HubError
from hub.parts.manager import Manager, status_of
from hub.parts.resources import Resources
from hub.settings import setting


class LampSettings(PartSettings):
    colour: str = setting("red", "Of the light.")


@dataclass(frozen=True)
class LampContext:
    part: Part


class Lamp(Protocol):
    lit: bool

    def __init__(self, context: LampContext) -> None: ...

    def light(self) -> None: ...

    def put_out(self) -> None: ...

    def status(self) -> Mapping[str, Any]: ...


class Lamps(Manager[Lamp]):
    """Consumers may share lamps: those that are lit are among the connections."""

    def __init__(self, connections: dict[str, object]) -> None:
        super().__init__()
        self.running: dict[str, Lamp] = {}
        self._connections = connections

    @classmethod
    def of(cls, hub: Resources) -> Lamps:
        return cls(hub.connections)

    def prepare(self, part: Part) -> Lamp:
        lamp: Lamp = part.plugin.make(f"lamps.{part.name}", LampContext(part))
        return lamp

    def start(self, part: Part, prepared: Lamp) -> None:
        try:
            prepared.light()
        except HubError as error:
            raise HubError(f"lamps.{part.name}: {error}") from error
        self.running[part.name], self.parts[part.name] = prepared, part
        self._connections[part.name] = prepared

    def retire(self, names: Collection[str]) -> None:
        for name in names:
            if self.parts.pop(name, None):
                self.running.pop(name).put_out()
                del self._connections[name]

    def stop(self, timeout: float) -> None:
        self.retire(list(self.running))

    def status(self) -> dict[str, Any]:
        return {name: status_of(self.parts[name], lamp) for name, lamp in self.running.items()}


LAMPS = Section("lamps", LampSettings, Lamp, f"{__name__}:Lamps", Phase.RESOURCES, removed="removed, and it is dark")
