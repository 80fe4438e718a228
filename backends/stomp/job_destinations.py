"""Job destinations: those queues of the server that are queues of jobs in a database. Belongs to the reactor's
thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hub.backends.stomp import job_headers
from hub.backends.stomp.destination import Destination, Kind
from hub.backends.stomp.frame import ProtocolError
from hub.backends.stomp.job_feed import JobFeed
from hub.backends.stomp.sends import Sends, Token
from hub.backends.stomp.settings import Config
from hub.errors import HubError
from hub.job_queues import JobQueue, JobQueues
from hub.message import Headers, Message
from hub.receipt import Answer, Receipt


class JobDestinations:
    """The queues of jobs of one server.

    :param queues: the hub's; ``None``: there are none.
    """

    def __init__(self, queues: JobQueues | None, config: Config, reactor: Any) -> None:
        self._all = queues
        self._reactor = reactor
        self._queues: dict[str, JobQueue] = {}
        self._feeds: dict[str, JobFeed] = {}
        self._last: tuple[Headers, Mapping[str, Any]] | None = None
        """Headers and options of the last job: many SENDs of one client share their headers."""
        if queues is not None:
            self._queues = {name: queues.open(name, database) for name, database in config.job_queues().items()}

    def of(self, destination: Destination) -> JobQueue | None:
        """The queue of jobs that a destination names; ``None``: it names another."""
        return self._queues.get(destination.name) if destination.kind is Kind.QUEUE else None

    @property
    def waiting(self) -> int:
        """Number of jobs that are not inserted yet."""
        return self._all.waiting if self._all is not None and self._queues else 0

    def feed(self, destination: Destination) -> JobFeed | None:
        """Feed of the jobs of a destination; ``None``: it is none of jobs.

        :raises ProtocolError: it is the dead letters of one.
        """
        name = destination.name
        if destination.kind is Kind.DEAD and name in self._queues:
            raise ProtocolError(f"{destination}: dead letters of jobs are in their database: hubbub job peek {name}")
        queue = self.of(destination)
        if queue is None:
            return None
        if name not in self._feeds:
            self._feeds[name] = JobFeed(queue, self._reactor)
        return self._feeds[name]

    def check(self, queue: JobQueue, headers: Mapping[str, str]) -> None:
        """Check the headers of a SEND. :raises ProtocolError: one can't be understood, or jobs have it not."""
        job_headers.check(headers)
        try:
            queue.check(job_headers.options_of(Message("", "", b"", headers, 0.0, "")))
        except HubError as error:
            raise ProtocolError(str(error)) from error

    def admit(self, queue: JobQueue, body: bytes, sends: Sends, config: Config) -> None:
        """Take one more job of a client. :raises ProtocolError: it is too large, or there is no room."""
        most = queue.max_body
        if most is not None and len(body) > most:
            raise ProtocolError(f"a job of /queue/{queue.name} has {len(body)} bytes: at most {most} are allowed")
        if not queue.away:
            return
        why = f"503: /queue/{queue.name} takes no jobs now: {queue.away}"
        if config.when_held == "refuse":
            raise ProtocolError(f"{why}: send it again later")
        if queue.full or sends.unconfirmed + sends.waiting >= config.max_held:
            raise ProtocolError(f"{why}, and too many wait: send it again later")

    def put(self, queue: JobQueue, messages: Sequence[Message], tokens: Sequence[Token], answer: Answer) -> None:
        """Insert the jobs that messages stand for, and then tell their senders."""

        def done(reason: str | None) -> None:
            for sender, told in tokens:
                if reason is None:
                    sender.confirm(told)
                else:
                    sender.turned_away(told, f"/queue/{queue.name}: {reason}")

        answer(Receipt(len(messages)))
        queue.put([(one.body, self._options(one)) for one in messages], done)

    def _options(self, message: Message) -> Mapping[str, Any]:
        if self._last is None or self._last[0] is not message.headers:
            self._last = message.headers, job_headers.options_of(message)
        return self._last[1]

    def when_room(self, call: Callable[[], None]) -> bool:
        """Make a call once there is room for more jobs. :returns: false: there is, and no call is made."""
        full = next((one for one in self._queues.values() if one.full and not one.away), None)
        if full is not None:
            full.when_room(call)
        return full is not None

    def close(self, timeout: float) -> Any:
        """Insert what waits, and read no more; see :class:`hub.job_queues.JobQueues`."""
        return self._all.close(timeout) if self._all is not None else None
