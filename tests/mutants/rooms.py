"""The code of the core, and the tests that are to notice when it is changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

DECLARED = (
    "tests/unit/parts/test_declared.py",
    "tests/unit/parts/test_declared_lives.py",
    "tests/unit/parts/test_declared_settled.py",
    "tests/unit/parts/test_delayed.py",
    "tests/unit/parts/test_overdue.py",
    "tests/contracts/test_declared_contract.py",
)
ROOMS: Mapping[str, tuple[str, ...]] = {
    "hub/queue": (
        "tests/unit/queue",
        "tests/unit/workers",
        "tests/unit/store",
        "tests/contracts/test_reader_contract.py",
        "tests/contracts/test_work_source_contract.py",
        "tests/contracts/test_confirmation_order.py",
    ),
    "hub/workers": ("tests/unit/workers", "tests/unit/queue"),
    "hub/store": (
        "tests/unit/store",
        "tests/contracts/test_store_contract.py",
        "tests/contracts/test_search_contract.py",
        "tests/contracts/test_dead_letters_contract.py",
        "tests/contracts/test_outbox_contract.py",
        "tests/contracts/test_in_flight_contract.py",
    ),
    "hub/stats": ("tests/unit/stats",),
    "hub/enqueuer.py": (
        "tests/unit/test_enqueuer.py",
        "tests/unit/queue",
        "tests/contracts/test_confirmation_contract.py",
    ),
    "hub/intakes.py": ("tests/unit/test_intakes.py", "tests/contracts/test_confirmation_contract.py"),
    "hub/confirmations.py": ("tests/unit/test_confirmations.py", "tests/contracts/test_confirmation_contract.py"),
    "hub/unsettled.py": ("tests/unit/test_unsettled.py",),
    "hub/placements.py": ("tests/unit/test_placements.py",),
    "hub/router.py": ("tests/unit/test_router.py", "tests/unit/test_enqueuer.py"),
    "hub/duplicates.py": ("tests/unit/test_duplicates.py", "tests/unit/test_enqueuer.py"),
    "hub/refused.py": ("tests/unit/test_refused.py",),
    "hub/publisher.py": ("tests/unit/test_publisher.py", "tests/unit/test_publisher_unstored.py"),
    "hub/stores.py": ("tests/unit/test_stores.py", "tests/unit/store", "tests/unit/parts"),
    "hub/parts/declared.py": DECLARED,
    "hub/parts/declared_queue.py": DECLARED,
    "hub/control": ("tests/unit/control", "tests/unit/parts"),
    "hub/store/fsck": ("tests/unit/store/fsck", "tests/unit/store/test_version.py", "tests/unit/cli/test_fsck_cli.py"),
}
"""By file or folder; a folder is its files without its folders."""
CORE = tuple(room for room in ROOMS if room != "hub/store/fsck")
"""Rooms that are taken where none is named. The other ones' tests take long."""
TEXTS = (r"log(\([^)]*\))?\.(debug|info|warning|error|exception|critical)\(", r"^\s*text = ", r"^\s*extra = \{")
"""Patterns of lines that only say something to people, and are not changed."""
NOT_HELPFUL = ("tests/unit/store/fsck", "tests/unit/store/test_opening.py")
"""Tests that take long, and see nothing of the other rooms that their own tests do not."""


def files_of(rooms: Iterable[str], root: Path) -> list[str]:
    """The files of these rooms. :raises ValueError: one is none of the rooms, nor in one."""
    found: dict[str, None] = {}
    for room in rooms:
        if room_of(room) is None or not (root / room).exists():
            raise ValueError(f"{room} is not in {', '.join(ROOMS)}")
        paths = sorted((root / room).glob("*.py")) if (root / room).is_dir() else [root / room]
        found |= {str(path.relative_to(root)): None for path in paths}
    return [*found]


def seen_by(rooms: Iterable[str]) -> list[str]:
    """Paths of the tests that are to notice a change in these rooms, each once."""
    found = {test: None for room in rooms for test in ROOMS[room_of(room) or ""]}
    return [*found]


def ignored_for(rooms: Iterable[str]) -> list[str]:
    """Tests below these paths that are left out."""
    seen = seen_by(rooms)
    return [test for test in NOT_HELPFUL if test not in seen]


def room_of(path: str) -> str | None:
    """The room that a file or folder is in: the innermost."""
    return max((room for room in ROOMS if path == room or path.startswith(f"{room}/")), key=len, default=None)
