"""Every setting of the hub's own, once; a plugin's are its ``Config``. :mod:`~hub.configuration.loading` reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from hub.plugins import Plugin
from hub.settings import Duration, FilePath, Settings, Size, Topics, setting

Overflow = Literal["auto", "block", "drop_oldest", "drop_newest"]
Ordering = Literal["arrival", "strict"]
LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]


class HubSettings(Settings):
    """``[hub]``: the daemon itself."""

    state_dir: FilePath | None = setting(
        None,
        "Where the hub keeps its state. Unset: $STATE_DIRECTORY (systemd's), else /var/lib/hubbub for a file "
        "under /etc, else 'state' beside the file.",
    )
    control_socket: FilePath | None = setting(
        None,
        "The Unix socket that 'hubbub status' and the others talk to. Unset: hub.sock in $RUNTIME_DIRECTORY "
        "(systemd's), else /run/hubbub/hub.sock for a file under /etc, else hub.sock in state_dir.",
    )
    control_mode: str = setting("0660", "Permissions of the control socket, octal.", pattern="^0?[0-7]{3}$")
    stop_timeout: Duration = setting("30s", "How long a stop waits for the messages that are being consumed.")
    log_level: LogLevel = setting("info", "The least important lines that are logged.")
    log_to: Literal["auto", "stderr", "journal"] = setting(
        "auto", "Where the log goes; 'auto' is the journal, natively, when systemd started the hub."
    )
    log_format: LogFormat = setting(
        "text", "Of lines on stderr; 'json': an object a line. The journal is given its fields either way."
    )
    log_levels: dict[str, LogLevel] = setting(
        {},
        "Levels of single parts, such as 'backend.bus', 'hub.store' or 'consumer' (all of them), and of libraries' "
        "loggers, by name; the others have log_level.",
    )
    sync: str = setting(
        "commit",
        "What is waited for before a message is confirmed: 'commit', the disk, at every group commit; "
        "'interval:100ms', the same, but at most so often; 'none': nothing, so that a power cut may cost messages.",
        pattern=r"^(commit|none|interval:\S+)$",
    )
    deduplicate: Duration = setting(
        "0s",
        "A message that comes again within this time, with the same id, topic and body, is left out, and counted. "
        "For buses that deliver by two ways.",
    )
    keep: Duration = setting(
        "0s",
        "How long messages are kept after all queues are done with them, for a replay; with 'max_disk' the oldest go "
        "before their time where there must be room.",
    )
    max_disk: Size | None = setting(
        None,
        "Bytes that the store may have in use; beyond: each queue's 'overflow'. Unset: no bound.",
        example="20GiB",
        ge=1,
    )
    map_size: Size | None = setting(
        None,
        "Addresses (not disk, not memory) that the store's file is mapped into at the start; more are taken when they "
        "are used up. Unset: 1TiB, or what there is of it: less in a 39-bit address space, or under a process limit.",
        example="64GiB",
        ge=1 << 20,
    )
    switch_interval: Duration = setting(
        "500us",
        "How long one thread may keep Python's lock while another wants it. CPython's own 5ms lets "
        "a few busy consumers delay the receiving thread by half a second.",
        gt=0,
    )


class ConsumerSettings(Settings):
    """``[consumers.NAME]``: what the hub sets for every consumer; its own settings stand beside these."""

    type: str = setting(..., "An installed consumer's name, 'package.module:Class', or 'file.py:Class'.")
    enabled: bool = setting(True, "false: as if the table were not there.")
    topics: Topics | None = setting(
        None,
        "Which topics: 'a.b.c' exactly, 'a.b.*' one word, 'a.#' any rest, 'a.b*' any ending. "
        "Unset: what its class says (everything, if it says nothing).",
    )
    threads: int | None = setting(None, "Worker threads. Unset: what its class says (1).", ge=1, le=256)
    timeout: Duration = setting("5m", "A message that takes longer is reported, with the thread's stack.", gt=0)
    max_attempts: int = setting(5, "Failures after which a message is a dead letter.", ge=1, le=1_000_000)
    backoff: Duration = setting("1s", "The first retry comes within this; each further one within twice the last.")
    backoff_limit: Duration = setting("5m", "The longest delay between two attempts.")
    max_kills: int = setting(
        3, "How often the hub may be killed while a message is in hand; then it is a dead letter.", ge=1, le=1_000_000
    )
    max_dead: int = setting(
        10_000, "Dead letters kept; beyond it the oldest is dropped, and counted.", ge=0, le=1_000_000_000
    )
    max_dead_bytes: Size = setting(
        "64MiB",
        "Bytes of its dead letters together; beyond it the oldest is dropped, and counted, but never the newest. With "
        "'max_disk' a consumer's share of a quarter of that, where this is less.",
        ge=1,
    )
    max_dead_age: Duration = setting("180d", "A dead letter that is older is dropped, and counted.", gt=0)
    begin: Duration = setting(
        "0s",
        "A new consumer begins with messages that are so old, as far as the store has kept them ('keep' in [hub]). "
        "0: with what comes from now on.",
    )
    renamed_from: str | None = setting(
        None,
        "The name that it had before: the queue of that name, which is an orphan now, becomes its own, at a start or a "
        "reload. A queue that it has already must be empty.",
        example="old",
    )
    durable: bool = setting(
        True,
        "Whether its queue is kept on the disk. false: faster, and a stop or a crash loses what waits. A change is "
        "applied while nothing is left in the queue; until then it stays where it is, and a reload says so.",
    )
    max_backlog: int | None = setting(
        None,
        "Messages that may wait; what happens beyond is 'overflow'. Unset: no bound if durable, else 100000.",
        example=100_000,
        ge=1,
        le=1_000_000_000_000,
    )
    max_backlog_bytes: Size | None = setting(
        None,
        "Bytes of bodies that may wait; beyond: 'overflow'. Unset: no bound if durable, else 128MiB.",
        example="1GiB",
        ge=1,
    )
    max_age: Duration | None = setting(
        None,
        "A message that has waited longer is dropped, and counted, unless it was tried already. Unset: none is.",
        example="7d",
        gt=0,
    )
    overflow: Overflow = setting(
        "auto",
        "A full queue: 'block' holds back the bus (and so the other consumers), 'drop_newest' refuses what "
        "comes, 'drop_oldest' gives up what waited longest; each loss is counted. 'auto' blocks if every bus keeps "
        "what is not read, else it is drop_newest.",
    )
    ordering: Ordering = setting(
        "arrival", "'arrival': in order, but a retry waits aside. 'strict': nothing passes a message that failed."
    )
    order_by: str | None = setting(
        None,
        "With more threads than one: keep the order of messages that agree in this, 'header:NAME' or "
        "'body:msg.package.name'.",
        pattern=r"^(header:\S+|body:\S+)$",
    )
    batch_size: int | None = setting(None, "The most that consume_batch() is given at once.", ge=1, le=100_000)
    batch_wait: Duration | None = setting(None, "How long a batch that is not full waits for more.")
    every: Duration | None = setting(None, "How often tick() is called. Unset: what its class says.", gt=0)


class BackendSettings(Settings):
    """``[backends.NAME]``: what every backend has; its own settings stand beside these."""

    type: str = setting(..., "An installed backend's name, 'package.module:Class', or 'file.py:Class'.")
    enabled: bool = setting(True, "false: as if the table were not there.")


class ExporterSettings(Settings):
    """``[exporters.NAME]``: what every exporter has; its own settings stand beside these."""

    type: str = setting(..., "An installed exporter's name, 'package.module:Class', or 'file.py:Class'.")
    enabled: bool = setting(True, "false: as if the table were not there.")
    interval: Duration = setting("10s", "How often it is given the numbers.", gt=0)


class ServerSettings(Settings):
    """``[servers.NAME]``: what every server has; its own settings stand beside these."""

    type: str = setting(..., "An installed server's name, 'package.module:Class', or 'file.py:Class'.")
    enabled: bool = setting(True, "false: as if the table were not there.")


SECTIONS: dict[str, tuple[type[Settings], str]] = {
    "backends": (BackendSettings, "hub.backends"),
    "consumers": (ConsumerSettings, "hub.consumers"),
    "exporters": (ExporterSettings, "hub.exporters"),
    "servers": (ServerSettings, "hub.servers"),
}
"""Tables of named plugins: what the hub sets for each, and the entry point group its ``type`` is looked up in."""


@dataclass(frozen=True)
class Part:
    """One ``[section.NAME]``, checked: which class, what the hub sets for it, and the settings of its own."""

    name: str
    plugin: Plugin
    settings: Any
    """A ``ConsumerSettings``, ``BackendSettings``, ``ExporterSettings`` or ``ServerSettings``."""
    config: Any
    """An instance of the plugin's ``Config``."""

    @property
    def identity(self) -> tuple[str, str, object, object]:
        """Equal for two parts that would run alike: what a reload compares."""
        return (self.plugin.fingerprint, self.plugin.module, self.settings, self.config)


@dataclass(frozen=True)
class Configuration:
    """A whole configuration, checked. Only enabled parts are in it."""

    file: Path | None
    hub: HubSettings
    state_dir: Path
    control_socket: Path
    backends: dict[str, Part] = field(default_factory=dict)
    consumers: dict[str, Part] = field(default_factory=dict)
    exporters: dict[str, Part] = field(default_factory=dict)
    servers: dict[str, Part] = field(default_factory=dict)
