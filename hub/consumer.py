"""The class that users write."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from hub.message import Message
from hub.settings import Settings


class Context:
    """What a consumer is given when it is made.

    :ivar name: the consumer's name in ``hub.conf``.
    :ivar config: an instance of the consumer's own ``Config``.
    :ivar log: a logger that marks each line with the consumer's name.
    :ivar state_dir: a directory that outlives the hub; relative paths are taken from it.
    """

    def __init__(
        self,
        name: str,
        config: Any,
        log: logging.LoggerAdapter[logging.Logger],
        publish: Callable[[str, object, Mapping[str, str], str | None], None],
        state_dir: Path,
    ) -> None:
        self.name = name
        self.config = config
        self.log = log
        self.state_dir = state_dir
        self._publish = publish

    def publish(
        self, topic: str, body: object, headers: Mapping[str, str] | None = None, *, backend: str | None = None
    ) -> None:
        """Send a message out, from any thread.

        :param body: ``bytes`` and ``str`` go out as they are; anything else is encoded as JSON. On a bus with an
            envelope (fedmsg's) the backend wraps it.
        :param headers: where they do not name a trace (``traceparent``), that of the message in hand goes on.
        :param backend: which one; needed only where more than one can publish.
        :raises CannotPublish: there is no such backend, it has nowhere to send, or the bus does not take the message:
            in fedmsg's format a body that is not JSON, and on any bus one that is too large.
        :raises TypeError: the body can't be encoded, or a header is no text. :raises ValueError: a bad topic.
        """
        self._publish(topic, body, headers or {}, backend)


class Consumer:
    """Base of all consumers: subclass it, write ``consume``, name the class in ``hub.conf``.

    There is **one instance** per consumer. With ``threads = 1`` (the default) only one thread is ever in it; with more,
    ``consume`` runs in several threads at once. ``tick`` has a thread of its own.

    The class attributes are defaults; the settings of the same names in ``hub.conf`` override them.
    """

    topics: ClassVar[Sequence[str]] = ("#",)
    """Patterns: ``a.b.c`` exactly, ``a.b.*`` one word, ``a.#`` any rest."""
    threads: ClassVar[int] = 1
    batch_size: ClassVar[int] = 100
    """The most that ``consume_batch`` is given at once."""
    batch_wait: ClassVar[float | str] = 0.0
    """How long a batch that is not full may wait for more."""
    every: ClassVar[float | str | None] = None
    """How often ``tick`` is called; ``None``: never."""

    Config: ClassVar[type[Settings]] = Settings
    """The consumer's own settings, declared with :func:`hub.settings.setting`."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.config = context.config
        self.log = context.log

    def start(self) -> None:
        """Called once, in the first worker's thread, before any message. What it raises is logged, and it is called
        again later, with backoff; messages wait in the queue meanwhile."""

    def consume(self, message: Message) -> None:
        """Handle one message. Return: done. Raise ``Retry`` for later, ``Reject`` for a dead letter; any other
        exception is a failure and is retried with backoff, ``max_attempts`` times."""
        raise NotImplementedError(f"{type(self).__name__} has neither consume() nor consume_batch()")

    def consume_batch(self, messages: Sequence[Message]) -> None:
        """Instead of ``consume``, for sinks that are faster in bulk. All or nothing: when it raises anything but
        ``Retry``, the messages are given again one by one, so that a bad one does not take the others with it."""
        raise NotImplementedError

    def tick(self) -> None:
        """Periodic work, see ``every``."""

    def stop(self) -> None:
        """Called once, in the last worker's thread, after the last message."""
