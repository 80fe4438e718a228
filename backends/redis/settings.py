"""Settings of a ``[backends.NAME]`` table with ``type = "redis"``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict

from hub.backends.bounds import MOST_TOPIC
from hub.backends.broker_address import Address
from hub.backends.redis.address import SENTINEL, SERVER, SentinelAddress, ServerAddress
from hub.settings import Duration, FilePath, SecretRef, Settings, Size, setting

PLACEHOLDER = "{topic}"


def _key(text: str) -> str:
    if not text or not text.isprintable():
        raise ValueError(f"expected the name of a stream or channel, not {text!r}")
    if len(text) > MOST_TOPIC:
        raise ValueError(f"expected the name of a stream or channel, of {MOST_TOPIC} characters at most")
    return text


def _template(text: str) -> str:
    if "{" in text.replace(PLACEHOLDER, "") or "}" in text.replace(PLACEHOLDER, ""):
        raise ValueError(f"{text!r}: the only placeholder is {PLACEHOLDER}")
    return _key(text)


Key = Annotated[str, AfterValidator(_key)]
Template = Annotated[str, AfterValidator(_template)]


class Config(Settings):
    """Settings of servers, login, streams, channels and limits."""

    # Secret is a plain class, which pydantic checks by isinstance only with this option.
    model_config = ConfigDict(arbitrary_types_allowed=True)

    connect: ServerAddress | None = setting(
        None,
        "The server: 'redis://host:port', or 'rediss://host:port' for TLS. With sentinels it is left out.",
        example="redis://127.0.0.1:6379",
    )
    sentinels: list[SentinelAddress] = setting(
        [],
        "Sentinels, which name the master: an odd number, so that most of them can agree. 'rediss:' for TLS, to the "
        "servers too.",
    )
    master: str | None = setting(None, "Name of the master at the Sentinels.", min_length=1, example="mymaster")
    username: str | None = setting(None, "Name of the hub's user (ACL) at the server.", min_length=1)
    password: SecretRef | None = setting(None, "That user's password, as 'file:/path' or 'credential:name'.")
    sentinel_username: str | None = setting(None, "Name of the hub's user at the Sentinels.", min_length=1)
    sentinel_password: SecretRef | None = setting(
        None, "That user's password, as 'file:/path' or 'credential:name'. Unset: the Sentinels ask for none."
    )
    database: int = setting(0, "Number of the database at the server. Pub/sub has no databases.", ge=0)
    streams: list[Key] = setting([], "Streams to receive from, by a consumer group.")
    group: str = setting("hubbub", "Name of the consumer group. Hubs of one group share the messages.", min_length=1)
    consumer: str | None = setting(
        None,
        "Name of this hub in the group. It must stay the same when the hub starts again, so that the hub is given what "
        "it had not acknowledged; no two hubs may have the same. Unset: that of the machine, with the state directory "
        "unless that is /var/lib/hubbub.",
        min_length=1,
    )
    start: Literal["oldest", "newest"] = setting(
        "oldest", "Where a group begins that the hub has to make: at the oldest entry of the stream, or with new ones."
    )
    channels: list[Key] = setting(
        [],
        "Pub/sub channels to receive from; one with '*', '?' or '[' is a pattern. Messages are lost that are sent "
        "while the hub is away.",
    )
    publish: Template | None = setting(
        None, "Stream of published messages, such as 'work' or 'out.{topic}'. Unset: none."
    )
    publish_channel: Template | None = setting(
        None, "Pub/sub channel of published messages, such as '{topic}', instead of a stream."
    )
    publish_max_length: int | None = setting(
        None, "Entries of that stream that are kept, about (XADD MAXLEN ~): older ones go, read or not.", ge=1
    )
    publish_window: int = setting(
        500,
        "Published messages that may be unconfirmed at once. 1 keeps their order also when one is sent again.",
        ge=1,
    )
    wait_replicas: int | None = setting(
        None,
        "Replicas that must have a published message before it counts as published (WAIT). Unset: 1 with sentinels, "
        "else 0. An old master that does not know of a failover yet has none.",
        ge=0,
    )
    format: Literal["plain", "fedmsg", "fedora-messaging", "cloudevents"] = setting(
        "plain",
        "'plain': an entry's field 'body' is the body, 'topic' the topic, 'id' the id, all others are headers. "
        "'fedmsg': the body is a JSON object in fedmsg's envelope, which has the topic and the id; others are refused, "
        "and counted as malformed: not_json, not_an_object. 'fedora-messaging': headers and bodies as its consumers "
        "and publishers have them; others are refused, and counted as malformed: severity, not_json, not_an_object. "
        "'cloudevents': CloudEvents 1.0, of which both modes are read; others are refused, and counted as malformed: "
        "cloudevent.",
    )
    topic_prefix: str | None = setting(
        None,
        "fedora-messaging: put before topics of published messages, with a dot, unless a topic has it.",
        example="org.fedoraproject.prod",
        min_length=1,
    )
    cloudevents_mode: Literal["binary", "structured"] = setting(
        "structured",
        "cloudevents: how events are published. 'binary': attributes are fields of the entry, 'ce-NAME'. 'structured': "
        "all is one JSON body.",
    )
    cloudevents_source: str = setting(
        "/hubbub", "Source of published CloudEvents, where a message has no header 'ce-source'.", min_length=1
    )
    count: int = setting(500, "Entries of a stream that are asked for at once.", ge=1, le=100_000)
    prefetch: int = setting(5000, "Entries that the hub may have before the first of them is acknowledged.", ge=1)
    claim_idle: Duration = setting(
        "30s",
        "An entry that another hub of the group has had for so long without a sign of life is taken over. A hub gives "
        "that sign for all it has, however long it works, at a fourth of this.",
        ge=1,
    )
    max_deliveries: int | None = setting(
        None,
        "An entry that was delivered more often is given up, as it may be what ends the hubs: refused, and counted as "
        "malformed: deliveries. Each start of a hub counts for all that it has not acknowledged.",
        ge=1,
    )
    refused_stream: Key | None = setting(
        None, "Stream to which entries are moved that are refused. Unset: they are acknowledged, and stay in theirs."
    )
    trim: Literal["never", "acknowledged", "always"] = setting(
        "never",
        "Which entries the hub takes out of the streams. 'acknowledged': what all groups have acknowledged. 'always': "
        "what keep_length or keep_age say, read or not.",
    )
    keep_length: int | None = setting(None, "With trim = 'always': entries of each stream that are kept, about.", ge=1)
    keep_age: Duration | None = setting(None, "With trim: entries younger than this are kept.", ge=1)
    timeout: Duration = setting("5s", "Time for an answer of the server; then the hub connects again.", ge=0.1)
    connect_timeout: Duration = setting("5s", "Time to connect and log in.", ge=0.1)
    reconnect_interval_max: Duration = setting(
        "4s", "Between two attempts to connect the hub waits, for a random time that grows up to this.", ge=0.1
    )
    max_message_size: Size = setting(
        "8MiB", "Larger bodies are refused, counted as malformed: oversize, and not published.", ge=1024
    )
    tls_ca_file: FilePath | None = setting(
        None, "TLS: certificates of the authorities that the hub trusts, in PEM. Unset: those of the system."
    )
    tls_server_name: str | None = setting(
        None,
        "TLS: name that the certificates must have, and that is sent (SNI). Unset: the host of each server.",
        min_length=1,
    )
    tls_certificate_file: FilePath | None = setting(
        None, "TLS: the hub's own certificate, in PEM, with any intermediate ones after it."
    )
    tls_key: SecretRef | None = setting(
        None, "TLS: the key of that certificate, in PEM without a passphrase, as 'file:/path' or 'credential:name'."
    )

    @property
    def server(self) -> Address | None:
        """The server; ``None``: the Sentinels name it."""
        return None if self.connect is None else SERVER.parse(self.connect)

    @property
    def sentinel_addresses(self) -> list[Address]:
        """The Sentinels."""
        return [SENTINEL.parse(text) for text in self.sentinels]

    @property
    def tls(self) -> bool:
        """True if some connection is encrypted."""
        return any(text.startswith("rediss:") for text in (self.connect or "", *self.sentinels))

    @property
    def replicas(self) -> int:
        """Replicas that must have a published message."""
        return int(bool(self.sentinels)) if self.wait_replicas is None else self.wait_replicas

    def contradictions(self) -> Iterator[str]:
        """Yield each combination of settings that can't be."""
        yield from self._servers()
        if not self.streams and not self.channels and not self.publish and not self.publish_channel:
            yield "give streams or channels to receive from, or publish"
        if self.streams and self.channels:
            yield "streams and channels are two ways to receive: take a backend for each"
        if self.publish and self.publish_channel:
            yield "give publish or publish_channel, not both"
        for name, texts in (("streams", self.streams), ("channels", self.channels), ("sentinels", self.sentinels)):
            for text in sorted({text for text in texts if texts.count(text) > 1}):
                yield f"{name}: {text} is given twice"
        yield from self._formats()
        yield from self._trimming()
        yield from self._secrets()

    def _servers(self) -> Iterator[str]:
        if (self.connect is None) == (not self.sentinels):
            yield "give connect, or sentinels and master"
        if bool(self.sentinels) != (self.master is not None):
            yield "sentinels and master go together"

    def _formats(self) -> Iterator[str]:
        if self.topic_prefix is not None and self.format != "fedora-messaging":
            yield "topic_prefix is for format = 'fedora-messaging'"
        if self.format == "fedora-messaging" and (self.channels or self.publish_channel):
            yield "format = 'fedora-messaging' needs streams: its headers are fields, and a channel's message has none"
        if self.format == "cloudevents" and self.cloudevents_mode == "binary" and self.publish_channel:
            yield "cloudevents_mode = 'binary' needs a stream: attributes are fields, and a channel's message has none"

    def _trimming(self) -> Iterator[str]:
        if self.trim == "always" and (self.keep_length is None) == (self.keep_age is None):
            yield "trim = 'always' needs keep_length or keep_age, one of them"
        if self.keep_length is not None and self.trim != "always":
            yield "keep_length needs trim = 'always'"
        if self.keep_age is not None and self.trim == "never":
            yield "keep_age needs trim"
        if self.refused_stream in self.streams:
            yield "refused_stream is one of the streams"

    def _secrets(self) -> Iterator[str]:
        for name in ("username", "sentinel_username"):
            secret = name.replace("username", "password")
            if getattr(self, name) is not None and getattr(self, secret) is None:
                yield f"{name} needs {secret}"
        if (self.tls_certificate_file is None) != (self.tls_key is None):
            yield "tls_certificate_file and tls_key go together"
        for name in ("tls_ca_file", "tls_server_name", "tls_certificate_file"):
            if getattr(self, name) is not None and not self.tls:
                yield f"{name} is for TLS, and no address begins with 'rediss:'"
