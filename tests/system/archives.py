"""An archive outside a hub: what its tests make it with, feed it, and look for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sqlalchemy import select

from hub import Context, Message
from hub.consumers.archive import Archive
from hub.consumers.archive.schema import messages as table
from hub.partlog import part_log


def make(url: str, state_dir: Path) -> Archive:
    """As the hub makes it."""
    config = Archive.Config.model_validate({"database": url})
    return Archive(Context("archive", config, part_log("consumer", "archive"), lambda *_: None, state_dir))


def message(number: int, body: Any = None, topic: str = "org.example.dev.git.receive") -> Message:
    """Under an id that the backend made up; with one of the publisher's in its body, unless that is given."""
    content = {"msg_id": f"2026-{number}", "i": number, "msg": {"agent": "ralph"}} if body is None else body
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Message(f"made-up-{number}", topic, raw, received_at=1_700_000_000.0 + number, backend="bus")


def rows(archive: Archive) -> list[Any]:
    """All of the table, in the order in which it was written."""
    with archive._database.engine.connect() as connection:
        return list(connection.execute(select(table).order_by(table.c.id)).mappings())
