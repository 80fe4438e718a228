"""Makes docs/images/top.svg: ``hubbub top`` as it looks, on a hub that is made up.

Run from the checkout: ``.venv/bin/python -m docs.make_top_screenshot``.
"""

from __future__ import annotations

import asyncio
import math
import re
import tempfile
import time
from pathlib import Path
from typing import Any

from hub.cli.remote import Remote
from hub.cli.top.app import Top
from hub.cli.top.columns import Sorting
from hub.cli.top.model import Model
from hub.cli.top.preferences import Preferences
from tests.support import ROOT
from tests.unit.cli.top.hub_double import HubDouble, row

SIZE = (160, 14)
SECONDS = 120


def backlogs(second: int) -> dict[str, dict[str, Any]]:
    """A badge service that has caught up half way, an archive that keeps up, a wiki that does not."""
    wave = round(900 * math.sin(second / SECONDS * math.pi * 0.8) ** 2)
    badges: dict[str, Any] = {"backlog": wave, "rate_in": 20.0, "rate_out": 33.5, "catch_up_seconds": wave / 13.5}
    idle: dict[str, Any] = {"backlog": 0, "in_flight": 0, "trend": "idle", "catch_up_seconds": 0.0, "oldest_age": None}
    behind: dict[str, Any] = {"trend": "falling_behind", "catch_up_seconds": None, "rate_in": 12.0, "rate_out": 9.5}
    return {
        "badges": row(**badges, threads=4, in_flight=4, utilisation=0.98, dead=3, oldest_age=28.0),
        "archive": row(**idle, rate_in=54.0, rate_out=54.0, utilisation=0.12),
        "wiki": row(**behind, backlog=2 * second + 31, in_flight=1, utilisation=1.0, oldest_age=25.0),
        "irc": row(**idle, state="paused", paused_until=time.time() + 3600, rate_in=0.0, rate_out=0.0, utilisation=0.0),
    }


async def draw(place: Path, memory: Path) -> None:
    """Two minutes, of which only the last moment is seen."""
    double = HubDouble(**backlogs(0))
    model = Model(1.0, Sorting(), time.time)
    app = Top(Remote(double), Remote(double), model, 3600.0, Preferences(memory))
    async with app.run_test(size=SIZE) as pilot:
        for second in range(SECONDS):
            double.answers["/status"]["consumers"] = backlogs(second)
            model.answered(double.answers["/status"])
        app.renew()
        await pilot.pause()
        drawing = app.export_screenshot(title="hubbub top", simplify=True)
        # Its fonts are on a server far away: the reader's own will do.
        place.write_text(re.sub(r"@font-face \{.*?\}", "", drawing, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(draw(ROOT / "docs" / "images" / "top.svg", Path(directory) / "top.json"))
