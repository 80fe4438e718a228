"""Types of the rows of clusters, of their nodes, and of their queues."""

from typing import Annotated, TypedDict

from hub.status.hub import HeadlineRow
from hub.status.metric import ErrorText, Metric, PublicText, ReasonText
from hub.status.states import CaughtUpKind, ClusterState, HubState, NodeState, RefusalReason, Trend


class NodeQueueRow(TypedDict):
    """The numbers of one queue of a node, as it announced them."""

    backlog: int
    in_flight: int
    delayed: int
    rate_in: float | None
    rate_out: float | None
    oldest_age: float | None
    catch_up_seconds: float | None
    trend: Trend
    paused: bool
    dead_letters: int
    shared: bool


class NodeStatus(TypedDict):
    """A node of a cluster: a hub, as it announces itself. ``since``: epoch seconds since when it is in its state.

    ``own``: it is this hub. ``not_ready``: the beginnings of the reasons. ``silent``: seconds since it was heard.
    ``queues_left_out``: number of queues that are not told of one by one.
    """

    state: Annotated[NodeState, Metric("states", "", "1 for the state that it is in.")]
    own: bool
    since: float
    silent: Annotated[float, Metric("gauge", "s", "Time since it was heard.")]
    version: PublicText
    hub_state: HubState
    ready: Annotated[bool, Metric("flag", "1", "1: it takes messages, and all its consumers work.")]
    not_ready: list[ReasonText]
    backlog: Annotated[int, Metric("gauge", "{message}", "Backlog of its queues, as of its last announcement.")]
    rate_in: Annotated[float | None, Metric("gauge", "{message}/s", "Messages that come to its queues.", title="in/s")]
    rate_out: Annotated[float | None, Metric("gauge", "{message}/s", "Messages that it settles.", title="out/s")]
    oldest_age: Annotated[
        float | None, Metric("gauge", "s", "Age of its oldest message that is not settled.", title="oldest")
    ]
    dead_letters: Annotated[int, Metric("gauge", "{letter}", "Dead letters that it has.", title="dead", level="warn")]
    paused_queues: Annotated[int, Metric("gauge", "{queue}", "Queues of it that are paused.")]
    queues_left_out: Annotated[
        int, Metric("gauge", "{queue}", "Queues that are not told of one by one, because it has too many.")
    ]
    queues: dict[str, NodeQueueRow]


class ClusterQueueStatus(TypedDict):
    """The queues of one name in all nodes that are present, together.

    ``shared``: the nodes share one queue, such as one of jobs in a database, whose numbers these are.
    """

    nodes: Annotated[int, Metric("gauge", "{node}", "Nodes that have the queue.")]
    paused_nodes: Annotated[int, Metric("gauge", "{node}", "Nodes where it is paused.")]
    backlog: Annotated[int, Metric("gauge", "{message}", "Received and not settled, in all nodes.")]
    in_flight: Annotated[int, Metric("gauge", "{message}", "In a worker's hands, in all nodes.")]
    delayed: Annotated[int, Metric("gauge", "{message}", "Waiting for their next attempt, in all nodes.")]
    threads: Annotated[int, Metric("gauge", "{thread}", "Worker threads alive, in all nodes.")]
    rate_in: Annotated[float | None, Metric("gauge", "{message}/s", "Messages that come.", title="in/s")]
    rate_out: Annotated[float | None, Metric("gauge", "{message}/s", "Messages settled.", title="out/s")]
    oldest_age: Annotated[
        float | None, Metric("gauge", "s", "Age of the oldest message that is not settled.", title="oldest")
    ]
    dead_letters: Annotated[int, Metric("gauge", "{letter}", "Dead letters in all nodes.", title="dead", level="warn")]
    shared: bool
    paused: bool
    state: PublicText
    trend: Trend
    catch_up_seconds: Annotated[
        float | None,
        Metric("gauge", "s", "Time until there is no backlog in any node, at the present rates.", title="caught up in"),
    ]
    catch_up_at: float | None
    catch_up_estimated: bool
    catch_up_alone_seconds: float | None
    caught_up: PublicText
    caught_up_detail: PublicText
    caught_up_kind: CaughtUpKind


class ClusterStatus(TypedDict):
    """A cluster as this hub knows it. ``backend``: the bus on which it hears and announces.

    ``deaf_because``: why no announcements come now. ``last_error``: why the last announcement could not be sent.
    """

    type: PublicText
    state: Annotated[ClusterState, Metric("states", "", "1 for the state that it is in.")]
    node: PublicText
    backend: PublicText
    topic: PublicText
    signed: bool
    deaf_because: ErrorText | None
    nodes_present: Annotated[int, Metric("gauge", "{node}", "Nodes that are there, with this one.")]
    nodes_left: Annotated[int, Metric("gauge", "{node}", "Nodes that have stopped in order, and are not forgotten.")]
    nodes_vanished: Annotated[
        int, Metric("gauge", "{node}", "Nodes that are silent, and have not said why.", level="bad")
    ]
    nodes_unheard: Annotated[
        int,
        Metric(
            "gauge", "{node}", "Nodes that were there when this hub could hear last; it does not now.", level="warn"
        ),
    ]
    backlog: Annotated[int, Metric("gauge", "{message}", "Backlog of all nodes that are there.")]
    rate_in: Annotated[float | None, Metric("gauge", "{message}/s", "Messages that come to all.", title="in/s")]
    rate_out: Annotated[float | None, Metric("gauge", "{message}/s", "Messages that all settle.", title="out/s")]
    dead_letters: Annotated[int, Metric("gauge", "{letter}", "Dead letters of all.", title="dead", level="warn")]
    catch_up_seconds: Annotated[
        float | None,
        Metric("gauge", "s", "Time until no node has a backlog; none, if some queue does not gain.", title="caught up"),
    ]
    headline: HeadlineRow
    announced: Annotated[int, Metric("counter", "{announcement}", "Announcements sent.")]
    not_announced: Annotated[
        int, Metric("counter", "{announcement}", "Announcements that the bus did not take: it was away, or slow.")
    ]
    heard: Annotated[int, Metric("counter", "{announcement}", "Announcements of other nodes.")]
    refused: Annotated[
        dict[RefusalReason, int],
        Metric("counter", "{announcement}", "Announcements that were refused.", by="reason", level="warn"),
    ]
    last_error: ErrorText | None
    nodes: dict[str, NodeStatus]
    queues: dict[str, ClusterQueueStatus]
