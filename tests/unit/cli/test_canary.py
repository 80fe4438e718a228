"""Some dead letters are retried before the others: what a hub answers, and what is asked for then. A list of answers
ends with the one that is given from then on. The page follows the same cases: see ``page/canary.test.mjs``."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.cli.remote import Remote
from hub.errors import Unavailable
from tests.support import ROOT
from tests.unit.cli.top.hub_double import HubDouble, letter, row, status

CASES: list[dict[str, Any]] = json.loads((ROOT / "tests" / "unit" / "canary.json").read_text())


def following(answers: list[Any]) -> Any:
    return answers.pop(0) if len(answers) > 1 else answers[0]


def listed(known: Any) -> dict[str, Any]:
    number, id_ = known if isinstance(known, list) else (known, f"id-{known}")
    return letter(number, id=id_)


def hub_of(case: dict[str, Any]) -> HubDouble:
    hub, answers = HubDouble(), case["answers"]
    hub.answers["/status"] = lambda: status(slow=row(dead=following(case["dead"])))
    hub.answers["/dead/slow"] = lambda: {"dead_letters": [listed(known) for known in following(case["listed"])]}
    hub.answers["/retry-dead"] = lambda: dict(zip(("start", "stop", "count"), following(answers), strict=True))
    start, stop, _ = answers[0]
    hub.answers[f"/unsettled/slow?start={start}&stop={stop}"] = lambda: {"unsettled": following(case["unsettled"])}
    return hub


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_the_rest_is_given_only_when_the_first_are_through(case: dict[str, Any]) -> None:
    case = json.loads(json.dumps(case))
    hub, waited = hub_of(case), [0.0]
    remote = Remote(hub, waited.append, lambda: sum(waited))
    numbers = [*case["rest"], *case["first"]]
    if case["problem"] is None:
        assert remote.retry("slow", numbers, len(case["first"])) == len(numbers)
    else:
        with pytest.raises(Unavailable) as failure:
            remote.retry("slow", numbers, len(case["first"]))
        assert case["problem"] in str(failure.value)
    assert [order["numbers"] for _, order in hub.orders] == case["orders"]


def test_without_a_canary_it_is_told_if_not_all_were_taken() -> None:
    hub = HubDouble()
    hub.answers["/retry-dead"] = {"start": 7, "stop": 9, "count": 2}
    assert Remote(hub).retry("slow", [2, 1]) == 2
    assert hub.orders == [("/retry-dead", {"consumer": "slow", "numbers": [1, 2]})]
    hub.answers["/retry-dead"] = {"start": 7, "stop": 9, "count": 2, "not_taken": 1}
    with pytest.raises(Unavailable, match="the queue of slow took 2 of 4 dead letters: it is full, so 1 stayed; 1 had"):
        Remote(hub).retry("slow", [1, 2, 3, 4])


def test_that_the_disk_has_not_taken_it_is_told() -> None:
    hub = HubDouble()
    remote = Remote(hub)
    hub.answers["/retry-dead"] = {"start": 7, "stop": 8, "count": 1}
    remote.retry("slow", [1])
    assert remote.stored
    hub.answers["/retry-dead"] = {"start": 7, "stop": 8, "count": 1, "stored": False}
    remote.retry("slow", [1])
    assert not remote.stored


def test_a_queue_that_is_gone_has_no_more_dead_letters() -> None:
    hub = HubDouble()
    hub.answers |= {"/dead/slow": {"dead_letters": []}, "/unsettled/slow?start=7&stop=8": {"unsettled": 0}}
    hub.answers["/retry-dead"] = {"start": 7, "stop": 8, "count": 1}
    assert Remote(hub).retry("slow", [1], 1) == 1
