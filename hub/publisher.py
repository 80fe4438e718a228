"""The publisher sends messages for consumers and operators."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.python.failure import Failure

from hub import current_message, jsontext
from hub.errors import CannotPublish, HubError, NotFound, Retry, Unavailable
from hub.headers import checked
from hub.interfaces import Backend, Checking, Clock
from hub.message import Headers, Message, new_id
from hub.outbox import Outbox
from hub.partlog import part_log
from hub.status.hub import PublishStatus
from hub.store import Outgoing, Store
from hub.text import counted
from hub.tracing import Tracing
from hub.unsent import Unsent


class Publisher:
    """Finds the backend, encodes the body, and passes the message to the backend's outbox.

    ``publish``, ``message``, ``choose`` and ``check`` may be called in any thread, the rest in the reactor's only.
    No message is sent before :meth:`open`.

    :param backends: running backends by name; the mapping is kept up to date.
    :param store: the durable store, which keeps outgoing messages until they are settled.
    :ivar outboxes: by name of backend, which may no longer be configured.
    :ivar tracing: adds the trace headers of the message in hand.
    """

    def __init__(
        self,
        backends: Mapping[str, Backend],
        reactor: Any,
        store: Store,
        wall: Clock,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.outboxes: dict[str, Outbox] = {}
        self.tracing = Tracing()
        self._backends = backends
        self._reactor = reactor
        self._store = store
        self._wall = wall
        self._uniform = uniform
        self._log = part_log("hub", "publisher")
        self._resumed = self._closed = False

    # -- messages to send

    def publish(self, topic: str, body: object, headers: Headers, backend: str | None) -> None:
        """Publish a message; see :meth:`hub.consumer.Context.publish`. Later failures are logged and counted.

        :raises Unavailable: too many already wait in memory for a bus that is away, and no message is in hand.
        :raises Retry: the same, while a message is in hand whose end is in no store: it comes again.
        """
        message = self.message(topic, body, self.tracing.headers(headers))
        name = self.choose(backend)
        self.check(name, message)
        post, outbox = current_message.outbox(), self.outboxes.get(name)
        if outbox is not None and outbox.unsent.full and not (post is not None and current_message.durable()):
            reason = f"backend {name!r} is away, and too many messages wait for it already"
            raise Unavailable(reason) if post is None else Retry(reason=reason)
        if post is not None:
            post(Outgoing(name, message))
        else:
            self._reactor.callFromThread(partial(self.unstored, bounded=True), [Outgoing(name, message)])

    def message(self, topic: str, body: object, headers: Headers) -> Message:
        """Make a new message.

        :raises TypeError: the body can't be encoded as JSON, or a header has another type. :raises ValueError: the
            topic is invalid, or a header is too large or out of range.
        """
        if not topic or len(topic) > 1024 or not topic.isprintable():
            raise ValueError(f"expected a topic of at most 1024 printable characters, not {topic!r}")
        raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else jsontext.write(body)
        now = self._wall()
        return Message(new_id(now), topic, raw, checked(headers), now)

    def choose(self, name: str | None) -> str:
        """Return the name of the backend, by default the only one. :raises CannotPublish: there is none, or more than
        one."""
        if name is None and len(self._backends) == 1:
            return next(iter(self._backends))
        if name is None:
            raise CannotPublish(f"name the backend to publish to: there are {', '.join(self._backends) or 'none'}")
        if name not in self._backends:
            raise CannotPublish(self._unknown(name))
        return name

    def check(self, name: str, message: Message) -> None:
        """Check a message. :raises CannotPublish: the backend could never send it."""
        backend = self._backends.get(name)
        if isinstance(backend, Checking):
            backend.check(message)

    def send(self, name: str, message: Message) -> Deferred[None]:
        """Send a message that is in no store.

        :returns: fires when the bus has confirmed it. It fails with ``CannotPublish`` if the backend can never send it,
            and with ``Unavailable`` if too many already wait.
        """
        done: Deferred[None] = Deferred()
        outbox = self._outbox(name)
        outbox.add(message, done)
        outbox.pump()
        return done

    def stored(self, first: int, batch: Sequence[Outgoing]) -> None:
        """Send messages that the store keeps until they are settled. :param first: number of the first one."""
        if not self._resumed:
            return  # ``open`` finds them in the store
        for number, outgoing in enumerate(batch, first):
            self._outbox(outgoing.backend).arrive(number, outgoing.message)
        self._pump({outgoing.backend for outgoing in batch})

    def unstored(self, batch: Sequence[Outgoing], bounded: bool = False) -> None:
        """Send messages that are in no store. Those of finished messages are taken also where too many wait already:
        :meth:`publish` holds back whoever would publish more. :param bounded: as for :meth:`hub.outbox.Outbox.add`."""
        for outgoing in batch:
            self._outbox(outgoing.backend).add(outgoing.message, self._tells(outgoing), bounded)
        self._pump({outgoing.backend for outgoing in batch})

    def _tells(self, outgoing: Outgoing) -> Deferred[None] | None:
        """A Deferred for whoever waits for that message."""
        sent = outgoing.sent
        if sent is None:
            return None

        def ended(result: object) -> None:
            given_up = isinstance(result, Failure) and result.check(CannotPublish) is not None and not self._closed
            sent(given_up or not isinstance(result, Failure))

        done: Deferred[None] = Deferred()
        return done.addBoth(ended)

    def hand_over(self, name: str, message: Message) -> Deferred[None] | None:
        """Pass a message to a backend. Called by its outbox."""
        return self._backends[name].publish(message)

    def drop(self, name: str) -> Iterator[int]:
        """Drop all stored messages for a backend that is not configured any more, in steps. They count as failed.

        :returns: after each step, the number so far; at least one. It ends early if a reload configures the backend.
        :raises NotFound: no message waits for a removed backend of that name. :raises HubError: it is configured.
        """
        if name in self._backends:
            raise HubError(f"backend {name!r} is configured: only what waits for a removed backend can be dropped")
        waiting = self.status()["outboxes_without_backend"]
        if name not in waiting:
            raise NotFound(
                f"no message waits for a removed backend {name!r}; some wait for: {', '.join(waiting) or 'none'}"
            )
        return self._drop(name)

    def _drop(self, name: str) -> Iterator[int]:
        count = 0
        for count in self.outboxes[name].drop_stored():
            yield count
            if name in self._backends:
                break
        text = "%s for backend %s, which is not configured, dropped by an order"
        self._log.warning(text, counted(count, "message"), name, extra={"action": "publish", "backend": name})

    # -- the backends

    def open(self) -> None:
        """Start sending, once the backends run: messages left by the last run, and those that came since.

        Messages for a missing backend are reported. They stay in the store until there is one of that name; those in no
        store are given up.
        """
        if not self._resumed:
            counts, highest = self._store.outbox_counts()
            for name, count in counts.items():
                self._outbox(name).unsent.resume(count, highest)
            self._resumed = True
        for name, outbox in [*self.outboxes.items()]:
            if name not in self._backends:
                outbox.drop_unstored(CannotPublish(self._unknown(name)))
                if outbox.unsent.stored:
                    waiting = counted(outbox.unsent.stored, "message")
                    text = (
                        "backend %s is not configured: %s for it stay in the store until it is, or 'hubbub outbox drop'"
                    )
                    self._log.warning(text, name, waiting, extra={"action": "publish", "backend": name})
        for name, backend in [*self._backends.items()]:
            self._outbox(name).open(backend)

    def hold(self, names: Collection[str], timeout: float) -> Deferred[None]:
        """Hold messages for backends that are about to be replaced or removed.

        :returns: fires when all their sent messages are confirmed, or after ``timeout`` seconds.
        """
        return self._together([self._outbox(name).hold() for name in names], timeout)

    def finish(self, timeout: float) -> Deferred[None]:
        """Send messages that are in no store, as the hub stops; stored ones are sent after the next start.

        :returns: fires when that is done, or after ``timeout`` seconds.
        """
        ended = self._together([box.finish(self._backends.get(name)) for name, box in self.outboxes.items()], timeout)
        return ended.addCallback(lambda _: self._close())

    def _close(self) -> None:
        self._closed = True
        for outbox in self.outboxes.values():
            outbox.close()

    def _together(self, parts: list[Deferred[None]], timeout: float) -> Deferred[None]:
        all_of_them: Deferred[Any] = DeferredList(parts, consumeErrors=True)
        all_of_them.addTimeout(timeout, self._reactor, lambda _, __: None)
        return all_of_them.addCallback(lambda _: None)

    # -- numbers

    def status(self) -> PublishStatus:
        """Sums over all outboxes, for the hub's row in the status."""
        outboxes = self.outboxes.values()
        waiting = {name: box.unsent.stored for name, box in self.outboxes.items() if name not in self._backends}
        return {
            "published": sum(one.sent for one in outboxes),
            "publish_failed": sum(one.failed for one in outboxes),
            "outboxes_without_backend": {name: count for name, count in waiting.items() if count},
        }

    def with_outboxes(self, backends: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        """Status rows of the backends, each with the fields of its outbox."""
        return {name: {**row, **self._outbox(name).status()} for name, row in backends.items()}

    def _outbox(self, name: str) -> Outbox:
        if name not in self.outboxes:
            log, send = part_log("backend", name), partial(self.hand_over, name)
            unsent = Unsent(name, self._store)
            self.outboxes[name] = Outbox(unsent, send, self._reactor, self._wall, self._uniform, log)
        return self.outboxes[name]

    def _pump(self, names: Collection[str]) -> None:
        for name in names:
            self._outbox(name).pump()

    def _unknown(self, name: str) -> str:
        return f"no backend is called {name!r}: there are {', '.join(self._backends) or 'none'}"
