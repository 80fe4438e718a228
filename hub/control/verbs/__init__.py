"""The hub's own verbs, served on the control socket and the web server."""

from __future__ import annotations

from hub.control.hub import Hub, HubVerb
from hub.control.verbs import consumers, dead, hub, outbox, queues, refused, replay, trace

VERBS: list[type[HubVerb]] = [
    hub.Status,
    hub.Catalogue,
    hub.Tailing,
    hub.Publish,
    hub.Reload,
    hub.DrainHub,
    hub.ResumeHub,
    consumers.Pause,
    consumers.Resume,
    consumers.Drain,
    consumers.Threads,
    consumers.SetThreads,
    queues.Peek,
    queues.PurgeQueue,
    queues.DeleteQueue,
    replay.Replay,
    dead.Dead,
    dead.RetryDead,
    dead.DeleteDead,
    refused.Refused,
    outbox.DropOutbox,
    trace.Trace,
]


def verbs_of(service: Hub) -> list[HubVerb]:
    """Make all verbs of a hub."""
    return [verb(service) for verb in VERBS]
