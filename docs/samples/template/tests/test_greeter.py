from greeter import Greeter

from hub.testing.bench import Benches


def test_whoever_pushes_is_greeted(hubbub: Benches) -> None:
    bench = hubbub(Greeter, word="welcome")
    bench.deliver("org.example.demo.git.receive", {"msg": {"agent": "ann"}})
    bench.run()
    assert [sent.json() for sent in bench.published] == [{"text": "welcome, ann"}]


def test_a_push_by_nobody_is_a_dead_letter(hubbub: Benches) -> None:
    bench = hubbub(Greeter)
    bench.deliver("org.example.demo.git.receive", {"msg": {}})
    bench.run()
    assert [letter.reason for letter in bench.dead_letters] == ["nobody pushed this"]
