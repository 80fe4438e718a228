#!/usr/bin/env bash
# py-lmdb 3.0.0 (LMDB 0.9.36): an Environment.set_mapsize() that fails for want of address space closes the environment.
#
# Guessed: a resize that can't be done raises, and leaves the environment with the map that it had, as a failed
# ftruncate() leaves a file as it was.
# Found: it raises MemoryError, and from then on every call on the environment, begin() and info() too, raises lmdb.Error,
# "Attempt to operate on closed/deleted/dropped object"; while another open() of the directory is refused with "already
# open in this process", until close() is called on what is closed. What was committed is whole then.
# So who lets a map grow as it fills, under a limit of memory or with 39 bits of addresses, has to close and open the
# environment anew after a failure, with the size it had; or try a mapping of that size before.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
python3 -m venv "$directory/venv"
"$directory/venv/bin/pip" install --quiet --disable-pip-version-check lmdb==3.0.0 2>/dev/null
"$directory/venv/bin/python" - "$directory/data" <<'PYTHON'
import resource
import sys

import lmdb

SMALL, LARGE, ADDRESSES = 1 << 20, 1 << 40, 2 << 30


def outcome(call):
    try:
        return repr(call())
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def read(environment):
    with environment.begin() as transaction:
        return transaction.get(b"key")


print("py-lmdb", lmdb.__version__, "with LMDB", ".".join(map(str, lmdb.version())))
environment = lmdb.open(sys.argv[1], map_size=SMALL)
with environment.begin(write=True) as transaction:
    transaction.put(b"key", b"value")
resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, resource.RLIM_INFINITY))
resized = outcome(lambda: environment.set_mapsize(LARGE))
after, size = outcome(lambda: read(environment)), outcome(lambda: environment.info()["map_size"])
at_once = outcome(lambda: lmdb.open(sys.argv[1], map_size=SMALL))
environment.close()
again = outcome(lambda: read(lmdb.open(sys.argv[1], map_size=SMALL)))
print("set_mapsize(1 TiB) with 2 GiB of addresses:", resized)
print("a read after that:", after)
print("info() after that:", size)
print("another open():", at_once)
print("a read after close() and another open():", again)
closed = "Error: Attempt to operate on closed/deleted/dropped object."
assert resized.startswith("MemoryError"), resized
assert (after, size, again) == (closed, closed, repr(b"value"))
assert "already open in this process" in at_once, at_once
PYTHON
