"""Settings of a ``[backends.NAME]`` table with ``type = "stomp-server"``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator

from hub import queue_name
from hub.address import TcpAddress, parse, valid
from hub.settings import Duration, FilePath, Settings, Size, setting

_PREFIXES = ("/topic/", "/queue/")


def _destinations(patterns: list[str]) -> list[str]:
    for pattern in patterns:
        if not pattern.startswith(_PREFIXES) or pattern in _PREFIXES or any(map(str.isspace, pattern)):
            raise ValueError(f"expected patterns such as '/topic/a.#' or '/queue/*', not {pattern!r}")
    return patterns


def _queue_names(queues: dict[str, QueueSettings]) -> dict[str, QueueSettings]:
    for name in queues:
        if found := queue_name.flaw(name):
            raise ValueError(f"the name of the queue {name!r} {found}")
    return queues


Destinations = Annotated[list[str], AfterValidator(_destinations)]


class UserRights(Settings):
    """Rights of one user."""

    read: Destinations = setting([], "Destinations that it may subscribe to: '/topic/a.#', '/queue/*'.")
    write: Destinations = setting([], "Destinations that it may send to.")


class QueueSettings(Settings):
    """Settings of one queue."""

    jobs: bool | str = setting(
        False,
        "true: the queue is one of jobs, in the hub's database [jobs.NAME]. If there are several of these, the name of "
        "the one.",
        example=True,
    )


Queues = Annotated[dict[str, QueueSettings], AfterValidator(_queue_names)]


class Config(Settings):
    """Settings of addresses, logins, rights and limits."""

    listen: list[Annotated[str, AfterValidator(valid)]] = setting(
        ["127.0.0.1:61613"],
        "Addresses: '127.0.0.1:61613', '[::1]:61613', 'unix:/path'. STOMP and WebSocket share each of them. Other "
        "machines can be let in only with users_file or tls_client_ca_file.",
        min_length=1,
    )
    web: bool = setting(
        False,
        "true: each web server of the hub takes STOMP over WebSocket too, at /backends/NAME/websocket. Its clients are "
        "this server's, with the same logins, rights, limits and origins; 'public_hosts' of the web server holds too.",
    )
    mode: str = setting("0660", "Permissions of Unix sockets, octal.", pattern="^0?[0-7]{3}$")
    tls_certificate_file: FilePath | None = setting(
        None, "Certificate chain, PEM: the TCP addresses speak TLS then, and nothing else."
    )
    tls_key_file: FilePath | None = setting(None, "Private key of the certificate, PEM, without a passphrase.")
    tls_client_ca_file: FilePath | None = setting(
        None,
        "Certificates, PEM, that sign those of clients: a client that shows one is the user whom its common name "
        "names, without a login. Without users_file every client needs one.",
    )
    users_file: FilePath | None = setting(
        None,
        "Users with hashed passwords; 'hubbub stomp passwd' writes it. Read again when it changes. Unset: any login is "
        "accepted, on loopback and Unix sockets, but not through a proxy that adds X-Forwarded-For.",
        example="/etc/hubbub/stomp.users",
    )
    rights: dict[str, UserRights] = setting(
        {},
        "What users may read and write; '*' is for those who are not named, and for clients without a login. Empty: "
        "everybody may do everything.",
    )
    queues: Queues = setting({}, "Queues that are not the hub's own: [backends.NAME.queues.thumbnails], jobs = true.")
    virtual_hosts: list[str] = setting(
        [], "Names that the 'host' header of CONNECT may have. Empty: any. A client that sends none is accepted."
    )
    origins: list[str] = setting(
        [],
        "Origins of web pages that may connect by WebSocket: 'https://example.org'. Empty: those of this machine, "
        "http://localhost and http://127.0.0.1 with any port.",
    )
    max_connections: int = setting(2000, "Connections at the same time.", ge=1, le=1_000_000)
    max_connections_per_address: int = setting(
        1000,
        "Connections at the same time from one address, so that no client takes all of them. An IPv6 network of 64 "
        "bits counts as one address. Clients of one proxy share its address; those of Unix sockets have no such limit.",
        ge=1,
        le=1_000_000,
    )
    connect_timeout: Duration = setting("10s", "Time for a client to send CONNECT.", gt=0)
    max_headers: int = setting(100, "Headers of a frame.", ge=10, le=10_000)
    max_line: Size = setting("10KiB", "Length of a header.", ge=256)
    max_body: Size = setting("8MiB", "Size of a body.", ge=1024)
    max_before_login: Size = setting("10KiB", "Size of a frame before the login.", ge=1024)
    heart_beat: Duration = setting(
        "1s",
        "Shortest interval of heart-beats that it agrees on, in either direction; clients ask for them. 0: none.",
        le=3600,
    )
    read_timeout: Duration = setting("1m", "A client that does not read what it is sent for so long is dropped.", gt=0)
    max_subscriptions: int = setting(1000, "Subscriptions of a connection.", ge=1)
    max_temporary_queues: int = setting(100, "Temporary queues of a connection.", ge=1)
    max_transactions: int = setting(100, "Open transactions of a connection.", ge=1)
    max_transaction_frames: int = setting(10_000, "Frames in all open transactions of a connection.", ge=1)
    max_transaction_size: Size = setting("16MiB", "Bytes of bodies in all open transactions of a connection.", ge=1)
    prefetch: int = setting(
        200, "Messages that a subscription may have unacknowledged, if it asks for no other number.", ge=1
    )
    max_prefetch: int = setting(10_000, "Most that it may ask for: 'prefetch-count', 'activemq.prefetchSize'.", ge=1)
    prefetch_size: Size = setting(
        "8MiB", "Bytes of bodies that a subscription may have unacknowledged; one message is always allowed.", ge=1
    )
    max_attempts: int = setting(
        5, "NACKs after which a message becomes a dead letter; one with 'requeue:false' does at once.", ge=1
    )
    max_deliveries: int = setting(
        20,
        "Deliveries after which a message becomes a dead letter, if the connection of the client that has it is lost: "
        "it may be what ends the client. It concerns the first of the messages that a subscription has in hand; what "
        "UNSUBSCRIBE, DISCONNECT or the server's own end give back is never buried. As 'delivery-limit' of RabbitMQ's "
        "quorum queues. 0: no limit.",
        ge=0,
    )
    backoff: Duration = setting(
        "1s", "Longest delay before a message with a NACK comes again; the limit doubles with each further one."
    )
    backoff_limit: Duration = setting("5m", "Longest delay after any NACK.")
    queue_backlog: int | None = setting(
        None, "Messages that a queue may hold. Unset: no limit but the disk's.", ge=1, example=1_000_000
    )
    queue_size: Size | None = setting(
        None, "Bytes of bodies that a queue may hold. Unset: no limit but the disk's.", ge=1, example="10GiB"
    )
    queue_overflow: Literal["drop_newest", "drop_oldest", "block"] = setting(
        "drop_newest",
        "What happens to a message for a full queue. 'drop_newest': its sender gets an ERROR. 'drop_oldest': the "
        "oldest is dropped and counted. 'block': all senders wait, see 'when_held'.",
    )
    subscriber_backlog: int = setting(
        10_000, "Messages that wait for a subscriber of a topic; the oldest are dropped and counted.", ge=1
    )
    subscriber_size: Size = setting("16MiB", "Bytes of bodies that wait for a subscriber of a topic.", ge=1)
    when_held: Literal["wait", "refuse"] = setting(
        "wait",
        "What becomes of a SEND while the hub takes no messages, because a queue or the disk is full. 'wait': it "
        "waits, within 'max_held'. 'refuse': its sender gets an ERROR. ACK, NACK and heart-beats go on either way.",
    )
    max_held: int = setting(1000, "Messages of one connection that may wait; beyond that it gets an ERROR.", ge=1)
    max_held_size: Size = setting("8MiB", "Bytes of bodies of one connection that may wait.", ge=1)

    @property
    def tls(self) -> bool:
        """True if TCP connections are encrypted."""
        return self.tls_certificate_file is not None

    def job_queues(self) -> dict[str, str | None]:
        """Names of queues of jobs, each with that of its database; ``None``: the only one."""
        return {
            name: None if one.jobs is True else one.jobs for name, one in self.queues.items() if one.jobs is not False
        }

    def uses_of_jobs(self) -> Iterator[tuple[tuple[str, ...], str | None]]:
        """Yield the place of each setting that names a database of jobs, and the name; ``None``: the only one."""
        for name, database in self.job_queues().items():
            yield ("queues", name, "jobs"), database

    def contradictions(self) -> Iterator[str]:
        """Yield each combination of settings that can't be."""
        addresses = [parse(text) for text in self.listen]
        for text in sorted({text for text in self.listen if self.listen.count(text) > 1}):
            yield f"listen has {text} twice"
        open_ = [str(one) for one in addresses if isinstance(one, TcpAddress) and not one.loopback]
        if open_ and self.users_file is None and self.tls_client_ca_file is None:
            yield f"{open_[0]} can be reached from other machines: give users_file or tls_client_ca_file"
        if (self.tls_certificate_file is None) != (self.tls_key_file is None):
            yield "tls_certificate_file and tls_key_file go together"
        if self.tls_client_ca_file is not None and not self.tls:
            yield "tls_client_ca_file needs tls_certificate_file"
        if self.prefetch > self.max_prefetch:
            yield "prefetch must not be more than max_prefetch"
        if self.backoff_limit < self.backoff:
            yield "backoff_limit must not be shorter than backoff"
