"""Decides which files the hub trusts, by their owners and permissions.

A configuration names code that is imported, so anybody who can write it can do anything as the user who runs a command.
A file is trusted if it, and each directory and link on its path, belongs to root or to that user, and nobody else can
replace it. ``$HUBBUB_TRUST`` names further users whose files are trusted.
"""

from __future__ import annotations

import functools
import grp
import os
import pwd
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "HUBBUB_TRUST"
"""Variable with names or numbers of trusted users, separated by commas; ``all``: files are not checked."""
MOST_LINKS = 40
"""Symbolic links on a path, the kernel's limit."""
ROOT = 0


@dataclass(frozen=True)
class Trust:
    """Users whose files one user trusts.

    :ivar me: the user who runs this. :ivar others: further trusted users.
    :ivar everybody: true if all files are trusted.
    """

    me: int
    others: frozenset[int] = frozenset()
    everybody: bool = False

    @classmethod
    def now(cls, environ: Mapping[str, str] = os.environ) -> Trust:
        """The trust of this process."""
        words = {word.strip() for word in environ.get(VARIABLE, "").split(",")} - {""}
        named = {uid for word in words if (uid := _uid(word)) is not None}
        return cls(os.geteuid(), frozenset(named | _unmapped_root()), "all" in words)

    def refusal(self, path: Path, *, strict: bool = False) -> str | None:
        """The reason why a file is not trusted; ``None``: it is, or it does not exist.

        :param strict: also refuse files writable by a group with other members. Root always refuses them.
        """
        if self.everybody:
            return None
        for place, found in _way_to(path):
            text = self._owner_problem(place, found.st_uid) or self._mode_problem(place, found, strict)
            if text is not None:
                return text
        return None

    def _owner_problem(self, place: Path, owner: int) -> str | None:
        if owner in (ROOT, self.me) or owner in self.others:
            return None
        name = user_name(owner)
        return (
            f"{place} belongs to {name}, who is not trusted by {user_name(self.me)}: run this as {name}, "
            f"give the file to root, or set {VARIABLE}={name.removeprefix('uid ')}"
        )

    def _mode_problem(self, place: Path, found: os.stat_result, strict: bool) -> str | None:
        if stat.S_ISLNK(found.st_mode) or (stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX):
            return None
        mode = f"mode {stat.S_IMODE(found.st_mode):04o}"
        if found.st_mode & stat.S_IWOTH:
            return f"{place} can be written by every user, {mode}: chmod o-w {place}"
        if not found.st_mode & stat.S_IWGRP or not (strict or self.me == ROOT):
            return None
        if _has_access_list(place):
            return f"{place} can be written by those whom its access control list names, {mode}: setfacl -b {place}"
        if self._has_others(found.st_gid):
            return f"{place} can be written by the group {group_name(found.st_gid)}, {mode}: chmod g-w {place}"
        return None

    def _has_others(self, group: int) -> bool:
        """True if a user who is not trusted is a member of the group."""
        try:
            named = {_uid(name) for name in grp.getgrgid(group).gr_mem}
        except KeyError:
            return True
        members = named | {user.pw_uid for user in pwd.getpwall() if user.pw_gid == group}
        return not members <= {ROOT, self.me, *self.others}


def _has_access_list(place: Path) -> bool:
    """True if the file has an access control list; the group bits of its mode are then the list's mask."""
    try:
        return bool(os.getxattr(place, "system.posix_acl_access", follow_symlinks=False))
    except OSError:
        return False


def _way_to(path: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Every directory and symbolic link on the path, from the root down, and the file. It ends at a missing one."""
    rest, place = list(reversed(path.absolute().parts)), Path("/")
    links = 0
    while rest:
        part = rest.pop()
        place = place.parent if part == ".." else place / part
        try:
            found = place.lstat()
        except OSError:
            return
        yield place, found
        if stat.S_ISLNK(found.st_mode):
            links += 1
            if links > MOST_LINKS:
                return
            rest += reversed(place.readlink().parts)
            place = place.parent


@functools.lru_cache(maxsize=1000)
def user_name(uid: int) -> str:
    """The user's name, or ``uid 1234``. It is cached, because a directory service may be slow."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def group_name(gid: int) -> str:
    """The group's name, or ``gid 1234``."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return f"gid {gid}"


def _uid(name: str) -> int | None:
    if name.isdigit():
        return int(name)
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def _unmapped_root() -> set[int]:
    """The overflow user that stands for root and all unmapped users, in a user namespace without root."""
    try:
        ranges = [line.split() for line in Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()]
        if any(int(first) == ROOT for first, _, _ in ranges):
            return set()
        return {int(Path("/proc/sys/kernel/overflowuid").read_text(encoding="ascii"))}
    except (OSError, ValueError):
        return set()
