"""Host and Origin."""

from __future__ import annotations

import pytest

from hub.errors import Forbidden
from hub.monitoring.web.hosts import Hosts, check_origin, name_of

HOSTS = Hosts(["127.0.0.1", "hub.example.org"])


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8000", "127.0.0.1:9941", "[::1]:9941", "hub.example.org", "Hub.Example.Org:443"],
)
def test_our_own_names_may_be_named_at_any_port(host: str) -> None:
    HOSTS.check([host], None)


@pytest.mark.parametrize(
    "hosts",
    [
        *([], [""], ["evil.example"], ["localhost", "evil.example"], ["localhost", "localhost"], ["localhost.evil"]),
        *(["evil.example@localhost"], ["localhost:80:80"], ["localhost/"], ["192.0.2.1"], ["localhost\t"], ["[::1"]),
    ],
)
def test_others_are_refused(hosts: list[str]) -> None:
    """By a rebound name another site's page reaches us, but the name shows."""
    with pytest.raises(Forbidden) as refused:
        HOSTS.check(hosts, None)
    assert refused.value.code == 403


def test_the_number_that_was_connected_to_may_be_named() -> None:
    Hosts(["0.0.0.0"]).check(["192.0.2.7:9941"], "192.0.2.7")
    Hosts(["::"]).check(["[2001:DB8::7]:9941"], "2001:db8::7")
    Hosts(["::"]).check(["192.0.2.7:9941"], "::ffff:192.0.2.7")
    with pytest.raises(Forbidden):
        Hosts(["0.0.0.0"]).check(["192.0.2.8:9941"], "192.0.2.7")


def test_numbers_have_one_spelling() -> None:
    assert name_of("[0:0:0:0:0:0:0:1]:80") == "::1"
    assert name_of("[::FFFF:127.0.0.1]") == "127.0.0.1"
    assert name_of("not a host") is None


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:9941", "http://localhost:9941"),
        ("hub.example.org", "https://hub.example.org"),
        ("Hub.Example.Org:8443", "https://hub.example.org:8443"),
    ],
)
def test_our_own_page_may_ask(host: str, origin: str) -> None:
    check_origin(host, [origin], ["same-origin"], False)


@pytest.mark.parametrize(
    "origin", ["null", "", "http://evil.example", "http://localhost:80", "http://localhost", "file://localhost:9941"]
)
def test_another_sites_page_may_not(origin: str) -> None:
    with pytest.raises(Forbidden):
        check_origin("localhost:9941", [origin], [], False)


def test_one_origin_among_two_may_not_be_foreign() -> None:
    with pytest.raises(Forbidden):
        check_origin("localhost", ["http://localhost", "http://evil.example"], [], False)


def test_programs_send_neither() -> None:
    check_origin("localhost", [], [], False)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "Cross-Site"])
def test_what_another_site_has_the_browser_load_is_refused_but_a_link_may_be_followed(site: str) -> None:
    """An image of theirs with our address as its source has no Origin."""
    with pytest.raises(Forbidden):
        check_origin("localhost", [], [site], False)
    check_origin("localhost", [], [site], True)
    check_origin("localhost", [], ["none"], False)
