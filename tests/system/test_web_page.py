"""The web page in a real Chromium, of a real hub."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from hub.status.catalogue import CATALOGUE
from hub.status.consumers import Sums
from tests.support import PATIENCE, wait_until
from tests.system.chromium import PHONE, Chromium, accessibility_problems
from tests.system.web_hub import EVIL_BODY, EVIL_ERROR, EVIL_TOPIC, WebHub

pytestmark = pytest.mark.system

COUNT = 400
INK = """
    (canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        const colours = new Set();
        for (let at = 0; at < data.length; at += 4) {
            if (data[at + 3] > 200) colours.add(String(data.slice(at, at + 3)));
        }
        return colours.size;
    }
"""
"""How many solid colours were drawn: none on a canvas that is blank."""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with WebHub(tmp_path / "hub") as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with Chromium() as running:
        yield running


def open_consumer(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def seconds(text: str) -> float:
    """What a length of time on the page means."""
    parts = re.findall(r"(\d+)([smh])", text)
    return float(sum(int(number) * {"s": 1, "m": 60, "h": 3600}[unit] for number, unit in parts))


def figure(page: Page, term: str) -> str:
    return page.locator(".figures div", has=page.get_by_text(term, exact=True)).locator(".main").inner_text()


def test_a_backlog_rises_and_drains_and_is_clear_when_the_page_said_it_would_be(
    hub: WebHub, chromium: Chromium
) -> None:
    with chromium.page(hub.address()) as page:
        assert "token" not in page.url
        hub.feed(("org.example.slow.a", number) for number in range(COUNT))
        row = page.get_by_role("row", name="slow")
        expect(row.get_by_text(re.compile(r"^in \d+s$"))).to_be_visible()
        expect(row.get_by_text(re.compile(r"^clear at \d\d:\d\d:\d\d$"))).to_be_visible()
        assert len(row.locator(".sparkline .line").get_attribute("d") or "") > 10
        open_consumer(page, "slow")
        wait_until(lambda: re.fullmatch(r"in \d+s", figure(page, "Time to catch up")), 20, "a prediction")
        predicted, began = seconds(figure(page, "Time to catch up")), time.monotonic()
        assert predicted > 8
        wait_until(lambda: page.locator(".plot canvas").first.evaluate(INK) > 2, 20, "what is drawn")
        expect(page.get_by_text("(dashed)")).to_be_visible()
        wait_until(lambda: figure(page, "Time to catch up") == "now", 60, "a backlog that is gone")
        assert time.monotonic() - began == pytest.approx(predicted, rel=0.2 * PATIENCE)
        assert figure(page, "Backlog") == "0"
        spike = page.get_by_role("table", name="Spikes of the backlog").get_by_role("row").nth(1)
        expect(spike).to_contain_text(re.compile(r"([23]\d\d|400).*\d\ds"), timeout=30_000 * PATIENCE)
        page.reload(wait_until="domcontentloaded")
        expect(page.get_by_text(re.compile(r"Highest in 10 min: ([23]\d\d|400)"))).to_be_visible()


def test_pause_and_resume(hub: WebHub, chromium: Chromium) -> None:
    with chromium.page(hub.address()) as page:
        page.get_by_role("button", name="Pause slow").click()
        expect(page.get_by_text("slow is paused.")).to_be_visible()
        assert hub.consumer("slow")["state"] == "paused"
        open_consumer(page, "slow")
        expect(page.get_by_role("button", name="Drain", exact=True)).to_be_hidden()
        page.get_by_role("button", name="Resume").click()
        expect(page.get_by_role("button", name="Resume")).to_be_hidden()
        expect(page.get_by_role("button", name="Drain", exact=True)).to_be_visible()
        wait_until(lambda: hub.consumer("slow")["state"] == "running", 10, "a consumer that runs")
        page.get_by_role("button", name="Pause until").click()
        page.get_by_role("radio", name="For an hour").check()
        page.get_by_role("dialog").get_by_role("button", name="Pause").click()
        expect(page.get_by_text("slow is paused until")).to_be_visible()
        assert hub.consumer("slow")["paused_until"] == pytest.approx(time.time() + 3600, abs=60)
        page.get_by_role("button", name="Resume").click()
        wait_until(lambda: hub.consumer("slow")["state"] == "running", 10, "a consumer that runs")


def test_markup_from_the_bus_is_text_and_a_dead_letter_is_retried(hub: WebHub, chromium: Chromium) -> None:
    hub.feed([(EVIL_TOPIC, EVIL_BODY), *[("org.example.fragile.a", number) for number in range(3)]])
    hub.wait_for("fragile", "dead", 4)
    with chromium.page(hub.address()) as page:
        expect(page.get_by_role("row", name="fragile")).to_contain_text(EVIL_ERROR)
        open_consumer(page, "fragile")
        page.get_by_role("button", name="List").click()
        group = page.locator(".groups details")
        expect(group.locator("summary")).to_contain_text(EVIL_ERROR)
        expect(group).to_contain_text(EVIL_TOPIC)
        group.get_by_role("row").filter(has_text=EVIL_TOPIC).get_by_role("button", name="Show").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text(EVIL_TOPIC)
        expect(dialog).to_contain_text(EVIL_BODY)
        expect(dialog).to_contain_text(EVIL_ERROR)
        assert page.evaluate("window.evil") is None
        assert page.locator("main script, dialog script, main b, dialog b, main img, dialog img").count() == 0
        (hub.directory / "mended").touch()
        dialog.get_by_role("button", name="Retry").click()
        expect(page.get_by_role("heading", name="Dead letters: 3")).to_be_visible()
        hub.wait_for("fragile", "finished", 1)
        group.get_by_role("button", name="Canary").click()
        page.get_by_role("dialog").get_by_role("button", name="Retry 2").click()
        expect(page.get_by_role("heading", name="Dead letters: 0")).to_be_visible()
        hub.wait_for("fragile", "finished", 4)


def test_many_dead_letters_are_retried_only_after_a_question(hub: WebHub, chromium: Chromium) -> None:
    (hub.directory / "mended").unlink(missing_ok=True)
    before = hub.consumer("fragile")["dead_letters"]
    hub.feed(("org.example.fragile.c", number) for number in range(2))
    wait_until(lambda: hub.consumer("fragile")["dead_letters"] == before + 2, 20, "dead letters")
    with chromium.page(hub.address()) as page:
        open_consumer(page, "fragile")
        page.get_by_role("button", name="List").click()
        page.get_by_role("button", name="Retry all").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text(f"{before + 2} dead letters will be delivered to fragile again")
        dialog.get_by_role("button", name="Cancel").click()
        assert hub.consumer("fragile")["dead_letters"] == before + 2
        (hub.directory / "mended").touch()
        page.get_by_role("button", name="Retry all").click()
        dialog.get_by_role("button", name=f"Retry {before + 2}").click()
        expect(page.get_by_role("heading", name="Dead letters: 0")).to_be_visible()


def test_purge_asks_with_the_count_and_replay_counts_first(hub: WebHub, chromium: Chromium) -> None:
    with chromium.page(hub.address()) as page:
        open_consumer(page, "slow")
        page.get_by_role("button", name="Pause", exact=True).click()
        wait_until(lambda: hub.consumer("slow")["state"] == "paused", 10, "a paused consumer")
        wait_until(lambda: not hub.consumer("slow")["in_flight"], 10, "nothing in flight")
        hub.feed(("org.example.slow.b", number) for number in range(30))
        wait_until(lambda: figure(page, "Backlog") == "30", 10, "the backlog")
        # What is done with before it is written is not kept.
        wait_until(lambda: hub.status()["hub"]["store"]["messages"] >= 30, 20, "a backlog on the disk")
        page.get_by_role("button", name="Purge").click()
        page.get_by_role("button", name="Purge 30 messages").click()
        expect(page.get_by_text("30 messages of slow dropped.")).to_be_visible()
        page.get_by_role("button", name="Replay").click()
        page.get_by_role("textbox", name="Topics").fill("org.example.slow.b")
        page.get_by_label("until").fill("2099-01-01T00:00:00")
        page.get_by_role("button", name="Count").click()
        page.get_by_role("button", name="Replay 30 messages").click()
        expect(page.get_by_role("dialog").get_by_text("30 messages replayed to slow.")).to_be_visible()
        page.get_by_role("button", name="Close", exact=True).click()
        wait_until(lambda: figure(page, "Backlog") == "30", 10, "the backlog")
        page.get_by_role("button", name="Resume").click()
        wait_until(lambda: hub.consumer("slow")["backlog"] == 0, 30, "a backlog that is gone")


def test_the_hub_is_shown_published_to_reloaded_and_drained(hub: WebHub, chromium: Chromium) -> None:
    with chromium.page(hub.address()) as page:
        page.get_by_role("link", name="Hub", exact=True).click()
        page.get_by_label("Topic").fill("org.example.slow.test")
        page.get_by_role("button", name="Publish").click()
        expect(page.get_by_text("Published as")).to_be_visible()
        page.get_by_role("button", name="Reload").click()
        expect(page.get_by_text("Nothing has changed.")).to_be_visible()
        page.get_by_role("button", name="Drain the hub").click()
        page.get_by_role("button", name="Drain", exact=True).click()
        expect(page.get_by_text("an operator has held back the buses")).to_be_visible()
        expect(page.locator("#banners").get_by_text("the hub is drained")).to_be_hidden()
        page.get_by_role("button", name="Resume the hub").click()
        expect(page.get_by_text("an operator has held back the buses")).to_be_hidden()


def test_threads_are_added_and_their_stacks_shown(hub: WebHub, chromium: Chromium) -> None:
    with chromium.page(hub.address()) as page:
        open_consumer(page, "slow")
        page.get_by_role("button", name="One thread more").click()
        expect(page.get_by_role("heading", name="Threads: 2")).to_be_visible()
        page.get_by_role("button", name="Stacks").click()
        expect(page.get_by_role("dialog")).to_contain_text("hub/workers/worker.py")
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Stacks")).to_be_focused()
        page.get_by_role("button", name="One thread fewer").click()
        expect(page.get_by_role("heading", name="Threads: 1")).to_be_visible()


def test_a_page_that_is_read_only_says_so_and_offers_nothing(hub: WebHub, chromium: Chromium) -> None:
    with chromium.page(f"{hub.read_only_url}#/consumer/slow") as page:
        expect(page.get_by_text("read-only", exact=True)).to_be_visible()
        button = page.get_by_role("button", name="Pause", exact=True)
        expect(button).to_have_attribute("aria-disabled", "true")
        button.click(force=True)
        expect(page.get_by_role("status").get_by_text("This web server is read-only")).to_be_visible()
        assert hub.consumer("slow")["state"] == "running"


def test_on_a_phone_rows_are_cards_and_nothing_runs_out_of_the_page(hub: WebHub, chromium: Chromium) -> None:
    with chromium.page(hub.address(), viewport=PHONE, is_mobile=True, has_touch=True) as page:
        for route in ("#/", "#/consumer/slow", "#/hub"):
            page.evaluate("(route) => { location.hash = route; }", route)
            page.get_by_role("heading", level=1).wait_for()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), route
        page.evaluate("() => { location.hash = '#/'; }")
        card = page.get_by_role("row", name="slow")
        expect(card).to_have_css("display", "grid")
        expect(card.get_by_role("cell", name="now")).to_be_visible()
        page.get_by_label("Sort by").select_option("Backlog")
        expect(page.locator("th[data-key=backlog]")).to_have_attribute("aria-sort", "descending")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_anybody_out(hub: WebHub, chromium: Chromium, scheme: str) -> None:
    with chromium.page(hub.address(), color_scheme=scheme, bypass_csp=True) as page:
        assert accessibility_problems(page) == []
        open_consumer(page, "fragile")
        page.get_by_role("button", name="Look").click()
        expect(page.get_by_text("No messages wait.")).to_be_visible()
        assert accessibility_problems(page) == []
        page.get_by_role("button", name="Replay").click()
        assert accessibility_problems(page) == []
        page.keyboard.press("Escape")
        page.get_by_role("link", name="Hub", exact=True).click()
        expect(page.get_by_role("heading", name="Store")).to_be_visible()
        assert accessibility_problems(page) == []


def test_the_table_is_sorted_and_a_consumer_opened_by_keyboard(hub: WebHub, chromium: Chromium) -> None:
    with chromium.page(hub.url) as page:
        head = page.get_by_role("button", name="Consumer", exact=True)
        head.focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")
        expect(page.get_by_role("columnheader", name="Consumer")).to_have_attribute("aria-sort", "descending")
        names = page.locator("tbody tr").evaluate_all("(rows) => rows.map((row) => row.dataset.consumer)")
        assert names == ["slow", "fragile", "archive"]
        page.get_by_role("link", name="slow", exact=True).focus()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        expect(page).to_have_title("slow - hubbub")


def test_every_number_of_the_catalogue_is_on_the_page_with_its_meaning(hub: WebHub, chromium: Chromium) -> None:
    wanted = {
        (metric.title[0].upper() + metric.title[1:], metric.help)
        for part in CATALOGUE
        for metric in part.metrics
        if part.name in ("hub", "store", "consumers") and metric.kind not in ("states", "flag", "histogram")
        if metric.key not in Sums.__annotations__  # this row sums no queues
    }
    terms = "(terms) => terms.map((term) => [term.textContent, term.parentElement.title])"
    with chromium.page(hub.url) as page:
        open_consumer(page, "slow")
        found = page.locator(".facts dt").evaluate_all(terms)
        page.get_by_role("link", name="Hub", exact=True).click()
        expect(page.get_by_role("heading", name="Store")).to_be_visible()
        found += page.locator(".pairs dt").evaluate_all(terms)
    assert wanted - {(title, meaning) for title, meaning in found} == set()


def test_without_the_charts_built_the_page_says_how_to_build_them(hub: WebHub, chromium: Chromium) -> None:
    with chromium.page(hub.url, tolerated="status of 404") as page:
        page.route("**/vendor/**", lambda route: route.fulfill(status=404, body=""))
        open_consumer(page, "slow")
        expect(page.get_by_text("make charts")).to_be_visible()
        expect(page.get_by_role("heading", name="Threads: 1")).to_be_visible()


def test_a_hub_that_goes_is_noticed_and_so_is_its_return(tmp_path: Path, chromium: Chromium) -> None:
    hub = WebHub(tmp_path / "hub")
    with hub:
        context = chromium.page(hub.url, tolerated="net::ERR")
        page = context.__enter__()
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        assert hub.stop() == 0
        expect(page.get_by_text("Disconnected, last seen")).to_be_visible()
    with hub:
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        expect(page.locator("#announcer")).to_have_text(re.compile("Connected again"))
        context.__exit__(None, None, None)
