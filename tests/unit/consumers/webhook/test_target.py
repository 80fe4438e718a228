"""URLs: what a message may put into one, and what is none."""

from __future__ import annotations

import pytest

from hub import Message, jsontext
from hub.consumers.sending.field import Content
from hub.consumers.sending.outcome import ForGood
from hub.consumers.webhook.target import Target, destination_of


def content(**body: object) -> Content:
    return Content(Message("7", "a.b", jsontext.write(body)))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://Example.ORG/x?y=1", "example.org"),
        ("https://example.org:443/", "example.org"),
        ("http://example.org:443/", "example.org:443"),
        ("http://[::1]:8080/x", "[::1]:8080"),
        ("HTTP://a_b.example.org", "a_b.example.org"),
    ],
)
def test_its_host_is_its_name(url: str, name: str) -> None:
    assert (destination_of(url).name, destination_of(url).address) == (name, url)


@pytest.mark.parametrize(
    "url",
    [
        *("", "example.org", "ftp://example.org", "http://", "http:///x", "http://:80/", "http://a b/", "http://a:0/"),
        *("http://a:99999/", "http://a:x/", "http://u:p@a/", "http://u@a/", "http://a\n/", "http://a/\r\nX: y"),
        *(
            "http://a\\@b/",
            "http://\u00e4/",
            "http://a/\u00e4",
            "http://%41/",
            "http://a:/",
            "http://[::1/",
            "http://[x]/",
        ),
        *("http://" + "a" * 300 + "/", "http://a/" + "b" * 9000, "file:///etc/passwd", "http://a/\0", "http://-/"),
    ],
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(ValueError, match=r"expected a URL|'bearer'") as caught:
        destination_of(url)
    assert "p@a" not in str(caught.value)


def test_fields_are_quoted() -> None:
    target = Target("https://example.org/{topic}/{body.x}?q={body.x}")
    found = target.of(content(x="../a?b&c#d/\r\n\0\u20ac{id}@"))
    quoted = "..%2Fa%3Fb%26c%23d%2F%0D%0A%00%E2%82%AC%7Bid%7D%40"
    assert found.address == f"https://example.org/a.b/{quoted}?q={quoted}"


def test_a_field_alone_is_the_whole_url() -> None:
    target = Target("{body.url}")
    assert not target.constant
    assert target.of(content(url="https://example.org/a?b=c")).address == "https://example.org/a?b=c"
    for wrong in ("javascript:alert(1)", "http://u:secret@h/", "http://a/ b", "", 7):
        with pytest.raises(ForGood) as caught:
            target.of(content(url=wrong))
        assert "secret" not in str(caught.value)


def test_a_message_can_give_no_other_host() -> None:
    for url in ("https://example.org/{body.x}", "https://example.org?x={body.x}", "https://[::1]:80#{body.x}"):
        target = Target(url)
        assert target.fixed_host
        for hostile in ("@evil.org", ".evil.org:80", ":1@evil.org", "//evil.org/", "\\evil.org"):
            assert target.of(content(x=hostile)).name in ("example.org", "[::1]:80")


@pytest.mark.parametrize(
    "url",
    [
        *("https://example.org{body.x}/h", "https://example.org{body.x}", "https://{body.x}/", "https://{body.x}.org/"),
        *("http://example.org:{body.x}/", "http{body.x}://example.org/", "{body.x}/h", "{body.x}{body.y}", "x{body.x}"),
        *("https://u@example.org/{body.x}", "https://example.org\\{body.x}/", "https://exa mple.org/{body.x}"),
        *("https:///{body.x}", "https://{{x}}/{body.x}", "https://example.org{{/{body.x}"),
    ],
)
def test_a_template_whose_host_is_not_its_own_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"expected a host without fields|expected a URL|'bearer'"):
        Target(url)


def test_a_host_is_fixed_unless_the_url_is_the_messages() -> None:
    assert [Target(url).fixed_host for url in ("https://example.org", "https://example.org/{id}", "{body.url}")] == [
        *(True, True, False)
    ]


def test_a_url_that_grows_too_long_does_not_show_its_template() -> None:
    with pytest.raises(ForGood, match="more than 8000 characters") as caught:
        Target("https://example.org/s3cr3t/{body.x}").of(content(x="y" * 9000))
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("step", [".", ".."])
def test_a_message_leads_to_no_other_path(step: str) -> None:
    for url in (
        "https://example.org/a/{body.x}",
        "https://example.org/a/{body.x}/b?c",
        "https://example.org/.{body.x}",
    ):
        with pytest.raises(ForGood, match="a step of the URL's path"):
            Target(url).of(content(x=step if not url.endswith(".{body.x}") else ""))
    assert Target("https://example.org/{body.x}.json?y={body.x}").of(content(x=step)).address.endswith(f"?y={step}")


def test_a_lacking_field_is_named() -> None:
    with pytest.raises(ForGood, match=r"no field 'body\.x'"):
        Target("https://example.org/{body.x}").of(content())


def test_a_constant_one_is_checked_at_once() -> None:
    assert Target("https://example.org/{{x}}").of(content()).address == "https://example.org/{x}"
    with pytest.raises(ValueError, match="expected a URL"):
        Target("example.org")
