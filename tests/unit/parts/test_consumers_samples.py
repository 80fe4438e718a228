"""What a consumer does in its first second is counted as done lately."""

from __future__ import annotations

from tests.support import wait_until
from tests.unit.doubles import consumer_part, messages, offer
from tests.unit.test_snapshot import Office


def test_attempts_before_the_first_sample_of_the_hub_are_seen_by_it() -> None:
    office = Office()

    member = office.start(consumer_part("c"))
    offer(member.queue, messages(5))
    wait_until(lambda: member.queue.stats().counters.backlog == 0)
    office.clock.advance(1.0)
    member.sample(office.clock.seconds())
    assert member.rates.recent.minute().finished == 5
    office.consumers.stop_crew("c")
    assert all(crew.gone.wait(10) for crew in office.consumers.leaving)
