"""What workers have in hand, as the hub sees it that comes after one which was killed."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from hub.store.in_flight_file import FILE, SLOTS, InFlightFile


def opened(directory: Path, boot: str = "boot") -> InFlightFile:
    hands = InFlightFile(directory, boot)
    hands.begin()
    return hands


def suspects(directory: Path, boot: str = "boot") -> dict[int, list[tuple[int, int]]]:
    """By the next hub."""
    return {queue: sorted(found) for queue, found in InFlightFile(directory, boot).suspects.items()}


def test_what_was_in_hand_is_known_afterwards(tmp_path: Path) -> None:
    hands = opened(tmp_path)
    one, two, three = hands.slot(1), hands.slot(1), hands.slot(2)
    one.hold(5, 9)
    two.hold(0, 1)
    three.hold(7, 8)
    assert suspects(tmp_path) == {1: [(0, 1), (5, 9)], 2: [(7, 8)]}


def test_only_the_last_that_a_worker_had_is_in_its_hand(tmp_path: Path) -> None:
    hands = opened(tmp_path)
    slot = hands.slot(1)
    slot.hold(5, 9)
    slot.hold(9, 10)
    assert suspects(tmp_path) == {1: [(9, 10)]}


def test_what_was_dropped_is_in_nobodys_hand(tmp_path: Path) -> None:
    hands = opened(tmp_path)
    slot = hands.slot(1)
    slot.hold(5, 9)
    slot.drop()
    assert suspects(tmp_path) == {}


def test_at_first_there_is_nothing(tmp_path: Path) -> None:
    assert suspects(tmp_path) == {}


def test_after_an_orderly_end_nobody_is_suspected(tmp_path: Path) -> None:
    hands = opened(tmp_path)
    slot = hands.slot(1)
    slot.hold(5, 9)
    hands.close()
    assert suspects(tmp_path) == {}


def test_what_was_known_is_forgotten_once_it_was_written_down_elsewhere(tmp_path: Path) -> None:
    hands = opened(tmp_path)
    slot = hands.slot(1)
    slot.hold(5, 9)
    again = InFlightFile(tmp_path, "boot")
    assert again.suspects
    again.begin()
    assert suspects(tmp_path) == {}


def test_until_then_another_kill_loses_nothing(tmp_path: Path) -> None:
    hands = opened(tmp_path)
    slot = hands.slot(1)
    slot.hold(5, 9)
    InFlightFile(tmp_path, "boot")
    assert suspects(tmp_path) == {1: [(5, 9)]}


def test_after_a_power_cut_nothing_can_be_learnt(tmp_path: Path) -> None:
    hands = opened(tmp_path)
    slot = hands.slot(1)
    slot.hold(5, 9)
    assert suspects(tmp_path, "another boot") == {}


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"hubhand1" + b"boot".ljust(36, b"\0")])
def test_a_file_that_is_not_whole_says_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert suspects(tmp_path) == {}


def test_a_file_of_noise_says_nothing(tmp_path: Path) -> None:
    opened(tmp_path)
    size = (tmp_path / FILE).stat().st_size
    (tmp_path / FILE).write_bytes(b"\xa5" * size)
    assert suspects(tmp_path) == {}


def test_great_positions_fit(tmp_path: Path) -> None:
    hands = opened(tmp_path)
    slot = hands.slot(2**32 - 1)
    slot.hold(2**63, 2**63 + 1)
    assert suspects(tmp_path) == {2**32 - 1: [(2**63, 2**63 + 1)]}


def test_a_worker_that_is_gone_has_nothing_in_hand(tmp_path: Path) -> None:
    """Its thread died in the middle."""
    hands = opened(tmp_path)
    slot = hands.slot(1)
    slot.hold(5, 9)
    del slot
    gc.collect()
    assert suspects(tmp_path) == {}


def test_its_slot_is_used_again(tmp_path: Path) -> None:
    hands = opened(tmp_path)
    for _ in range(2 * SLOTS):
        slot = hands.slot(1)
        slot.hold(5, 9)
    assert suspects(tmp_path) == {1: [(5, 9)]}


def test_more_workers_than_there_is_room_for_go_unnoted(tmp_path: Path) -> None:
    hands = opened(tmp_path)
    many = [hands.slot(1) for _ in range(SLOTS)]
    beyond = hands.slot(2)
    beyond.hold(1, 2)
    beyond.drop()
    many[-1].hold(3, 4)
    assert suspects(tmp_path) == {1: [(3, 4)]}


def test_the_file_is_not_for_others(tmp_path: Path) -> None:
    opened(tmp_path)
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_unless_it_is_told_the_boot_is_the_kernels(tmp_path: Path) -> None:
    hands = InFlightFile(tmp_path)
    hands.begin()
    slot = hands.slot(1)
    slot.hold(5, 9)
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    assert suspects(tmp_path, boot) == {1: [(5, 9)]}
