"""Datagrams, taken apart again. The system tests hold them against a real collectd."""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Iterator

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from hypothesis import given
from hypothesis import strategies as st

from hub.monitoring.collectd_protocol import PACKET_LIMIT, Origin, Value, datagrams, encrypter, plain, signer

try:
    from cryptography.hazmat.decrepit.ciphers.modes import OFB
except ImportError:
    from cryptography.hazmat.primitives.ciphers.modes import OFB

ORIGIN = Origin("host", "hubbub", "hub", 1700000000.5, 10.0)


def parts(datagram: bytes) -> Iterator[tuple[int, bytes]]:
    while datagram:
        kind, length = struct.unpack("!HH", datagram[:4])
        assert 4 <= length <= len(datagram)
        yield kind, datagram[4:length]
        datagram = datagram[length:]


def decoded(datagram: bytes) -> dict[tuple[str, str], float]:
    texts: dict[int, str] = {}
    found: dict[tuple[str, str], float] = {}
    for kind, content in parts(datagram):
        if kind == 6:
            count, source = struct.unpack("!HB", content[:3])
            assert count == 1
            (number,) = struct.unpack("<d" if source == 1 else "!q", content[3:])
            found[texts[4], texts[5]] = number
        elif kind in (8, 9):
            assert struct.unpack("!Q", content)[0] in (int(1700000000.5 * 2**30), 10 * 2**30)
        else:
            assert content.endswith(b"\0")
            texts[kind] = content[:-1].decode()
    assert (texts[0], texts[2], texts[3]) == ("host", "hubbub", "hub")
    return found


def test_gauges_and_counts_arrive_as_they_were() -> None:
    values = [Value("queue_length", "a_backlog", "gauge", 12.5), Value("derive", "a_received", "derive", 2**40)]
    (datagram,) = datagrams(ORIGIN, values, plain, 0)
    assert decoded(datagram) == {("queue_length", "a_backlog"): 12.5, ("derive", "a_received"): 2**40}


@given(st.lists(st.text(st.characters(exclude_characters="\0"), max_size=80), max_size=120, unique=True))
def test_whatever_the_names_no_datagram_is_too_large_and_none_is_lost(names: list[str]) -> None:
    values = [Value("gauge", f"{number}_{name}", "gauge", number) for number, name in enumerate(names)]
    seal, overhead = signer("ann", "secret")
    found: list[float] = []
    for datagram in datagrams(ORIGIN, values, seal, overhead):
        assert len(datagram) <= PACKET_LIMIT
        (_, _), *rest = parts(datagram)
        found += [struct.unpack("<d", content[3:])[0] for kind, content in rest if kind == 6]
    assert found == list(range(len(names)))


def test_a_signature_is_the_protocols() -> None:
    seal, overhead = signer("ann", "secret")
    payload = b"anything"
    datagram = seal(payload)
    assert len(datagram) == len(payload) + overhead
    (kind, content), *_ = parts(datagram[:overhead])
    assert kind == 0x0200
    assert content[:32] == hmac.new(b"secret", b"ann" + payload, "sha256").digest()
    assert content[32:] == b"ann"


def test_what_is_encrypted_can_be_read_with_the_password() -> None:
    seal, overhead = encrypter("ann", "secret", lambda count: bytes(range(count)))
    payload = b"anything"
    ((kind, content),) = parts(seal(payload))
    assert (kind, len(content) + 4) == (0x0210, len(payload) + overhead)
    assert content[:5] == b"\0\x03ann"
    key = hashlib.sha256(b"secret").digest()
    opened = Cipher(algorithms.AES(key), OFB(content[5:21])).decryptor().update(content[21:])
    assert opened == hashlib.sha1(payload, usedforsecurity=False).digest() + payload
