import os
import shutil
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.backends.stomp.tls import ServerTLS
from hub.errors import ConfigError, MissingExtra
from tests.certificates import Authority, Certificate
from tests.conftest import ReactorThread
from tests.unit.backends.stomp.server import CONNECT, Client, Server, running


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def own(authority: Authority) -> Certificate:
    return authority.sign("server", "localhost")


@pytest.fixture
def server(reactor_thread: ReactorThread, own: Certificate, authority: Authority) -> Iterator[Server]:
    with running(reactor_thread, tls=ServerTLS(own.file, own.key, authority.file)) as made:
        yield made


def client(server: Server, authority: Authority, certificate: Certificate | None = None) -> Client:
    context = ssl.create_default_context(cafile=str(authority.file))
    if certificate is not None:
        context.load_cert_chain(certificate.file, certificate.key)
    return server.client(lambda sock: context.wrap_socket(sock, server_hostname="localhost"))


def test_frames_come_and_go(server: Server, authority: Authority) -> None:
    secure = client(server, authority)
    secure.connect()
    secure.send(b"SEND\nreceipt:1\n\n\0")
    assert secure.frame().headers == {"receipt-id": "1"}
    transport = server.session.transport
    assert (transport.encrypted, transport.certificate, transport.loopback) == (True, None, True)


def test_an_error_is_read_before_the_end(server: Server, authority: Authority) -> None:
    secure = client(server, authority)
    secure.connect()
    secure.send(b"BAD\n\n\0" + b"SEND\n\nnever\0" * 5000)
    assert secure.frame().command == "ERROR"
    assert secure.rest() == b""
    secure.socket.close()
    server.gone()


def test_a_large_frame_and_a_pause(server: Server, authority: Authority) -> None:
    secure = client(server, authority)
    secure.connect()
    secure.send(b"PAUSE\n\n\0SEND\ncontent-length:90000\n\n" + b"x" * 90_000 + b"\0SEND\nreceipt:1\n\n\0")
    server.wait(lambda: "PAUSE" in server.session.commands, "the pause")
    server.call(server.session.transport.resume)
    assert secure.frame().command == "RECEIPT"
    assert [len(frame.body) for frame in server.session.frames] == [0, 0, 90_000, 0]
    server.call(server.session.transport.send, b"MESSAGE\n\n" + b"y" * 500_000 + b"\0")
    assert len(secure.frame().body) == 500_000
    server.wait(lambda: server.session.told == ["blocked", "writable"], "the end of the block")


def test_a_client_is_named_by_its_certificate(server: Server, authority: Authority) -> None:
    client(server, authority, authority.sign("alice")).connect()
    assert server.session.transport.certificate == "alice"


def test_a_certificate_of_another_authority_is_refused(server: Server, authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "stranger").sign("alice")
    with pytest.raises(OSError, match="alert"):
        client(server, authority, stranger).connect()
    assert server.sessions == []


def test_a_certificate_may_be_required(reactor_thread: ReactorThread, own: Certificate, authority: Authority) -> None:
    with running(reactor_thread, tls=ServerTLS(own.file, own.key, authority.file, required=True)) as server:
        with pytest.raises(OSError, match="alert"):
            client(server, authority).connect()
        client(server, authority, authority.sign("bob")).connect()
        assert server.session.transport.certificate == "bob"


def test_one_too_many_is_told_so_within_tls(
    reactor_thread: ReactorThread, own: Certificate, authority: Authority
) -> None:
    with running(reactor_thread, tls=ServerTLS(own.file, own.key), max_connections=1) as server:
        client(server, authority).connect()
        other = client(server, authority)
        other.send(CONNECT)
        assert other.frame().headers["message"] == "there are 1 connections: no more are accepted"
        assert server.connections.ended == {"refuse": 1}


@pytest.mark.parametrize("data", [CONNECT, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\n"])
def test_who_speaks_without_tls_is_told(server: Server, data: bytes) -> None:
    plain = server.client()
    plain.send(data)
    assert b"message:this port expects TLS, and the client speaks without it\n" in plain.rest()
    assert server.connections.ended == {"tls": 1}


def test_who_begins_tls_and_goes_no_further_is_cut(server: Server) -> None:
    plain = server.client()
    plain.send(bytes([0x16, 3, 1, 2, 0]))
    server.wait(lambda: any(connection.encrypted for connection in server.connections._open), "the first bytes")
    server.advance(10.1)
    server.advance(4)
    server.gone()
    assert server.connections.ended == {"login": 1}


def test_garbage_after_the_first_byte_ends_the_connection(server: Server) -> None:
    plain = server.client()
    plain.send(b"\x16" + b"nothing of TLS" * 10)
    plain.rest()
    server.gone()
    assert server.sessions == []


def copied(certificate: Certificate, directory: Path) -> Certificate:
    copy = Certificate(directory / "server.pem", directory / "server.key")
    shutil.copy(certificate.file, copy.file)
    shutil.copy(certificate.key, copy.key)
    return copy


def test_a_renewed_certificate_serves_new_connections(
    reactor_thread: ReactorThread, own: Certificate, authority: Authority, tmp_path: Path
) -> None:
    files = copied(own, tmp_path)
    tls = ServerTLS(files.file, files.key)
    with running(reactor_thread, tls=tls) as server:
        before = client(server, authority)
        before.connect()
        files.file.write_text("damaged")
        assert client(server, authority).connect().command == "CONNECTED"
        (line,) = server.log.lines()
        assert line.startswith(
            "a certificate that was renewed can't be used, the former one serves: tls_certificate_file"
        )
        renewed = authority.sign("renewed", "localhost")
        for new, old in ((renewed.file, files.file), (renewed.key, files.key)):
            shutil.copy(new, tmp_path / "new")
            os.replace(tmp_path / "new", old)
        after = client(server, authority)
        assert dict(name[0] for name in after.socket.getpeercert()["subject"]) == {"commonName": "renewed"}
        assert len(server.log.lines()) == 1
        before.send(b"SEND\nreceipt:1\n\n\0")
        assert before.frame().command == "RECEIPT"


def test_a_chain_is_sent(reactor_thread: ReactorThread, authority: Authority, tmp_path: Path) -> None:
    between = Authority(tmp_path / "between", "between", authority)
    own = between.sign("server", "localhost")
    own.file.write_bytes(own.file.read_bytes() + between.file.read_bytes())
    with running(reactor_thread, tls=ServerTLS(own.file, own.key)) as server:
        client(server, authority).connect()


def test_files_that_can_t_be_used_are_named(own: Certificate, authority: Authority, tmp_path: Path) -> None:
    nowhere, empty = tmp_path / "nowhere", tmp_path / "empty"
    empty.touch()
    damaged = tmp_path / "damaged"
    damaged.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for arguments, problem in (
        ((nowhere, own.key), f"tls_certificate_file: {nowhere} can't be read: No such file or directory"),
        ((empty, own.key), f"tls_certificate_file: {empty} can't be used: there is no certificate in it"),
        ((damaged, own.key), f"tls_certificate_file: {damaged} can't be used: a certificate in it is damaged"),
        ((own.file, nowhere), f"tls_key_file: {nowhere} can't be read: No such file or directory"),
        ((own.file, empty), f"tls_key_file: {empty} is no PEM key"),
        ((own.file, own.key, empty), f"tls_client_ca_file: {empty} can't be used: there is no certificate in it"),
        ((own.file, authority.sign("other").key), f"is not the key of {own.file}"),
    ):
        with pytest.raises(ConfigError) as caught:
            ServerTLS(*arguments)
        assert problem in str(caught.value)


def test_the_extra_is_named_where_it_is_missing(own: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "OpenSSL", None)
    with pytest.raises(MissingExtra, match=r"TLS of the STOMP server needs .* 'hubbub\[stomp\]'"):
        ServerTLS(own.file, own.key)
