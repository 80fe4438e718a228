"""TLS to a broker: verified, with the name and with a certificate of the hub's own."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import ssl

from hub.backends.client_tls import ClientTLS
from hub.backends.stomp.client import EXTRA
from hub.backends.stomp.client_settings import Config
from hub.errors import ConfigError, MissingExtra
from tests.certificates import Authority, Certificate
from tests.unit.backends.stomp.broker import Broker
from tests.unit.backends.stomp.clients import running
from tests.unit.backends.support import Lines, turn_until


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def serving(certificate: Certificate, clients: Authority | None = None) -> Any:
    """Twisted's options of a server. :param clients: who signs the certificates that clients must have."""
    pem = certificate.file.read_bytes() + certificate.key.read_bytes()
    own = ssl.PrivateCertificate.loadPEM(pem)
    return own.options() if clients is None else own.options(ssl.Certificate.loadPEM(clients.file.read_bytes()))


def settings(broker: Broker, authority: Authority, **given: Any) -> dict[str, Any]:
    return {"connect": [f"stomp+ssl://127.0.0.1:{broker.port}"], "tls_ca_file": str(authority.file), **given}


def test_a_broker_that_our_authority_signed_is_trusted(authority: Authority) -> None:
    options = serving(authority.sign("broker", "127.0.0.1"))
    with Broker(tls=options) as broker, running(**settings(broker, authority)) as (_, intake):
        broker.send("/queue/a.b", b"x" * 100_000)
        turn_until(lambda: intake.messages, "the message")


def test_its_name_may_be_another_than_the_host_and_is_sent(authority: Authority) -> None:
    names: list[bytes] = []
    options = serving(authority.sign("named", "broker.example.org"))
    options.getContext().set_tlsext_servername_callback(lambda line: names.append(line.get_servername()))
    given = {"tls_server_name": "broker.example.org"}
    with Broker(tls=options) as broker, running(**settings(broker, authority, **given)):
        assert names == [b"broker.example.org"]


@pytest.mark.parametrize("why", ["another authority", "another name"])
def test_any_other_broker_is_refused(authority: Authority, tmp_path: Path, why: str) -> None:
    lines = Lines()
    signer = Authority(tmp_path / "other") if why == "another authority" else authority
    options = serving(signer.sign("wrong", "127.0.0.1" if why == "another authority" else "10.0.0.1"))
    with Broker(tls=options) as broker, running(wait=False, lines=lines, **settings(broker, authority)) as (client, _):
        turn_until(lambda: broker.connections > 1, "another attempt")
        assert client.status()["state"] == "connecting"
        assert broker.frames == []  # neither login nor passcode
        expected = "certificate verify failed" if why == "another authority" else "VerificationError"
        assert expected in lines.texts[0]


ENDED = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)


@pytest.mark.parametrize("whose", ["the broker's certificate", "the hub's own certificate"])
def test_a_certificate_that_has_expired_is_named_with_its_date(authority: Authority, whose: str) -> None:
    lines, hub = Lines(), whose == "the hub's own certificate"
    mine = authority.sign("hub", ends=ENDED if hub else None)
    theirs = authority.sign("broker", "127.0.0.1", ends=None if hub else ENDED)
    own = {"tls_certificate_file": str(mine.file), "tls_key": f"file:{mine.key}"}
    options = serving(theirs, clients=authority)
    with (
        Broker(tls=options) as broker,
        running(wait=False, lines=lines, **settings(broker, authority, **own)) as (
            client,
            _,
        ),
    ):
        turn_until(lambda: broker.connections > 1, "another attempt")
        assert f"{whose} expired on 2024-02-29" in str(client.status()["not_ready"])
        assert "expired on 2024-02-29" in lines.texts[0]


def test_it_shows_its_own_certificate(authority: Authority, tmp_path: Path) -> None:
    """And those between it and the authority that the broker trusts."""
    between = Authority(tmp_path / "between", "between", above=authority)
    mine = between.sign("hub")
    mine.file.write_bytes(mine.file.read_bytes() + between.file.read_bytes())
    options = serving(authority.sign("broker", "127.0.0.1"), clients=authority)
    own = {"tls_certificate_file": str(mine.file), "tls_key": f"file:{mine.key}"}
    with Broker(tls=options) as broker:
        with running(**settings(broker, authority, **own)):
            pass
        with running(wait=False, **settings(broker, authority)) as (client, _):
            turn_until(lambda: client.status()["handshake_failures"], "the refusal")
            assert client.status()["state"] == "connecting"


def config(**given: Any) -> Config:
    return Config(**{"connect": ["stomp+ssl://a"], "destinations": ["/queue/x"], **given})


def test_files_that_can_not_be_used_are_named(authority: Authority, tmp_path: Path) -> None:
    mine = authority.sign("hub")
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    damaged = tmp_path / "damaged.pem"
    damaged.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    own = {"tls_certificate_file": str(mine.file), "tls_key": f"file:{mine.key}"}
    for given, text in (
        ({"tls_ca_file": "/no/such"}, "tls_ca_file: /no/such can't be used: .*No such file"),
        ({"tls_ca_file": str(empty)}, "there is no certificate in it"),
        ({"tls_ca_file": str(damaged)}, "a certificate in it is damaged"),
        ({**own, "tls_certificate_file": "/no/such"}, "tls_certificate_file: it can't be read"),
        ({**own, "tls_certificate_file": str(empty)}, "there is no certificate in it"),
        ({**own, "tls_key": f"file:{empty}"}, "tls_certificate_file and tls_key can't be used"),
        ({**own, "tls_key": "file:/no/such"}, "the secret can't be read"),
    ):
        with pytest.raises(ConfigError, match=text):
            ClientTLS(config(**given), EXTRA)


def test_a_key_of_another_certificate_is_found_out_at_the_start(authority: Authority) -> None:
    one, other = authority.sign("one"), authority.sign("other")
    with pytest.raises(ConfigError, match="tls_certificate_file and tls_key can't be used"):
        ClientTLS(config(tls_certificate_file=str(one.file), tls_key=f"file:{other.key}"), EXTRA)


def test_without_the_libraries_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "OpenSSL.crypto", None)
    with pytest.raises(MissingExtra, match=r"hubbub\[stomp\]"):
        ClientTLS(config(), EXTRA)
