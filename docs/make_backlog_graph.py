"""Makes docs/images/backlog*.png: a real hub, a real backlog rising and draining twice, a real collectd.

Run from the checkout: ``.venv/bin/python -m docs.make_backlog_graph``. It takes two minutes.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from tests.support import ROOT, free_port, wait_until
from tests.system.collectd import Collectd
from tests.system.hubs import RunningHub

BURSTS = ((600, 60.0), (500, 25.0))
"""Messages, and how many of them a second."""
QUIET = 8.0


def main() -> None:
    """Feed the bursts, wait for each to drain, draw."""
    with tempfile.TemporaryDirectory(prefix="hubbub-") as name, Collectd(Path(name) / "collectd") as collectd:
        configuration = f"""
            [backends.bus]
            type = "zeromq"
            bind = ["tcp://127.0.0.1:{free_port()}"]
            [consumers.notifications]
            type = "slow"
            delay = "66ms"
            [exporters.collectd]
            type = "collectd"
            port = {collectd.port}
            interval = "1s"
            hostname = "testhost"
        """
        with RunningHub(Path(name), configuration) as hub:
            began = time.monotonic()
            time.sleep(QUIET)
            for count, rate in BURSTS:
                burst = Path(name) / "burst.jsonl"
                burst.write_text("".join(json.dumps({"topic": "org.example.a", "msg": n}) + "\n" for n in range(count)))
                hub.command("feed", str(burst), "--quiet", "--rate", str(rate))
                wait_until(lambda: hub.consumer("notifications")["backlog"] == 0, 120, "the backlog to drain")
                time.sleep(QUIET)
            span = f"{round(time.monotonic() - began)}s"
            output = ROOT / "docs" / "images" / "backlog.png"
            rrd = ("--rrd-dir", str(collectd.rrd_dir))
            hub.command("graph", "notifications", "-o", str(output), *rrd, "--since", span)


if __name__ == "__main__":
    main()
