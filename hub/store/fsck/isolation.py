"""Runs work in a child process, because reading a damaged file may kill it: LMDB trusts the file that it maps."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from hub.errors import HubError

Item = TypeVar("Item")

_ITEM, _END, _ERROR = range(3)
_CHILD = "import sys; sys.path[:] = {path!r}; from hub.store.fsck.isolation import serve; serve({descriptor})"


class DiedError(HubError):
    """The child process was killed, most likely by damage in the file."""


def isolated(work: Callable[..., Iterable[Item]], *arguments: object) -> Iterator[Item]:
    """Run ``work`` in a child process and yield its items. The child ends with this process.

    :param work: a function of a module, which the child imports; it and its arguments are pickled.
    :raises DiedError: the child died; its earlier items have been yielded.
    :raises HubError, OSError: ``work`` raised it.
    """
    ours, theirs = multiprocessing.Pipe()
    code = _CHILD.format(path=sys.path, descriptor=theirs.fileno())
    with ours:
        with theirs:
            process = subprocess.Popen([sys.executable, "-I", "-c", code], pass_fds=[theirs.fileno()])  # noqa: S603
        try:
            ours.send((work, arguments))
            while (said := ours.recv())[0] == _ITEM:
                yield said[1]
        except (EOFError, ConnectionError):
            raise DiedError(f"the process that read it died: {_cause(process.wait())}") from None
        finally:
            process.kill()
            process.wait()
    if said[0] == _ERROR:
        raise said[1]


def _cause(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def serve(descriptor: int) -> None:
    """Do the work received on the socket. Runs in the child."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe: Connection[Any, Any] = Connection(descriptor)
    work, arguments = pipe.recv()
    threading.Thread(target=_end_with_parent, args=(pipe,), daemon=True).start()
    try:
        for item in work(*arguments):
            pipe.send((_ITEM, item))
        pipe.send((_END, None))
    except (HubError, OSError) as error:
        pipe.send((_ERROR, error))
    except Exception:  # noqa: BLE001 - a bug must not look like damage
        pipe.send((_ERROR, HubError(f"the process that read it failed: {traceback.format_exc()}")))


def _end_with_parent(pipe: Connection[Any, Any]) -> None:
    """End with the parent: it held the state directory's lock, so another hub may start."""
    pipe.poll(None)
    os._exit(1)
