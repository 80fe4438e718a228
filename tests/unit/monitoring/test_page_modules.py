"""The page's own logic, tested where it runs: by node's own test runner, without anything from a registry."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from tests.node import node
from tests.support import ROOT

TESTS = Path(__file__).with_name("page")
LARGEST = 300
"""Lines of a file of the page, as of any other."""


def test_the_pages_modules() -> None:
    command = [node(), "--test", *map(str, sorted(TESTS.glob("*.test.mjs")))]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "TZ": "UTC"}
    )
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-2000:]


def test_what_is_brought_in_is_pinned_and_comes_from_no_machine_of_ours() -> None:
    text = (ROOT / "monitoring" / "web" / "package-lock.json").read_text(encoding="utf-8")
    packages = {path: package for path, package in json.loads(text)["packages"].items() if path}
    assert packages["node_modules/uplot"]["version"] == "1.6.32"
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert {urlsplit(package.get("resolved", "")).hostname for package in packages.values()} <= {
        None,
        "registry.npmjs.org",
    }


def test_the_page_has_no_inline_script_or_style_and_parses_no_html() -> None:
    static = ROOT / "monitoring" / "web" / "static"
    markup = (static / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"""\s(style|on\w+)\s*=|<style""", markup)
    assert all("src=" in tag.split(">")[0] for tag in markup.split("<script")[1:])
    for path in [*static.rglob("js/**/*.js"), *static.rglob("css/*.css")]:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= LARGEST, path
        for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "DOMParser"):
            assert forbidden not in text, (path, forbidden)
