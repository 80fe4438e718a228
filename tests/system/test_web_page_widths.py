"""The consumers on screens of many widths, in a real Chromium: nothing runs out of the page."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support import wait_until
from tests.system.chromium import Chromium
from tests.system.test_stomp_web import WebHub as StompWebHub
from tests.system.web_hub import EVIL_ERROR, WebHub

pytestmark = pytest.mark.system

TABLES = (1920, 1500, 1440, 1366, 1280, 1270, 1140, 1024, 1000, 941)
CARDS = (940, 768, 390)
WIDE = """
    () => {
        const { scrollWidth, clientWidth } = document.documentElement;
        const scroll = document.querySelector('.scroll');
        const found = scrollWidth > clientWidth ? [`the page: ${scrollWidth}`] : [];
        if (scroll.scrollWidth > scroll.clientWidth) found.push(`the table: ${scroll.scrollWidth}`);
        for (const button of document.querySelectorAll('tbody tr button:not([hidden])')) {
            const { left, right } = button.getBoundingClientRect();
            if (left < 0 || right > clientWidth || left === right) found.push(`${button.ariaLabel}: ${right}`);
        }
        return found;
    }
"""
"""What is wider than the window."""
FIGURES = {"In flight": "in_flight", "Delayed": "delayed", "Oldest": "oldest_age", "Busy": "utilisation"}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebHub]:
    """One of its consumers has failed, with more to say than a column is wide; another has a backlog."""
    directory: Path = tmp_path_factory.mktemp("widths") / "hub"
    with WebHub(directory, delay="1s") as running:
        running.feed([("org.example.fragile.a", 1), *[("org.example.slow.a", number) for number in range(300)]])
        running.wait_for("fragile", "dead", 1)
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with Chromium() as running:
        yield running


@pytest.mark.parametrize("width", [*TABLES, *CARDS])
def test_nothing_is_wider_than_the_window(hub: WebHub, chromium: Chromium, width: int) -> None:
    with chromium.page(hub.address(), viewport={"width": width, "height": 800}) as page:
        row = page.locator("tr[data-consumer=fragile]")
        error = row.locator("[data-key=last_error]")
        expect(error).to_contain_text(EVIL_ERROR)
        assert page.evaluate(WIDE) == []
        expect(row).to_have_css("display", "grid" if width in CARDS else "table-row")
        assert EVIL_ERROR in (error.get_attribute("title") or "")
        assert (error.bounding_box() or {"width": 0})["width"] > 100
        for key in ("name", "state", "backlog", "trend", "catch_up", "rate_in", "rate_out", "dead_letters"):
            expect(row.locator(f"[data-key={key}]")).to_be_visible()


def test_what_a_narrow_table_leaves_out_is_in_the_view_of_the_consumer(hub: WebHub, chromium: Chromium) -> None:
    with chromium.page(hub.address(), viewport={"width": 941, "height": 800}) as page:
        row = page.locator("tr[data-consumer=fragile]")
        for key in (*FIGURES.values(), "consume_time"):
            expect(row.locator(f"[data-key={key}]")).to_be_hidden()
        page.get_by_role("link", name="fragile", exact=True).click()
        for term in (*FIGURES, "Consume time p50"):
            expect(page.locator(".figures").get_by_text(term, exact=True)).to_be_visible()
        expect(page.get_by_role("region", name="Last error")).to_contain_text(EVIL_ERROR)


SPIKE = {"started_at": 1_795_000_000.0, "peak": 123_456, "peak_at": 1_795_003_600.0, "cleared_at": 1_795_190_000.0}


def test_what_can_be_done_with_a_row_is_in_view_on_a_phone(hub: WebHub, chromium: Chromium) -> None:
    with chromium.page(hub.address(), viewport={"width": 390, "height": 800}) as page:
        page.route("**/spikes/slow", lambda route: route.fulfill(json={"spikes": [SPIKE]}))
        page.get_by_role("link", name="slow", exact=True).click()
        show = page.get_by_role("region", name="Spikes").get_by_role("button", name="Show the spike")
        expect(show).to_be_visible()
        box = show.bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= box["x"] + box["width"] <= 390
        card = page.get_by_role("region", name="Spikes").bounding_box()
        assert card is not None
        assert box["x"] + box["width"] <= card["x"] + card["width"]


def test_a_hub_with_clients_shows_how_many_read_each_queue(tmp_path: Path, chromium: Chromium) -> None:
    """In a column that others are spared, and that goes first where there is little room."""
    with StompWebHub(tmp_path) as hub, socket.create_connection(("127.0.0.1", hub.port)) as client:
        client.sendall(b"CONNECT\naccept-version:1.2\nhost:h\n\n\0SUBSCRIBE\nid:1\ndestination:/queue/work\n\n\0")

        def reading() -> list[str]:
            return [name for name, row in hub.status()["consumers"].items() if row["readers"] == 1]

        wait_until(reading, 20, "a reader")
        (queue,) = reading()
        for width, shown in ((1920, True), (1500, False), (941, False), (390, True)):
            with chromium.page(f"http://127.0.0.1:{hub.web}/", viewport={"width": width, "height": 800}) as page:
                cell = page.locator(f"tr[data-consumer='{queue}'] [data-key=readers]")
                expect(cell).to_be_visible() if shown else expect(cell).to_be_hidden()
                if shown:
                    expect(cell).to_contain_text("1")
                assert page.evaluate(WIDE) == []
