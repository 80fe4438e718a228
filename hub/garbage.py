"""How often Python's garbage collector looks for cycles."""

from __future__ import annotations

GC_THRESHOLD = 50_000
"""Allocations between two collections of the youngest generation. CPython's 700 would mean one for every few hundred
waiting messages, which hold no cycles; and dozens while a command is imported, a tenth of its time."""
