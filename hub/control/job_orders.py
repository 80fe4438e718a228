"""Orders on the queue of a consumer of jobs. They are carried out in its database, each in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from hub.control.canary import Retried
from hub.control.hub import Hub
from hub.deadletter import DeadLetter
from hub.errors import HubError
from hub.job_database.messages import message_of
from hub.parts.job_member import JobMember
from hub.text import counted
from hub.workers.crew import spawn

if TYPE_CHECKING:
    from hub.jobs import Jobs
    from hub.jobs.job import Job

MOST_LETTERS = 1000
"""Dead letters that are shown: the oldest."""
MOST_BYTES = 64 << 20
"""Bytes of their bodies, about."""
NO_END = (
    "the database keeps a pause until somebody ends it, and knows no time for that: pause {} without one, and resume it"
)
NO_CANARY = "a canary is for queues in the hub; of jobs, retry some by their numbers, and see"
Result = TypeVar("Result")


def in_thread(hub: Hub, call: Callable[[], Result]) -> Deferred[Result]:
    """Make a call that waits for a database. Fires with its result, in the reactor's thread."""
    done: Deferred[Result] = Deferred()

    def run() -> None:
        try:
            result = call()
        except BaseException:  # noqa: BLE001 - it is the caller's, as any that the Deferred fails with
            hub.reactor.callFromThread(done.errback, Failure())
        else:
            hub.reactor.callFromThread(done.callback, result)

    spawn(run, "hubbub-job-order")
    return done


def pause(hub: Hub, member: JobMember, until: float | None) -> Deferred[None]:
    """Pause the queue, for all programs. :raises HubError: with an end."""
    if until is not None:
        raise HubError(NO_END.format(member.name))
    jobs, queue = member.source.jobs, member.source.queue
    paused = in_thread(hub, lambda: jobs.pause(queue, f"by an order on the consumer {member.name}"))
    return paused.addCallback(lambda _: member.source.pause(True))


def resume(hub: Hub, member: JobMember) -> Deferred[None]:
    """End the pause of the queue, for all programs."""
    jobs, queue = member.source.jobs, member.source.queue

    def resumed(_: object) -> None:
        member.source.pause(False)
        member.rates.restart()

    return in_thread(hub, lambda: jobs.resume(queue)).addCallback(resumed)


def letters(hub: Hub, member: JobMember, number: int | None) -> Deferred[list[DeadLetter]]:
    """Dead letters of the queue, the oldest first. :param number: only the job of that number."""
    jobs, queue = member.source.jobs, member.source.queue
    return in_thread(hub, lambda: _letters(jobs, queue, number, jobs_name=member.source.database or "jobs"))


def _letters(jobs: Jobs, queue: str, number: int | None, jobs_name: str) -> list[DeadLetter]:
    if number is not None:
        one = jobs.read(number) if _is_dead(jobs, queue, number) else None
        found = [] if one is None else [one]
    else:
        found = _bounded(jobs.peek(queue, "dead", MOST_LETTERS))
    return [_letter(jobs, job, jobs_name) for job in found]


def _bounded(found: Sequence[Job]) -> list[Job]:
    kept: list[Job] = []
    size = 0
    for job in found:
        size += len(job.body)
        if kept and size > MOST_BYTES:
            break
        kept.append(job)
    return kept


def _letter(jobs: Jobs, job: Job, jobs_name: str) -> DeadLetter:
    status = jobs.find(job.id)
    died = status.ended if status is not None else None
    trace, _, reason = job.reason.rpartition("\n\n")
    return DeadLetter(message_of(job, jobs_name), reason, job.attempt, died or job.created, "", trace, job.id)


def _is_dead(jobs: Jobs, queue: str, number: int) -> bool:
    status = jobs.find(number)
    return status is not None and (status.queue, status.state.value) == (queue, "dead")


def retry_dead(hub: Hub, member: JobMember, numbers: Sequence[int], canary: int | None) -> Deferred[Retried]:
    """Have dead letters wait again, with all their attempts. :raises HubError: with a canary."""
    if canary is not None:
        raise HubError(NO_CANARY)
    jobs, queue, wanted = member.source.jobs, member.source.queue, sorted(set(numbers))

    def retried(count: int) -> Retried:
        gone = len(wanted) - count
        problem = f"{counted(gone, 'dead letter')} had gone before" if gone else ""
        return Retried(0, count, count, problem=problem)

    return in_thread(hub, lambda: jobs.retry_dead(queue, len(wanted) or 1, wanted)).addCallback(retried)


def delete_dead(hub: Hub, member: JobMember, numbers: Sequence[int]) -> Deferred[int]:
    """Delete dead letters. Fires with their number."""
    jobs, queue = member.source.jobs, member.source.queue

    def delete() -> int:
        return sum(1 for number in sorted(set(numbers)) if _is_dead(jobs, queue, number) and jobs.cancel(number))

    return in_thread(hub, delete)
