"""Login: a file of users with hashed passwords, and who a client is.

A line of the file is ``NAME:scrypt:N:R:P:SALT:HASH``, salt and hash in base64 (RFC 7914); ``#`` begins a comment.
``hubbub stomp passwd`` writes it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from hub.errors import ConfigError
from hub.statefiles import write_whole
from hub.watched_files import WatchedFiles

N, R, P = 1 << 14, 8, 1
"""Cost of a new hash: 16 MiB of memory and some 50 ms, as RFC 7914 says for interactive logins."""
MOST_N, MOST_RP = 1 << 20, 64
"""Limits of the cost in a file: a typing error must not take all memory."""
SALT, SIZE = 16, 32
"""Bytes of a salt, and of a hash."""
LONGEST_PASSCODE = 1024
"""Characters."""
MOST_REMEMBERED = 10_000
"""Passcodes that were right, whose hash need not be computed again."""
NAME = re.compile(r"[^\s:#*][^\s:]*")

Bytes = Callable[[int], bytes]


class Hash(msgspec.Struct, frozen=True):
    """A hashed password, with its cost (RFC 7914)."""

    n: int
    r: int
    p: int
    salt: bytes
    digest: bytes

    @classmethod
    def of(cls, passcode: str, random: Bytes = secrets.token_bytes) -> Hash:
        """Hash a password."""
        salt = random(SALT)
        return cls(N, R, P, salt, _scrypt(passcode, N, R, P, salt, SIZE))

    @classmethod
    def parse(cls, text: str) -> Hash:
        """Parse ``scrypt:N:R:P:SALT:HASH``. :raises ValueError: it is none, or its cost is beyond all limits."""
        kind, *rest = text.split(":")
        if kind != "scrypt" or len(rest) != 5:
            raise ValueError("expected scrypt:N:R:P:SALT:HASH")
        *costs, salt, digest = rest
        n, r, p = map(int, costs)
        if not (1 < n <= MOST_N and not n & (n - 1) and r > 0 and p > 0 and r * p <= MOST_RP):
            raise ValueError(f"the cost {n}:{r}:{p} is out of range")
        return cls(n, r, p, base64.b64decode(salt, validate=True), base64.b64decode(digest, validate=True))

    def __str__(self) -> str:
        encoded = (base64.b64encode(value).decode() for value in (self.salt, self.digest))
        return ":".join(("scrypt", str(self.n), str(self.r), str(self.p), *encoded))

    def matches(self, passcode: str) -> bool:
        """Compute the hash of a passcode and compare. Takes some 50 ms; thread-safe."""
        computed = _scrypt(passcode, self.n, self.r, self.p, self.salt, len(self.digest))
        return hmac.compare_digest(computed, self.digest)


NOBODY = Hash(N, R, P, b"\0" * SALT, b"\0" * SIZE)
"""Checked for an unknown user, so that the time of a refusal does not tell which names exist."""


def _scrypt(passcode: str, n: int, r: int, p: int, salt: bytes, size: int) -> bytes:
    raw = passcode.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(raw, salt=salt, n=n, r=r, p=p, maxmem=256 * n * r * p + (1 << 20), dklen=size)


def read_users(path: Path) -> dict[str, Hash]:
    """Read a file of users. :raises ConfigError: it can't be read; with all wrong lines, which are not shown."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"users_file: {path} can't be read: {error}"]) from error
    users: dict[str, Hash] = {}
    problems = []
    for number, line in _entries(lines):
        name, _, text = line.partition(":")
        try:
            hashed = Hash.parse(text)
        except ValueError as error:
            reason = str(error) if "expected" in str(error) or "cost" in str(error) else "it can't be parsed"
            problems.append(f"users_file: {path}:{number}: the password of {name!r}: {reason}")
            continue
        if name in users:
            problems.append(f"users_file: {path}:{number}: {name!r} is there twice")
        users[name] = hashed
    if problems:
        raise ConfigError(problems)
    return users


def write_user(path: Path, name: str, passcode: str | None) -> None:
    """Write a user into the file, or with ``None`` remove it. All other lines stay. The file is replaced at once, and
    only its owner may read it.

    :raises ConfigError: the name can't be used, or there is no such user to remove.
    """
    if not NAME.fullmatch(name):
        raise ConfigError([f"expected a name without spaces and ':', not {name!r}"])
    if passcode is not None and not 0 < len(passcode) <= LONGEST_PASSCODE:
        raise ConfigError([f"expected a password of 1 to {LONGEST_PASSCODE} characters"])
    old = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    mine = {number for number, line in _entries(old) if line.partition(":")[0] == name}
    if passcode is None and not mine:
        raise ConfigError([f"there is no user {name!r} in {path}"])
    lines = [line for number, line in enumerate(old, 1) if number not in mine]
    if passcode is not None:
        lines.append(f"{name}:{Hash.of(passcode)}")
    write_whole(path, "".join(f"{line}\n" for line in lines).encode())


def _entries(lines: list[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            yield number, line.strip()


class Users:
    """Users. A passcode that was right once is remembered, as a keyed hash: a thousand clients that come back must not
    wait for a thousand scrypts.
    """

    def __init__(self, users: dict[str, Hash], random: Bytes = secrets.token_bytes) -> None:
        self._users = users
        self._key = random(SIZE)
        self._known: dict[str, bytes] = {}

    def known(self, name: str, passcode: str) -> bool:
        """Tell, without computing a hash, whether this passcode was right before."""
        return hmac.compare_digest(self._known.get(name, b""), self._mark(name, passcode))

    def check(self, name: str, passcode: str) -> bool:
        """Check a passcode. Takes some 50 ms: call it in another thread."""
        hashed = self._users.get(name)
        if len(passcode) > LONGEST_PASSCODE or hashed is None:
            NOBODY.matches("")
            return False
        return hashed.matches(passcode)

    def remember(self, name: str, passcode: str) -> None:
        """Remember that a passcode was right."""
        if len(self._known) < MOST_REMEMBERED:
            self._known[name] = self._mark(name, passcode)

    def _mark(self, name: str, passcode: str) -> bytes:
        text = f"{len(name)}:{name}:{passcode[: LONGEST_PASSCODE + 1]}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, text, "sha256")


class UsersFile:
    """The users of a file, which is read again when it has changed. While it can't be used, the last users stay.

    :raises ConfigError: the file can't be read, or has wrong lines.
    """

    def __init__(self, path: Path, log: logging.LoggerAdapter[logging.Logger]) -> None:
        def complain(reason: str) -> None:
            log.error("the last users stay: %s", "; ".join(reason.splitlines()), extra={"action": "login"})

        self._file = WatchedFiles([path], lambda: Users(read_users(path)), complain, keeps=True)
        self._file.load()

    def current(self) -> Users:
        """The users of now."""
        users = self._file.content()
        assert users is not None  # they were loaded, and are kept
        return users
