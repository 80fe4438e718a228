"""Dead letters, retried and deleted by the verbs: which are touched, in what pieces, and when it is refused."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from hub.control.dead_letters import PIECE, retry_letters
from hub.deadletter import DeadLetter
from hub.errors import OrderRefused
from hub.message import Message
from hub.parts.queues import Drained
from hub.queue.policy import OverflowMode, QueuePolicy
from hub.store.memory import MemoryStore
from tests.support import wait_until
from tests.unit.control_hub import ControlledHub
from tests.unit.requests import ask


def bury(hub: ControlledHub, count: int, size: int = 2) -> list[int]:
    """Returns their numbers."""
    for number in range(count):
        hub.bury("c", DeadLetter(Message(str(number), "a.b", b"x" * size), "no", 1, 0.0))
    return [letter.number for letter in hub.store.dead_letters("c")]


def left(hub: ControlledHub) -> list[str]:
    return [letter.message.id for letter in hub.store.dead_letters("c")]


def order(hub: ControlledHub, verb: str, numbers: Sequence[int]) -> Any:
    return hub.client().post(f"/{verb}", {"consumer": "c", "numbers": list(numbers)})


@pytest.fixture
def delivered(hub: ControlledHub, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The ids of each batch that is given to the queue."""
    found: list[list[str]] = []
    deliver = hub.enqueuer.deliver

    def noted(messages: Sequence[Message], *rest: Any, **more: Any) -> None:
        found.append([message.id for message in messages])
        deliver(messages, *rest, **more)

    monkeypatch.setattr(hub.enqueuer, "deliver", noted)
    return found


# -- which


@pytest.mark.parametrize("verb", ["retry-dead", "delete-dead"])
def test_only_those_that_were_asked_for_are_read(
    hub: ControlledHub, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = bury(hub, 20)
    read: list[int] = []
    letter = hub.store.letter

    def noted(queue: str, number: int) -> DeadLetter | None:
        read.append(number)
        return letter(queue, number)

    with monkeypatch.context() as patched:
        patched.setattr(hub.store, "letter", noted)
        patched.setattr(hub.store, "dead_letters", None)
        order(hub, verb, [numbers[7], numbers[3]])
    assert read == [numbers[3], numbers[7]]
    assert left(hub) == [str(number) for number in range(20) if number not in (3, 7)]


def test_those_that_are_not_there_are_passed_over(hub: ControlledHub) -> None:
    (number,) = bury(hub, 1)
    assert order(hub, "retry-dead", [number + 1, number, number, number + 2]) == {
        "start": 0,
        "stop": 1,
        "count": 1,
        "problem": "the queue of c took 1 of 3 dead letters: 2 had gone before",
    }
    assert order(hub, "retry-dead", [number])["count"] == 0
    assert order(hub, "delete-dead", [number]) == {"deleted": 0}
    assert order(hub, "delete-dead", []) == {"deleted": 0}


@pytest.mark.parametrize("verb", ["retry-dead", "delete-dead"])
@pytest.mark.parametrize("number", [-1, 1 << 64, 1.5])
def test_a_number_that_no_letter_has_is_refused(hub: ControlledHub, verb: str, number: float) -> None:
    body = json.dumps({"consumer": "c", "numbers": [number]}).encode()
    assert ask(hub.path, "POST", f"/{verb}", body).status == 400


@pytest.mark.parametrize("verb", ["retry-dead", "delete-dead"])
def test_of_a_queue_that_there_is_not_none_are_had(hub: ControlledHub, verb: str) -> None:
    answer = ask(hub.path, "POST", f"/{verb}", b'{"consumer": "nobody", "numbers": []}')
    assert (answer.status, b"no consumer is called 'nobody'" in answer.read()) == (404, True)


# -- in what pieces


def test_many_are_retried_in_pieces_and_in_order(hub: ControlledHub, delivered: list[list[str]]) -> None:
    numbers = bury(hub, 10, size=PIECE // 2)
    assert order(hub, "retry-dead", numbers) == {"start": 0, "stop": 10, "count": 10}
    assert [len(batch) for batch in delivered] == [2] * 5
    assert [id_ for batch in delivered for id_ in batch] == [str(number) for number in range(10)]
    assert left(hub) == []


def test_small_ones_count_too(hub: ControlledHub, delivered: list[list[str]]) -> None:
    order(hub, "retry-dead", bury(hub, 2000, size=0))
    assert len(delivered) > 3
    assert sum(len(batch) for batch in delivered) == 2000


def test_many_are_deleted_in_pieces(hub: ControlledHub, monkeypatch: pytest.MonkeyPatch) -> None:
    removed: list[int] = []
    remove = hub.store.remove_letters

    def noted(queue: str, numbers: Sequence[int], again: bool) -> None:
        removed.append(len(numbers))
        remove(queue, numbers, again)

    monkeypatch.setattr(hub.store, "remove_letters", noted)
    assert order(hub, "delete-dead", bury(hub, 5, size=PIECE)) == {"deleted": 5}
    assert removed == [1] * 5
    assert left(hub) == []


def test_a_queue_that_becomes_full_leaves_the_rest_dead(hub: ControlledHub, delivered: list[list[str]]) -> None:
    queue = hub.consumers.members["c"].queue
    queue.adopt(QueuePolicy(max_backlog=3))
    numbers = bury(hub, 10, size=PIECE // 2)
    assert order(hub, "retry-dead", numbers) == {
        "start": 0,
        "stop": 3,
        "count": 3,
        "not_taken": 7,
        "problem": "the queue of c took 3 of 10 dead letters: it is full, so 7 stayed",
    }
    assert left(hub) == [str(number) for number in range(3, 10)]
    assert len(delivered) == 2


@pytest.mark.parametrize("overflow", ["drop_newest", "drop_oldest", "block"])
def test_what_a_full_queue_does_not_take_is_neither_received_nor_dropped(
    hub: ControlledHub, overflow: OverflowMode
) -> None:
    queue = hub.consumers.members["c"].queue
    queue.adopt(QueuePolicy(max_backlog=3, overflow=overflow))
    numbers = bury(hub, 10)
    before = queue.stats().counters.received
    order(hub, "retry-dead", numbers)
    for _ in range(2):
        assert order(hub, "retry-dead", numbers) == {
            "start": 3,
            "stop": 3,
            "count": 0,
            "not_taken": 7,
            "problem": "the queue of c took 0 of 10 dead letters: it is full, so 7 stayed; 3 had gone before",
        }
    counters = queue.stats().counters
    assert (counters.received - before, counters.dropped, counters.backlog) == (3, 0, 3)
    assert (len(left(hub)), hub.flow.held_back) == (7, False)


def test_two_who_retry_at_once_give_each_letter_once(hub: ControlledHub) -> None:
    numbers = bury(hub, 10, size=PIECE // 2)
    one, two = (retry_letters(hub, "c", numbers) for _ in "ab")
    given = [hub.thread.call(lambda: (list(zip(one, two, strict=False)), next(one, None), next(two, None)))]
    assert given
    assert hub.consumers.members["c"].queue.stats().counters.backlog == 10
    assert left(hub) == []


# -- when it is over


class SlowStore(MemoryStore):
    """Its disk takes nothing until the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Callable[[], object]] = []

    def when_stored(self, call: Callable[[], object], at_once: bool = True) -> None:
        self.waiting.append(call)


@pytest.mark.parametrize(("verb", "field"), [("retry-dead", "count"), ("delete-dead", "deleted")])
@pytest.mark.parametrize("takes_it", [True, False])
def test_it_is_done_when_the_disk_has_it(
    hub: ControlledHub, verb: str, field: str, takes_it: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers, slow = bury(hub, 2), SlowStore()
    monkeypatch.setattr(hub.store, "when_stored", slow.when_stored)
    monkeypatch.setattr("hub.control.hub.STORE_TIMEOUT", 60.0 if takes_it else 0.05)
    answers: list[dict[str, Any]] = []
    asking = threading.Thread(target=lambda: answers.append(order(hub, verb, numbers)), daemon=True)
    asking.start()
    wait_until(lambda: bool(slow.waiting))
    if takes_it:
        assert not answers
        assert not hub.path.with_name("audit.log").exists()
        slow.waiting[0]()
    asking.join(10)
    assert (answers[0][field], answers[0].get("stored", True)) == (2, takes_it)
    outcome = '"outcome":"done"' if takes_it else '"outcome":"done, but not on the disk yet"'
    assert outcome in hub.path.with_name("audit.log").read_text()


# -- when it is refused


def test_a_drained_consumer_is_given_none_and_they_stay_dead(hub: ControlledHub, delivered: list[list[str]]) -> None:
    numbers = bury(hub, 3)
    hub.client().post("/drain", {"consumer": "c"})
    before = hub.consumers.members["c"].queue.stats().counters
    for some in ([numbers[0]], numbers):
        with pytest.raises(OrderRefused, match="c is drained and takes no messages in: resume it first"):
            order(hub, "retry-dead", some)
    body = json.dumps({"consumer": "c", "numbers": numbers}).encode()
    assert ask(hub.path, "POST", "/retry-dead", body).status == 409
    assert (left(hub), delivered) == (["0", "1", "2"], [])
    assert hub.consumers.members["c"].queue.stats().counters == before
    assert hub.path.with_name("audit.log").read_text().count('"outcome":"refused: c is drained') == 3
    hub.client().post("/resume", {"consumer": "c"})
    assert order(hub, "retry-dead", numbers)["count"] == 3


def test_one_that_is_drained_meanwhile_is_given_no_more(hub: ControlledHub) -> None:
    steps = retry_letters(hub, "c", bury(hub, 4, size=100), size=1)
    assert next(steps) == (0, 1, 1, 0)
    hub.holds.drain(hub.queues.member("c"))
    with pytest.raises(Drained, match="c is drained"):
        next(steps)
    assert left(hub) == ["1", "2", "3"]


def test_a_drained_consumers_dead_letters_may_be_deleted(hub: ControlledHub) -> None:
    numbers = bury(hub, 3)
    hub.client().post("/drain", {"consumer": "c"})
    assert order(hub, "delete-dead", numbers) == {"deleted": 3}
