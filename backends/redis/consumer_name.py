"""The name of a hub in a consumer group."""

from __future__ import annotations

from pathlib import Path

from hub.statefiles import SYSTEM_STATE


def default_consumer(host: str, state_dir: Path) -> str:
    """The name of a hub that is given none. It is the same at each start, and another one for each hub of a machine: by
    one name two hubs would be given each other's messages at a start, and work them twice.

    :param state_dir: no two hubs of a machine have the same.
    """
    return host if state_dir == SYSTEM_STATE else f"{host}:{state_dir}"
