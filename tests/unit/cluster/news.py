"""Announcements for tests."""

from __future__ import annotations

from typing import Any

from hub.cluster.announcement import Announcement, QueueNews

A, B, C = "a" * 32, "b" * 32, "c" * 32
"""Starts of hubs."""
WALL = 1_800_000_000.0


def announcement(node: str = "alpha", start: str = A, number: int = 1, time: float = WALL, **more: Any) -> Announcement:
    given = {"began": WALL - 100.0, "interval": 3.0, "version": "1.0", "state": "running", **more}
    return Announcement(node, start, number, time=time, **given)


def queue(name: str = "mail", received: int = 10, settled: int = 4, **more: Any) -> QueueNews:
    return QueueNews(name, received, settled, **more)
