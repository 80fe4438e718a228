"""Jobs as the messages that consumers are given."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hub.message import HeaderValue, Message

if TYPE_CHECKING:
    from hub.jobs.job import Job


def message_of(job: Job, database: str) -> Message:
    """The message of a claimed job: its number is the id, its queue the topic, the time of its insertion that of
    receipt.

    The headers are ``attempt`` (from 1), ``max_retries``, ``priority``, and if it has them ``key``, ``tags.json``,
    ``traceparent`` and ``tracestate``.

    :param database: name of the part, which stands where a message has its bus.
    """
    headers: dict[str, HeaderValue] = {
        "attempt": job.attempt,
        "max_retries": job.max_retries,
        "priority": job.priority,
        **job.trace,
    }
    if job.key is not None:
        headers["key"] = job.key
    if job.tags:
        headers["tags.json"] = json.dumps(job.tags, ensure_ascii=False)
    return Message(str(job.id), job.queue, job.body, headers, job.created, database)
