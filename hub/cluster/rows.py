"""Rows of the status: a node, and the cluster as a whole. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.cluster.announcement import Announcement, QueueNews, sum_of_known, total
from hub.stats.headline import headline
from hub.status.clusters import ClusterQueueStatus, NodeQueueRow, NodeStatus
from hub.status.states import ClusterState, NodeState


def node_row(last: Announcement, state: NodeState, since: float, silent: float, own: bool = False) -> NodeStatus:
    """The row of a node, by its last announcement. :param since: epoch seconds. :param silent: seconds."""
    queues = last.all_queues()
    sums = total("all", queues)
    return {
        "state": state,
        "own": own,
        "since": since,
        "silent": silent,
        "version": last.version,
        "hub_state": last.state,
        "ready": state == "present" and not last.reasons,
        "not_ready": list(last.reasons),
        "backlog": sums.backlog,
        "rate_in": sums.rate_in,
        "rate_out": sums.rate_out,
        "oldest_age": sums.oldest_age,
        "dead_letters": sums.dead_letters,
        "paused_queues": sum([queue.paused for queue in queues]),
        "queues_left_out": last.left_out,
        "queues": {queue.name: _queue_row(queue) for queue in queues},
    }


def _queue_row(news: QueueNews) -> NodeQueueRow:
    return {
        "backlog": news.backlog,
        "in_flight": news.in_flight,
        "delayed": news.delayed,
        "rate_in": news.rate_in,
        "rate_out": news.rate_out,
        "oldest_age": news.oldest_age,
        "catch_up_seconds": news.catch_up_seconds,
        "trend": news.trend,
        "paused": news.paused,
        "dead_letters": news.dead_letters,
        "shared": news.shared,
    }


def cluster_row(
    nodes: Mapping[str, NodeStatus], queues: Mapping[str, ClusterQueueStatus], state: ClusterState
) -> dict[str, Any]:
    """The row of the cluster: its nodes, its queues, and the sums of these."""
    states = [row["state"] for row in nodes.values()]
    told = headline(queues)
    return {
        "state": state,
        "nodes_present": states.count("present"),
        "nodes_left": states.count("left"),
        "nodes_vanished": states.count("vanished"),
        "nodes_unheard": states.count("unheard"),
        "backlog": sum([row["backlog"] for row in queues.values()]),
        "rate_in": sum_of_known(row["rate_in"] for row in queues.values()),
        "rate_out": sum_of_known(row["rate_out"] for row in queues.values()),
        "dead_letters": sum([row["dead_letters"] for row in queues.values()]),
        "catch_up_seconds": 0.0 if told["kind"] == "clear" else told["seconds"],
        "headline": told,
        "nodes": dict(nodes),
        "queues": dict(queues),
    }
