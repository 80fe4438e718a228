"""Declares the hub's own settings; a plugin's are its ``Config``. :mod:`~hub.configuration.loading` reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict

from hub.filestate import FileState
from hub.plugins import Plugin
from hub.settings import Duration, FilePath, Settings, Size, Topics, setting

Overflow = Literal["auto", "block", "drop_oldest", "drop_newest"]
Ordering = Literal["arrival", "strict"]
LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]
WHEN_USED = ConfigDict(defer_build=True)
"""The check of a table is made when the first one is read: most configurations lack some kinds of parts."""


class HubSettings(Settings):
    """Settings of ``[hub]``: the daemon itself."""

    model_config = WHEN_USED

    state_dir: FilePath | None = setting(
        None,
        "Where the hub keeps its state. Unset: $STATE_DIRECTORY (systemd's), else /var/lib/hubbub for a file "
        "under /etc, else 'state' beside the file.",
    )
    control_socket: FilePath | None = setting(
        None,
        "The Unix socket that 'hubbub status' and other commands connect to. Unset: hub.sock in $RUNTIME_DIRECTORY "
        "(systemd's), else /run/hubbub/hub.sock for a file under /etc, else hub.sock in state_dir.",
    )
    control_mode: str = setting("0660", "Permissions of the control socket, octal.", pattern="^0?[0-7]{3}$")
    stop_timeout: Duration = setting("30s", "How long a stop waits for messages that are being consumed.")
    log_level: LogLevel = setting("info", "Lines below this level are not logged.")
    log_to: Literal["auto", "stderr", "journal"] = setting(
        "auto", "Where the log goes; 'auto' is the journal, natively, when systemd started the hub."
    )
    log_format: LogFormat = setting(
        "text",
        "Format of the lines on stderr; 'json' writes one object per line. The journal gets its own fields either way.",
    )
    log_levels: dict[str, LogLevel] = setting(
        {},
        "Log levels of single loggers: parts of the hub, such as 'backend.bus', 'hub.store' or "
        "'consumer' (all of them), and libraries. All others use log_level.",
    )
    sync: str = setting(
        "commit",
        "When a message counts as stored, and is confirmed to its sender: 'commit', after each group "
        "commit to the disk; 'interval:100ms', the same, but at most that often; 'none', immediately, so "
        "that a power cut may lose messages.",
        pattern=r"^(commit|none|interval:\S+)$",
    )
    deduplicate: Duration = setting(
        "0s",
        "Drop and count a message that arrives again within this time with the same id, topic and body. "
        "For buses that deliver over two routes.",
    )
    keep: Duration = setting(
        "0s",
        "How long messages are kept for a replay after all queues have settled them. With 'max_disk' the"
        " oldest are removed earlier when space is needed.",
    )
    max_disk: Size | None = setting(
        None,
        "Maximum size of the store; above that, each queue's 'overflow' applies. Unset: no limit.",
        example="20GiB",
        ge=1,
    )
    map_size: Size | None = setting(
        None,
        "Address space (not disk, not memory) reserved for the store's file at startup; it grows when "
        "it is used up. Unset: 1TiB, or less where less is available: in a 39-bit address space, or under a "
        "process limit.",
        example="64GiB",
        ge=1 << 20,
    )
    switch_interval: Duration = setting(
        "500us",
        "How long one thread may hold Python's interpreter lock while another waits for it. With "
        "CPython's default of 5ms a few busy consumers can delay the receiving thread by half a second.",
        gt=0,
    )


class PartSettings(Settings):
    """Settings of ``[SECTION.NAME]`` that every kind of part has."""

    model_config = WHEN_USED

    type: str = setting(..., "An installed name, 'package.module:Class', or 'file.py:Class'.")
    enabled: bool = setting(True, "false: ignore this table.")


class ConsumerSettings(PartSettings):
    """Settings of ``[consumers.NAME]`` that every consumer has; its own stand beside these."""

    type: str = setting(..., "An installed consumer's name, 'package.module:Class', or 'file.py:Class'.")
    topics: Topics | None = setting(
        None,
        "Topic patterns: 'a.b.c' exactly, 'a.b.*' one word, 'a.#' any rest, 'a.b*' any ending. Unset:"
        " the topics of its class (all, if it names none).",
    )
    queue: str | None = setting(
        None,
        "A queue of jobs, in a database ([jobs.NAME]): the consumer works these, and has no topics. Unset: that of its "
        "class, which may name one.",
        min_length=1,
        max_length=200,
        example="thumbnails",
    )
    jobs: str | None = setting(
        None, "Name of the database that has the queue of jobs. Unset: the only one.", example="main"
    )
    threads: int | None = setting(None, "Number of worker threads. Unset: the default of its class (1).", ge=1, le=256)
    timeout: Duration = setting("5m", "A message that takes longer is reported, with the thread's stack.", gt=0)
    max_attempts: int = setting(5, "Failed attempts after which a message becomes a dead letter.", ge=1, le=1_000_000)
    backoff: Duration = setting(
        "1s", "Longest delay before the first retry; the limit doubles with each further retry."
    )
    backoff_limit: Duration = setting("5m", "Longest delay between two attempts.")
    max_kills: int = setting(
        3,
        "How often the hub may be killed while a message is in flight, before that message becomes a dead letter.",
        ge=1,
        le=1_000_000,
    )
    max_dead: int = setting(
        10_000, "Maximum number of dead letters; beyond that the oldest is dropped and counted.", ge=0, le=1_000_000_000
    )
    max_dead_bytes: Size = setting(
        "64MiB",
        "Maximum bytes of all dead letters; beyond that the oldest is dropped and counted, but never the "
        "newest. With 'max_disk', at most the consumer's share of a quarter of that.",
        ge=1,
    )
    max_dead_age: Duration = setting("180d", "Dead letters older than this are dropped and counted.", gt=0)
    begin: Duration = setting(
        "0s",
        "On its first start the consumer receives stored messages up to this old, as far as the store "
        "has them ('keep' in [hub]). 0: only new messages.",
    )
    renamed_from: str | None = setting(
        None,
        "Former name of this consumer: at a start or reload it takes over the queue of that name, "
        "which is an orphan by then. Its own queue, if it has one, must be empty.",
        example="old",
    )
    durable: bool = setting(
        True,
        "true: the queue is kept on disk. false: faster, but a stop or a crash loses its messages, unless their bus "
        "keeps them until they are settled (the backend's 'confirm'). A change takes effect once the queue is empty; "
        "until then a reload reports it as not applied.",
    )
    max_backlog: int | None = setting(
        None,
        "Maximum number of waiting messages; beyond that, 'overflow' applies. Unset: no limit if durable, else 100000.",
        example=100_000,
        ge=1,
        le=1_000_000_000_000,
    )
    max_backlog_bytes: Size | None = setting(
        None,
        "Maximum bytes of waiting bodies; beyond that, 'overflow' applies. Unset: no limit if durable, else 128MiB.",
        example="1GiB",
        ge=1,
    )
    max_age: Duration | None = setting(
        None,
        "Drop and count a message that has waited longer than this and was not tried yet. Unset: never.",
        example="7d",
        gt=0,
    )
    overflow: Overflow = setting(
        "auto",
        "What a full queue does: 'block' pauses the buses (and so the other consumers), 'drop_newest' "
        "refuses new messages, 'drop_oldest' drops the oldest; each loss is counted. 'auto': 'block' if "
        "every bus keeps unread messages, else 'drop_newest'.",
    )
    ordering: Ordering = setting(
        "arrival",
        "'arrival': in order, but later messages pass one that waits for its retry. 'strict': no message "
        "passes one that failed.",
    )
    order_by: str | None = setting(
        None,
        "With several threads: keep the order of messages that have the same value here, 'header:NAME' "
        "or 'body:msg.package.name'.",
        pattern=r"^(header:\S+|body:\S+)$",
    )
    batch_size: int | None = setting(None, "Maximum number of messages in a call of consume_batch().", ge=1, le=100_000)
    batch_wait: Duration | None = setting(None, "How long an incomplete batch waits for more messages.")
    every: Duration | None = setting(None, "Interval between calls of tick(). Unset: the default of its class.", gt=0)


class JobSettings(PartSettings):
    """Settings of ``[jobs.NAME]`` that every database of jobs has; its own stand beside these."""

    type: str = setting("database", "An installed kind of database, 'package.module:Class', or 'file.py:Class'.")


class ClusterSettings(PartSettings):
    """Settings of ``[clusters.NAME]`` that every cluster has; its own stand beside these."""

    type: str = setting("announcements", "An installed kind of view, 'package.module:Class', or 'file.py:Class'.")


class BackendSettings(PartSettings):
    """Settings of ``[backends.NAME]`` that every backend has; its own stand beside these."""

    type: str = setting(..., "An installed backend's name, 'package.module:Class', or 'file.py:Class'.")
    confirm: Literal["stored", "settled"] = setting(
        "stored",
        "When a message is confirmed to its sender: 'stored', as soon as the hub has it on disk; 'settled', after "
        "the work: each queue that it was routed to has finished or dropped it, or made it a dead letter. Until then "
        "the bus keeps it. 'settled' is only for a bus whose senders are told.",
    )


class ExporterSettings(PartSettings):
    """Settings of ``[exporters.NAME]`` that every exporter has; its own stand beside these."""

    type: str = setting(..., "An installed exporter's name, 'package.module:Class', or 'file.py:Class'.")
    interval: Duration = setting("10s", "Interval between two exports of the numbers.", gt=0)


class ServerSettings(PartSettings):
    """Settings of ``[servers.NAME]`` that every server has; its own stand beside these."""

    type: str = setting(..., "An installed server's name, 'package.module:Class', or 'file.py:Class'.")


@dataclass(frozen=True)
class Part:
    """A checked ``[section.NAME]``: the class, the hub's settings for it, and its own settings."""

    name: str
    plugin: Plugin
    settings: Any
    """A :class:`PartSettings`, of the section's own class."""
    config: Any
    """An instance of the plugin's ``Config``."""
    secrets: Mapping[str, FileState | None] = field(default_factory=dict)
    """State of the file of each secret that ``config`` refers to, by the setting: one that changes is a change."""

    @property
    def identity(self) -> tuple[object, ...]:
        """The identity that a reload compares: equal for two parts that would run alike."""
        return (self.plugin.fingerprint, self.plugin.module, self.settings, self.config, self.secrets)


@dataclass(frozen=True)
class Configuration:
    """A checked configuration. It holds only enabled parts."""

    file: Path | None
    hub: HubSettings
    state_dir: Path
    control_socket: Path
    parts: Mapping[str, Mapping[str, Part]] = field(default_factory=dict)
    """Parts by section and name; a section without parts may be missing."""

    def of(self, section: str) -> Mapping[str, Part]:
        """The parts of one section, by name."""
        return self.parts.get(section, {})

    def all_parts(self) -> Iterator[tuple[str, Part]]:
        """Each part with its section."""
        return ((section, part) for section, parts in self.parts.items() for part in parts.values())
