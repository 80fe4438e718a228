"""Settings of a ``[backends.NAME]`` table with ``type = "zeromq"``."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal

from pydantic import ConfigDict

from hub.backends.zeromq.endpoints import BindEndpoint, ConnectEndpoint, Endpoint
from hub.settings import Duration, FilePath, SecretRef, Settings, Size, setting


class Config(Settings):
    """Settings of endpoints, format, limits and authentication."""

    # Secret is a plain class, which pydantic checks by isinstance only with this option.
    model_config = ConfigDict(arbitrary_types_allowed=True)

    connect: list[ConnectEndpoint] = setting(
        [], "Publishers to connect to: 'tcp://host:port', 'tcp://[::1]:port', 'ipc:///path'."
    )
    bind: list[BindEndpoint] = setting(
        [], "Addresses for publishers to connect to. Host '*' is every address; keep to loopback, or configure CURVE."
    )
    publish_connect: list[ConnectEndpoint] = setting([], "Relays to send published messages to.")
    publish_bind: list[BindEndpoint] = setting([], "Addresses for listeners to connect to, for published messages.")
    format: Literal["fedmsg", "raw"] = setting(
        "fedmsg",
        "'fedmsg': bodies are JSON objects in fedmsg's envelope. 'raw': bodies are any bytes and are not parsed.",
    )
    ip: Literal["auto", "4", "6"] = setting(
        "auto",
        "IP version for host names. 'auto': IPv4 for localhost, the resolver's preference for other names.",
    )
    receive_high_water: int = setting(
        50_000,
        "Messages that may wait in the socket, per publisher; the publisher drops further ones. The default is a "
        "quarter of a second at 200,000/s, and about 60MB per publisher if it fills with messages of 1kB.",
        ge=1,
    )
    held_memory: Size = setting(
        "256MiB",
        "Memory that the process may grow by while intake is held back. Beyond that, messages waiting in the socket "
        "are dropped and counted, and endpoints are disconnected until intake resumes; publishers drop meanwhile.",
        ge=1 << 20,
    )
    send_high_water: int = setting(
        50_000, "Messages that may wait for a slow listener; ZeroMQ drops further ones for that listener.", ge=1
    )
    max_message_size: Size = setting("8MiB", "Larger bodies are dropped, and counted as malformed: oversize.", ge=1024)
    max_frame_size: Size = setting(
        "128MiB", "ZeroMQ disconnects a peer that sends a larger frame; this bounds the memory.", ge=1024
    )
    budget: int = setting(1000, "Messages read in one turn of the reactor, before its other work.", ge=1, le=100_000)
    keepalive_idle: Duration = setting("60s", "TCP keepalive: silence before the first probe; 0 turns it off.")
    keepalive_interval: Duration = setting("10s", "TCP keepalive: time between probes.", ge=1)
    keepalive_count: int = setting(6, "TCP keepalive: unanswered probes after which the peer is gone.", ge=1)
    reconnect_interval: Duration = setting("100ms", "First wait before connecting again; ZeroMQ adds jitter.", ge=0.001)
    reconnect_interval_max: Duration = setting(
        "500ms", "The wait doubles up to this. A publisher that lives for less time may be missed.", ge=0.001
    )
    linger: Duration = setting("1s", "Time that a stop waits at most for published messages to be sent.", le=60)
    plain_username: str | None = setting(
        None, "PLAIN: the user name, sent to peers we connect to, required of peers that connect to us. Not encrypted.",
        min_length=1, max_length=255,
    )  # fmt: skip
    plain_password: SecretRef | None = setting(None, "PLAIN: the password, as 'file:/path' or 'credential:name'.")
    curve_secret_key: SecretRef | None = setting(
        None,
        "CURVE: our own key, as 'file:/path' or 'credential:name': a secret key of 40 characters, or a '.key_secret' "
        "file of zmq.auth.create_certificates. Required to bind; to connect, a temporary one is made if it is unset.",
    )
    curve_server_key_file: FilePath | None = setting(
        None, "CURVE: the public key of all peers we connect to; peers with another key need another backend."
    )
    curve_allowed_keys_file: FilePath | None = setting(
        None,
        "CURVE: public keys that may connect to us, one a line, '#' for comments; read again when it changes. "
        "Unset: any peer that knows our public key. Our own key, which the command line uses, is always allowed.",
    )

    @property
    def curve(self) -> bool:
        """True if connections use CURVE: encryption, and authentication by keys."""
        return self.curve_secret_key is not None or self.curve_server_key_file is not None

    def contradictions(self) -> Iterator[str]:
        """Yield each combination of settings that can't be."""
        binds, connects = self.bind + self.publish_bind, self.connect + self.publish_connect
        if not binds and not connects:
            yield "give at least one of connect, bind, publish_connect and publish_bind"
        # A hub may well connect to what it binds itself: so its consumers hear each other.
        for endpoints in (binds, self.connect, self.publish_connect):
            named = [endpoint for endpoint in endpoints if not Endpoint.parse(endpoint).any_port]
            for endpoint in sorted({endpoint for endpoint in named if named.count(endpoint) > 1}):
                yield f"{endpoint} is given twice"
        if self.max_frame_size < self.max_message_size:
            yield "max_frame_size must not be smaller than max_message_size"
        if self.reconnect_interval_max < self.reconnect_interval:
            yield "reconnect_interval_max must not be shorter than reconnect_interval"
        yield from self._security_problems(bool(binds), bool(connects))

    def _security_problems(self, binds: bool, connects: bool) -> Iterator[str]:
        if (self.plain_username is None) != (self.plain_password is None):
            yield "plain_username and plain_password go together"
        if self.plain_username is not None and self.curve:
            yield "PLAIN and CURVE exclude each other: a connection has one of them"
        if self.curve and connects and self.curve_server_key_file is None:
            yield "with CURVE, connect and publish_connect need curve_server_key_file, or they would not be encrypted"
        if self.curve and binds and self.curve_secret_key is None:
            yield "with CURVE, bind and publish_bind need curve_secret_key"
        if self.curve_server_key_file is not None and not connects:
            yield "curve_server_key_file is for connect and publish_connect, and neither is given"
        if self.curve_allowed_keys_file is not None and not (binds and self.curve_secret_key):
            yield "curve_allowed_keys_file is for bind and publish_bind with curve_secret_key"


def no_place_for(config: Config, headers: Collection[str]) -> str | None:
    """Return why a message loses these headers; see :class:`hub.interfaces.LosingHeaders`."""
    if config.format == "fedmsg" or not headers:
        return None
    return f"format = 'raw' has no place for headers: {', '.join(headers)} would be lost"
