"""Headers of jobs: what a SEND says of its job, and what a MESSAGE tells of one. Pure.

The options of a job are headers of the same names, with ``-`` for ``_``. ``priority`` and ``AMQ_SCHEDULED_DELAY`` are
what they are for other queues; a ``traceparent``, with its ``tracestate``, goes on with the job. Any other header is
the client library's own, and no job keeps it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hub.backends.stomp.destination import Destination, Kind, shown
from hub.backends.stomp.frame import ProtocolError
from hub.backends.stomp.head import number_of
from hub.backends.stomp.lifetime import DELAY, EXPIRATION, EXPIRES
from hub.backends.stomp.priority import PRIORITY, priorities
from hub.message import HeaderValue, Message
from hub.traceparent import trace_of

TEXTS = ("key", "unique", "conflict", "max-wait", "coalesce", "lock")
RETRIES, TAGS, JOB_ID, ATTEMPT = "max-retries", "tags", "job-id", "attempt"
_NEVER_EXPIRES = ("", "0")


def check(headers: Mapping[str, str]) -> None:
    """Check the headers of a SEND whose destination is a queue of jobs.

    :raises ProtocolError: one can't be understood, or asks for what jobs have not.
    """
    if "reply-to" in headers:
        raise ProtocolError("reply-to is not supported for jobs: whoever works one would not know it")
    for name in (EXPIRES, EXPIRATION):
        if headers.get(name, "0") not in _NEVER_EXPIRES:
            raise ProtocolError(f"{name} is not supported for jobs: they wait until they are worked, or cancelled")
    text = headers.get(RETRIES)
    if text is not None and number_of(text) is None:
        raise ProtocolError(f"{RETRIES} is {shown(text)}: expected a number, 0 or more")


def options_of(message: Message) -> dict[str, Any]:
    """The options of the job that a SEND's message stands for; its headers were checked."""
    headers = message.headers
    options: dict[str, Any] = {name.replace("-", "_"): headers[name] for name in TEXTS if name in headers}
    if PRIORITY in headers:
        options["priority"] = priorities([message])[0]
    if RETRIES in headers:
        options["max_retries"] = int(headers[RETRIES])
    if TAGS in headers:
        options["tags"] = [tag.strip() for tag in str(headers[TAGS]).split(",")]
    if trace := trace_of(headers):
        options["trace"] = trace
    if delay := int(headers.get(DELAY, 0)):
        options["run_after"] = delay / 1000
    return options


def message_of(job: Message, queue: str) -> Message:
    """The message that a MESSAGE frame is made of. :param job: as the hub has it, under its number."""
    told = job.headers
    headers: dict[str, HeaderValue] = {
        JOB_ID: job.id,
        ATTEMPT: told["attempt"],
        RETRIES: told["max_retries"],
        PRIORITY: told["priority"],
        "timestamp": int(job.received_at * 1000),
        **trace_of(told),
    }
    if "key" in told:
        headers["key"] = told["key"]
    if "tags.json" in told:
        headers[TAGS] = ",".join(json.loads(str(told["tags.json"])))
    return Message(job.id, str(Destination(Kind.QUEUE, queue)), job.body, headers, job.received_at, job.backend)
