import pytest

from hub.backends.zeromq.gaps import MOST_NUMBERINGS, Gaps, Publisher, stem

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
    assert sum(gaps.note(ONE, number, number + 7) for number in numbers) == missing
    assert gaps.missing == missing


def test_each_publisher_counts_for_itself() -> None:
    gaps = following()
    for one, other in ((1, 100), (2, 101), (3, 102)):
        gaps.note(ONE, one, one)
        gaps.note(OTHER, other, other)
    assert gaps.missing == 0


def test_two_stores_of_one_user_on_one_host_have_no_gaps_between_them() -> None:
    """Each numbers for itself, and so does each of their processes."""
    gaps = following()
    for turn in range(1000):
        gaps.note(ONE, 5 + turn, 1 + turn)
        gaps.note(ONE, 2000 + turn, 301 + turn)
    assert gaps.missing == 0
    assert gaps.note(ONE, 5 + 1002, 1 + 1002) == 2
    assert gaps.note(ONE, 2000 + 1001, 301 + 1001) == 1
    assert gaps.missing == 3


@pytest.mark.parametrize(
    "heard",
    [
        [(5, 1), (9, 1)],  # the process began anew: whether something was sent in between is not known
        [(5, 1), (9, 3)],  # another process numbers by the same store
        [(5, None), (9, None)],
        [(5, 1), (9, None)],
        [(5, 1), (6, 2), (5, 1), (6, 2)],  # what a relay brings comes twice
        [(5, 1), (6, 2), (1, 1), (2, 2), (7, 3)],  # an old one is sent again in between
    ],
)
def test_a_jump_that_may_be_something_else_is_no_gap(heard: list[tuple[int, int | None]]) -> None:
    gaps = following()
    assert [gaps.note(ONE, number, sent) for number, sent in heard] == [0] * len(heard)


def test_the_number_of_numberings_is_bounded() -> None:
    gaps = following()
    for number in range(MOST_NUMBERINGS + 1):
        gaps.note(ONE, number * 100, 1)
    assert gaps.note(ONE, 5, 6) == 0  # the first one is forgotten
    assert gaps.note(ONE, MOST_NUMBERINGS * 100 + 5, 6) == 4


def test_holes_of_a_narrower_subscription_are_wanted() -> None:
    gaps = following(b"org.fp.prod.git")
    gaps.note(ONE, 1, 1)
    gaps.note(ONE, 9, 9)
    assert gaps.missing == 0


def test_no_subscription_follows_nobody() -> None:
    gaps = Gaps()
    gaps.note(ONE, 1, 1)
    assert len(gaps) == 0


def test_a_new_subscription_forgets_the_numbers() -> None:
    gaps = following()
    gaps.note(ONE, 1, 1)
    gaps.watch([b"org"])
    gaps.note(ONE, 9, 9)
    assert gaps.missing == 0


def test_the_number_of_publishers_is_bounded_and_the_quietest_goes_first() -> None:
    gaps = following(limit=2)
    third: Publisher = ("127.0.0.3", "apache", "org.fp.prod.")
    for publisher, number in ((ONE, 1), (OTHER, 1), (ONE, 2), (third, 1)):
        gaps.note(publisher, number, number)
    assert len(gaps) == 2
    assert gaps.note(ONE, 4, 4) == 1
    assert gaps.note(OTHER, 9, 9) == 0


def test_stem_is_three_words() -> None:
    assert stem("org.fedoraproject.prod.git.receive") == "org.fedoraproject.prod."
    assert stem("a.b") == "a.b."
