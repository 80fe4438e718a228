"""The end of a crew, as its consumer learns of it."""

from __future__ import annotations

import threading

from hub.message import Message
from tests.unit.crews import Watched, crew_of, end, finished, offer
from tests.unit.doubles import messages


def test_a_consumer_learns_in_the_midst_of_a_message_that_it_is_to_end() -> None:
    waits, ended = threading.Event(), threading.Event()

    class Patient(Watched):
        def consume(self, message: Message) -> None:
            waits.set()
            if self.context.stopping.wait(60):
                ended.set()

    crew = crew_of(Patient())
    offer(crew, messages(1))
    crew.start()
    assert waits.wait(20)
    assert not ended.is_set()
    end(crew)
    assert ended.is_set()
    assert finished(crew) == 1


def test_each_instance_learns_it_and_one_without_a_context_is_stopped_all_the_same() -> None:
    told: list[bool] = []

    class Own(Watched):
        per_worker = True

        def stop(self) -> None:
            told.append(self.context.stopping.is_set())

    class Without(Watched):
        def start(self) -> None:
            del self.context

    for consumer, make in ((Own(), Own), (Without(), None)):
        crew = crew_of(consumer, threads=2, make=make)
        crew.start()
        assert crew.started.wait(20)
        end(crew)
    assert {*told} == {True}
