from badges import Badges

from hub.testing.bench import Bench, Benches

TOPIC = "org.example.demo.git.receive"


def push(bench: Bench[Badges], agent: object, id: str | None = None) -> None:
    bench.deliver(TOPIC, {"msg": {"agent": agent}}, id=id)


def test_the_second_push_earns_a_badge(hubbub: Benches) -> None:
    bench = hubbub(Badges, wanted=2)
    for agent in ("ann", "bob", "ann", "ann"):
        push(bench, agent)
    bench.run()
    assert [award.json() for award in bench.published] == [{"badge": "Busy", "user": "ann"}]


def test_a_push_that_comes_twice_counts_once(hubbub: Benches) -> None:
    bench = hubbub(Badges, wanted=2)
    push(bench, "ann", id="7")
    push(bench, "ann", id="7")
    bench.run()
    assert len(bench.finished) == 2
    assert bench.published == []


def test_a_push_by_nobody_is_a_dead_letter(hubbub: Benches) -> None:
    bench = hubbub(Badges)
    push(bench, None)
    bench.run()
    assert [letter.reason for letter in bench.dead_letters] == ["nobody pushed this"]


def test_pushes_wait_while_the_database_is_away(hubbub: Benches) -> None:
    bench = hubbub(Badges, wanted=1)
    bench.start()
    database = bench.consumer.database
    database.rename(database.with_name("away"))
    database.mkdir()
    push(bench, "ann")
    bench.run()
    assert [retry.due_in for retry in bench.retries] == [5.0]
    assert bench.published == []

    database.rmdir()
    database.with_name("away").rename(database)
    bench.advance(5)
    bench.run()
    assert len(bench.finished) == len(bench.published) == 1
