"""The page's files."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.task import Clock

from hub.monitoring.web.site import WebSite
from hub.monitoring.web.static import INDEX, Index, Static, read
from tests.unit.monitoring.web.web_server import Answer, api_of, ask


@pytest.fixture
def site(tmp_path: Path) -> WebSite:
    (tmp_path / "secret.html").write_text("secret")
    directory = tmp_path / "static"
    (directory / "js").mkdir(parents=True)
    (directory / INDEX).write_text("<!doctype html>")
    (directory / "js" / "page.js").write_text("let page")
    (directory / "notes.md").write_text("not for browsers")
    (directory / "file.html").mkdir()
    files = read(directory)
    return WebSite(api_of(Index(files), Static(files)), Clock(), lambda failure: None)


def get(site: WebSite, path: str, **headers: str) -> Answer:
    return ask(site, "GET", path, {name.replace("_", "-"): value for name, value in headers.items()})


def test_files_have_their_type(site: WebSite) -> None:
    script = get(site, "/static/js/page.js")
    assert script.body == b"let page"
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    page = get(site, "/")
    assert page.body == b"<!doctype html>"
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert get(site, "/?a=b#c").code == 200


def test_a_file_that_has_not_changed_is_not_sent_again(site: WebSite) -> None:
    etag = get(site, "/static/js/page.js").headers["etag"]
    again = get(site, "/static/js/page.js", If_None_Match=etag)
    assert (again.code, again.body) == (304, b"")
    assert again.headers["cache-control"] == "no-cache"
    assert get(site, "/static/js/page.js", If_None_Match='"other"').code == 200
    assert get(site, "/").headers["etag"] != etag


@pytest.mark.parametrize(
    "path",
    [
        *("/static", "/static/", "/static/js", "/static/js/", "/static/notes.md", "/static/nothing.js"),
        *("/static/../secret.html", "/static/%2e%2e/secret.html", "/static/..%2fsecret.html", "/static//etc/passwd"),
        *("/static/js%00/page.js", "/static/file.html", "/secret.html", "/index.html", "//index.html"),
    ],
)
def test_nothing_else_is_served(site: WebSite, path: str) -> None:
    assert get(site, path).code == 404


def test_the_package_has_a_page() -> None:
    assert INDEX in read()
