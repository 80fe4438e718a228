"""collectd's binary network protocol, the sender's part. Pure: values in, datagrams out.

The format is documented at https://collectd.org/wiki/index.php/Binary_protocol. The library ``collectd`` on PyPI (1.0,
of 2010) does not run on Python 3 and supports gauges only, hence this implementation; the tests check it with a real
collectd.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from hub.extra import Extra
from hub.monitoring.collectd_values import Kind

Seal = Callable[[bytes], bytes]

HOST, PLUGIN, PLUGIN_INSTANCE, TYPE, TYPE_INSTANCE, VALUES = 0x0000, 0x0002, 0x0003, 0x0004, 0x0005, 0x0006
TIME, INTERVAL, SIGNATURE, ENCRYPTION = 0x0008, 0x0009, 0x0200, 0x0210
KINDS: dict[Kind, int] = {"gauge": 1, "derive": 2}
PACKET_LIMIT = 1452
"""Bytes of a datagram: collectd's default ``MaxPacketSize``, an Ethernet frame less the headers of IPv6 and UDP."""
EXTRA = Extra("SecurityLevel Encrypt", "collectd-encrypt", ("cryptography.hazmat.primitives.ciphers",))
"""The library for AES."""
TEXT_LIMIT = 63
"""Characters of an identifier; collectd cuts longer ones (``DATA_MAX_NAME_LEN`` was 64 in its version 4)."""


@dataclass(frozen=True)
class Value:
    """Measurement. ``type`` is a type of collectd's types.db with a single data source."""

    type: str
    type_instance: str
    kind: Kind
    number: float


@dataclass(frozen=True)
class Origin:
    """Origin that all values of one snapshot share. ``time`` and ``interval`` are in seconds."""

    host: str
    plugin: str
    plugin_instance: str
    time: float
    interval: float


def datagrams(origin: Origin, values: Iterable[Value], seal: Seal, overhead: int) -> Iterator[bytes]:
    """Encode values as datagrams, each complete in itself.

    :param seal: signs or encrypts the payload of a datagram.
    :param overhead: the bytes that ``seal`` adds.
    """
    head = _head(origin)
    payload = head
    for value in values:
        part = _value(value)
        if len(payload) + len(part) + overhead > PACKET_LIMIT:
            yield seal(payload)
            payload = head
        payload += part
    if payload != head:
        yield seal(payload)


def _head(origin: Origin) -> bytes:
    return b"".join(
        (
            _text(HOST, origin.host),
            _number(TIME, round(origin.time * 2**30)),
            _number(INTERVAL, round(origin.interval * 2**30)),
            _text(PLUGIN, origin.plugin),
            _text(PLUGIN_INSTANCE, origin.plugin_instance),
        )
    )


def _value(value: Value) -> bytes:
    # A gauge is the only little-endian number in the protocol.
    gauge = value.kind == "gauge"
    number = struct.pack("<d", value.number) if gauge else struct.pack("!q", int(value.number))
    content = struct.pack("!HB", 1, KINDS[value.kind]) + number
    return _text(TYPE, value.type) + _text(TYPE_INSTANCE, value.type_instance) + _part(VALUES, content)


def _part(kind: int, content: bytes) -> bytes:
    return struct.pack("!HH", kind, 4 + len(content)) + content


def _text(kind: int, text: str) -> bytes:
    return _part(kind, text.encode("utf-8", "replace")[:TEXT_LIMIT].replace(b"\0", b"_") + b"\0")


def _number(kind: int, number: int) -> bytes:
    return _part(kind, struct.pack("!Q", number))


def plain(payload: bytes) -> bytes:
    """Payload unchanged: ``SecurityLevel None``."""
    return payload


def signer(username: str, password: str) -> tuple[Seal, int]:
    """Function that signs a payload, and the bytes that it adds: ``SecurityLevel Sign``."""
    user = username.encode()

    def sign(payload: bytes) -> bytes:
        signature = hmac.digest(password.encode(), user + payload, "sha256")
        return _part(SIGNATURE, signature + user) + payload

    return sign, 4 + 32 + len(user)


def encrypter(username: str, password: str, random: Callable[[int], bytes] = os.urandom) -> tuple[Seal, int]:
    """Function that encrypts a payload, and the bytes that it adds: ``SecurityLevel Encrypt``.

    :raises MissingExtra: the library for AES is not installed.
    """
    EXTRA.check()
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

    try:
        from cryptography.hazmat.decrepit.ciphers.modes import OFB
    except ImportError:
        from cryptography.hazmat.primitives.ciphers.modes import OFB
    user, key = username.encode(), hashlib.sha256(password.encode()).digest()

    def encrypt(payload: bytes) -> bytes:
        vector = random(16)
        # SHA-1 is the protocol's checksum here, not a security measure.
        checked = hashlib.sha1(payload, usedforsecurity=False).digest() + payload
        stream = Cipher(algorithms.AES(key), OFB(vector)).encryptor()
        content = struct.pack("!H", len(user)) + user + vector + stream.update(checked) + stream.finalize()
        return _part(ENCRYPTION, content)

    return encrypt, 4 + 2 + len(user) + 16 + 20
