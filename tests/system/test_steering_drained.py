"""What a drained consumer is asked to take again is refused, and kept: by the command, the API and the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support import wait_until
from tests.system.chromium import Chromium
from tests.system.web_hub import WebHub

pytestmark = pytest.mark.system

REFUSED = "fragile is drained and takes no messages in: resume it first"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    """Three dead letters, of a consumer that is drained now and would not fail again."""
    with WebHub(tmp_path / "hub") as running:
        running.feed(("org.example.fragile.a", number) for number in range(3))
        wait_until(lambda: running.consumer("fragile")["dead_letters"] == 3, 20, "three dead letters")
        (running.directory / "mended").touch()
        running.command("queue", "drain", "fragile")
        yield running


def nothing_changed(hub: WebHub) -> None:
    row = hub.consumer("fragile")
    assert (row["dead_letters"], row["received"], row["dropped"]) == (3, 3, 0)


@pytest.mark.parametrize(
    "arguments",
    [
        ("dead", "retry", "fragile"),
        ("dead", "retry", "fragile", "--number", "1"),
        ("dead", "retry", "fragile", "--canary", "1"),
        ("replay", "fragile", "--since", "1h"),
    ],
)
def test_the_command_says_why_and_nothing_is_lost(hub: WebHub, arguments: tuple[str, ...]) -> None:
    done = hub.command(*arguments, check=False)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (69, "", f"hubbub: {REFUSED}")
    nothing_changed(hub)
    last = json.loads((hub.directory / "state" / "audit.log").read_text().splitlines()[-1])
    assert last["outcome"] == f"refused: {REFUSED}"
    assert hub.command("replay", "fragile", "--since", "1h", "--dry-run").returncode == 0
    hub.command("queue", "resume", "fragile")
    hub.command("dead", "retry", "fragile")
    hub.wait_for("fragile", "finished", 3)
    wait_until(lambda: hub.consumer("fragile")["dead_letters"] == 0, 20, "no dead letters")


def test_the_page_says_why_and_nothing_is_lost(hub: WebHub) -> None:
    with Chromium() as chromium, chromium.page(hub.address(), "the server responded with a status of 409") as page:
        page.get_by_role("link", name="fragile", exact=True).click()
        page.get_by_role("button", name="List").click()
        for button in ("Retry all", "Canary", "Retry dead letter 1"):
            page.get_by_role("button", name=button).first.click()
            if button == "Retry all":
                page.get_by_role("dialog").get_by_role("button", name="Retry 3").click()
            expect(page.get_by_text(REFUSED).first).to_be_visible()
            page.reload(wait_until="domcontentloaded")
            page.get_by_role("button", name="List").click()
        expect(page.get_by_role("heading", name="Dead letters: 3")).to_be_visible()
        page.get_by_role("button", name="Replay").click()
        page.get_by_label("until").fill("2099-01-01T00:00:00")
        page.get_by_role("button", name="Count").click()
        page.get_by_role("dialog").get_by_role("button", name="Replay").click()
        expect(page.get_by_role("dialog").get_by_text(REFUSED)).to_be_visible()
    nothing_changed(hub)
