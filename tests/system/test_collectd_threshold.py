"""A real collectd with the shipped thresholds tells of a backlog of 545, and of nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import ROOT, wait_until
from tests.system.collectd import Collectd
from tests.system.lagging import lagging_hub

pytestmark = pytest.mark.system

THRESHOLDS = (ROOT / "hub" / "templates" / "collectd" / "hubbub-threshold.conf").read_text(encoding="utf-8")
OWN_BLOCK = re.compile(r"^        #(?=<|    |</)", re.MULTILINE)
"""The commented example of a consumer with bounds of its own."""
NOTIFICATION = re.compile(
    r"Notification: severity = (\w+), .*type = (\w+), type_instance = (\w+)(?!.*has not been updated)"
)
"""One that says that nothing came for two seconds is of a machine that is busy."""


def troubles(collectd: Collectd) -> set[tuple[str, ...]]:
    """Severity, type and type instance of what was told last of each, unless all is well again.

    The other consumer may have had as many behind for a moment, when collectd was told.
    """
    last = {found.groups()[1:]: found[1] for found in NOTIFICATION.finditer(collectd.log)}
    return {(severity, *name) for name, severity in last.items() if severity != "OKAY"}


def with_own_bounds(warning: int, failure: int) -> str:
    """The shipped file with its example made real, for our consumer."""
    text = OWN_BLOCK.sub("        ", THRESHOLDS).replace("notifications_backlog", "SlowConsumer_backlog")
    return text.replace("WarningMax 20000", f"WarningMax {warning}").replace(
        "FailureMax 100000", f"FailureMax {failure}"
    )


@pytest.mark.parametrize(
    ("thresholds", "severity"), [(THRESHOLDS, "WARNING"), (with_own_bounds(100, 544), "FAILURE")], ids=["all", "own"]
)
def test_545_behind_is_told_of_that_consumer(tmp_path: Path, thresholds: str, severity: str) -> None:
    with Collectd(tmp_path / "collectd", extra=thresholds) as collectd:
        push = f"""
            [exporters.collectd]
            type = "collectd"
            port = {collectd.port}
            interval = "1s"
            hostname = "testhost"
        """
        with lagging_hub(tmp_path, push) as hub:
            wanted = (severity, "queue_length", "SlowConsumer_backlog")
            wait_until(lambda: troubles(collectd) == {wanted}, 30, lambda: f"the notification; {collectd.log}")
            exported = hub.status()["exporters"]["collectd"]["exported"]
            wait_until(lambda: hub.status()["exporters"]["collectd"]["exported"] >= exported + 2, 20, "more numbers")
            assert troubles(collectd) == {wanted}
            assert collectd.value("hubbub-hub/queue_length-SlowConsumer_backlog") == 545
