"""The base class of consumers, and the context that each is made with."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from hub.errors import HubError
from hub.http.verb import Verb
from hub.job_access import JobKeeper
from hub.message import Headers, Message
from hub.settings import Settings

NO_CONNECTIONS: Mapping[str, object] = MappingProxyType({})


def no_database(name: str | None) -> JobKeeper:
    """In the place of a hub's databases of jobs, where there are none. :raises HubError: always."""
    raise HubError(
        f"no database of jobs is called {name!r}: there are none" if name else "there is no database of jobs"
    )


def no_status() -> Mapping[str, Any]:
    """In the place of a hub's status, where there is no hub. :raises HubError: always."""
    raise HubError("there is no hub here whose status could be read")


class Context:
    """The context that a consumer is made with.

    :ivar name: the consumer's name in ``hub.conf``.
    :ivar config: an instance of the consumer's own ``Config``.
    :ivar log: a logger that adds the consumer's name to each line.
    :ivar state_dir: a directory that outlives the hub; use it as the base of relative paths.
    :ivar stopping: set when the consumer is to end: the hub stops, or a reload replaces or removes the consumer. The
        message in hand may be finished; after ``stop_timeout`` nobody waits for it. ``stopping.wait(5)`` is a sleep
        that ends early. Only the hub sets it.
    """

    def __init__(
        self,
        name: str,
        config: Any,
        log: logging.LoggerAdapter[logging.Logger],
        publish: Callable[[str, object, Headers, str | None], None],
        state_dir: Path,
        connections: Mapping[str, object] = NO_CONNECTIONS,
        databases: Callable[[str | None], JobKeeper] = no_database,
        status: Callable[[], Mapping[str, Any]] = no_status,
    ) -> None:
        self.name = name
        self.config = config
        self.log = log
        self.state_dir = state_dir
        self.stopping = threading.Event()
        self._publish = publish
        self._connections = connections
        self._databases = databases
        self._status = status

    def publish(self, topic: str, body: object, headers: Headers | None = None, *, backend: str | None = None) -> None:
        """Publish a message, from any thread. Inside ``consume`` it is sent when the message in hand is finished.

        :param body: ``bytes`` and ``str`` are sent as they are; anything else is encoded as JSON. On a bus with an
            envelope (fedmsg's) the backend wraps it.
        :param headers: values are ``str``, ``int`` of 64 bits, finite ``float`` or ``bool``; a name has at most 255
            bytes, all together at most 64 KiB. Without a ``traceparent``, the trace of the message in hand is
            continued.
        :param backend: the backend's name; needed only if more than one can publish.
        :raises CannotPublish: there is no such backend, it has nowhere to send, or the bus does not accept the message:
            it is too large, or in fedmsg's format not JSON.
        :raises TypeError: the body can't be encoded, or a header has another type. :raises ValueError: the topic is
            invalid, or the headers are too large.
        :raises Retry: in ``consume``, if the queue is not durable: the bus is away, and too many messages wait for it
            in memory. Let it pass: the message in hand comes again. :raises Unavailable: the same outside ``consume``.
        """
        self._publish(topic, body, headers or {}, backend)

    def connection(self, name: str) -> Any:
        """Return the connection of that name, which consumers share. Call it from ``start`` on, in any thread.

        Call it for each use and keep no reference: a reload may replace the connection.

        :raises HubError: there is no connection of that name.
        """
        try:
            return self._connections[name]
        except KeyError:
            known = ", ".join(self._connections) or "none"
            raise HubError(f"no connection is called {name!r}: there are {known}") from None

    def status(self) -> Mapping[str, Any]:
        """Return the hub's status as it is now, the document of ``hubbub status --json``. Call it in ``start``,
        ``consume``, ``tick`` or ``stop``; it waits for the hub's thread, for a moment, and costs some milliseconds.

        :raises Unavailable: the hub is about to stop. :raises HubError: it is called in the hub's own thread, or on a
            bench.
        """
        return self._status()

    def jobs(self, name: str | None = None) -> Any:
        """Return a database of jobs, a :class:`hub.jobs.Jobs`, to insert jobs by. Call it from ``start`` on, in any
        thread, for each use: a reload may replace it. The hub claims and ends jobs, and closes it; leave that.

        :param name: of its part, ``[jobs.NAME]``; ``None``: the only one. :raises HubError: there is none.
        """
        return self._databases(name).jobs

    def is_cancelled(self, message: Message) -> bool:
        """Tell whether the job that a message stands for was cancelled while it runs; a long one may then end early.
        What is known is as old as a third of the lease at most. False for a message of a bus."""
        try:
            return self._databases(message.backend).is_cancelled(int(message.id))
        except (HubError, ValueError):
            return False


class Consumer:
    """Base class of consumers: subclass it, write ``consume``, and name the class in ``hub.conf``.

    There is **one instance** per consumer, unless ``per_worker`` is set. With ``threads = 1`` (the default) one thread
    calls ``consume``; with more, several call it at once. ``tick`` runs in a thread of its own.

    Class attributes are defaults; settings of the same names in ``hub.conf`` override them.
    """

    topics: ClassVar[Sequence[str]] = ("#",)
    """Topic patterns: ``a.b.c`` exactly, ``a.b.*`` one word, ``a.#`` any rest."""
    queue: ClassVar[str | None] = None
    """A queue of jobs, in a database (``[jobs.NAME]``): ``consume`` is given these, and there are no topics."""
    jobs: ClassVar[str | None] = None
    """Name of the database that has the queue; ``None``: the only one."""
    threads: ClassVar[int] = 1
    batch_size: ClassVar[int] = 100
    """Maximum number of messages in a call of ``consume_batch``."""
    batch_wait: ClassVar[float | str] = 0.0
    """Longest wait for more messages while a batch is not full: seconds, or a text such as ``"5s"``."""
    every: ClassVar[float | str | None] = None
    """Interval between calls of ``tick``: seconds, or a text such as ``"1m"``; ``None``: never."""
    per_worker: ClassVar[bool] = False
    """True gives each worker its own instance, with its own ``start``, ``tick`` and ``stop``."""

    Config: ClassVar[type[Settings]] = Settings
    """The consumer's own settings, declared with :func:`hub.settings.setting`."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.config = context.config
        self.log = context.log

    @classmethod
    def topics_of(cls, config: Any) -> Sequence[str]:
        """Return the default of the setting ``topics``; override it if the topics follow from the class's own settings.

        :param config: an instance of the class's ``Config``.
        """
        return cls.topics

    def start(self) -> None:
        """Prepare for work. Called once, in the first worker's thread, before any message. If it raises, the error is
        logged and it is called again with backoff; messages wait in the queue meanwhile."""

    def consume(self, message: Message) -> None:
        """Handle one message. Return to finish it. Raise ``Retry`` to try it again later, ``Reject`` to make it a dead
        letter. Any other exception is a failure: the message is retried with backoff, for ``max_attempts`` attempts in
        all."""
        raise NotImplementedError(f"{type(self).__name__} has neither consume() nor consume_batch()")

    def consume_batch(self, messages: Sequence[Message]) -> None:
        """Handle several messages at once; write it instead of ``consume`` where bulk work is faster. Return to finish
        them all. If it raises anything but ``Retry``, the messages are delivered again one by one, so that a bad one
        does not fail the others."""
        raise NotImplementedError

    def tick(self) -> None:
        """Do periodic work. Called every ``every`` seconds, in a thread of its own; what it raises is logged and
        counted."""

    def status(self) -> object:
        """Return own numbers and texts, which the hub's status shows as ``own``: any JSON value, at most 4096 bytes.
        ``None``: nothing.

        Called in the reactor's thread while workers are in ``consume``: it must not block. After a slow call the answer
        is shown for a hundred times as long as it took. If it raises, the error is shown instead."""
        return None

    def verbs(self) -> Sequence[Verb]:
        """Return verbs and pages that the hub serves below ``/consumers/NAME/``, on its control socket and its web
        server. Each requires the access that it declares, and appears in the audit log and the OpenAPI document.

        Called once in the reactor's thread, before ``start``; the verbs are called in that thread too, from then on
        until the part is stopped. If it raises, the error is logged and nothing is served. With ``per_worker`` only the
        first instance is called.
        """
        return ()

    def stop(self) -> None:
        """Release resources. Called once, in the last worker's thread, after the last message."""
