import pytest

from backends.zeromq.gaps import Gaps, Publisher, stem

ONE: Publisher = ("127.0.0.1", "apache", "org.fp.prod.")
OTHER: Publisher = ("127.0.0.2", "apache", "org.fp.prod.")


def following(prefix: bytes = b"", limit: int = 1000) -> Gaps:
    gaps = Gaps(limit)
    gaps.watch([prefix])
    return gaps


@pytest.mark.parametrize(
    ("numbers", "missing"),
    [
        ([5, 6, 7], 0),
        ([5, 8], 2),
        ([5, 8, 9, 12], 4),
        ([5, 1, 2], 0),
        ([5, 5], 0),
        ([5, 10**9, 10**9 + 2], 1),
        ([-3, -1], 1),
        ([1, 10**30], 0),
    ],
)
def test_missing_numbers_are_counted(numbers: list[int], missing: int) -> None:
    gaps = following()
    assert sum(gaps.note(ONE, number) for number in numbers) == missing
    assert gaps.missing == missing


def test_each_publisher_counts_for_itself() -> None:
    gaps = following()
    for one, other in ((1, 100), (2, 101), (3, 102)):
        gaps.note(ONE, one)
        gaps.note(OTHER, other)
    assert gaps.missing == 0


def test_holes_of_a_narrower_subscription_are_wanted() -> None:
    gaps = following(b"org.fp.prod.git")
    gaps.note(ONE, 1)
    gaps.note(ONE, 9)
    assert gaps.missing == 0


def test_no_subscription_follows_nobody() -> None:
    gaps = Gaps()
    gaps.note(ONE, 1)
    assert len(gaps) == 0


def test_a_new_subscription_forgets_the_numbers() -> None:
    gaps = following()
    gaps.note(ONE, 1)
    gaps.watch([b"org"])
    gaps.note(ONE, 9)
    assert gaps.missing == 0


def test_the_number_of_publishers_is_bounded_and_the_quietest_goes_first() -> None:
    gaps = following(limit=2)
    third: Publisher = ("127.0.0.3", "apache", "org.fp.prod.")
    for publisher, number in ((ONE, 1), (OTHER, 1), (ONE, 2), (third, 1)):
        gaps.note(publisher, number)
    assert len(gaps) == 2
    assert gaps.note(ONE, 4) == 1
    assert gaps.note(OTHER, 9) == 0


def test_stem_is_three_words() -> None:
    assert stem("org.fedoraproject.prod.git.receive") == "org.fedoraproject.prod."
    assert stem("a.b") == "a.b."
