"""What differs between two configurations, as a reload needs it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from hub.configuration.schema import Configuration

LIVE = {"log_level", "stop_timeout"}
"""Settings of ``[hub]`` that a reload applies."""


@dataclass(frozen=True)
class Changes:
    """Names of consumers, and a line for each difference, whether it can be applied or not."""

    changed: list[str]
    """To be started: new, or other than before."""
    removed: list[str]
    lines: list[str]

    @classmethod
    def between(cls, old: Configuration, new: Configuration) -> Changes:
        """From ``old`` to ``new``."""
        changed = [name for name, part in new.consumers.items() if not _same(old, name, part.identity)]
        removed = [name for name in old.consumers if name not in new.consumers]
        lines = [f"consumer {name}: {'changed' if name in old.consumers else 'added'}" for name in changed]
        lines += [f"consumer {name}: removed, its queue is kept" for name in removed]
        return cls(changed, removed, lines + _needing_restart(old, new))


def _same(old: Configuration, name: str, identity: object) -> bool:
    return name in old.consumers and old.consumers[name].identity == identity


def _needing_restart(old: Configuration, new: Configuration) -> list[str]:
    lines = []
    for kind, before, after in (
        ("backend", old.backends, new.backends),
        ("exporter", old.exporters, new.exporters),
    ):
        for name in sorted({*before, *after}):
            if name not in before or name not in after or before[name].identity != after[name].identity:
                lines.append(f"{kind} {name}: differs, which takes a restart")
    if old.hub.model_dump(exclude=LIVE) != new.hub.model_dump(exclude=LIVE):
        lines.append("hub: differs, which takes a restart")
    return lines
