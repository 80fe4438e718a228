"""Work on a file that may make the process crash: it is done in another one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable
from multiprocessing import reduction
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, TypeVar

from hub.errors import HubError

Result = TypeVar("Result")


class DiedError(HubError):
    """The process that did the work was killed, most likely by what it read."""


def apart(work: Callable[..., Result], *arguments: object) -> Result:
    """What ``work`` returns or raises, in a new process that ends with this one.

    :param work: a function of some module, which the new process imports.
    :raises DiedError: the process died of it.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    here = _Directory(os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
    process = context.Process(target=_work, args=(sender, here, work, arguments), daemon=True)
    _start(process, here)
    sender.close()
    try:
        done, result = receiver.recv()
    except EOFError:
        process.join()
        raise DiedError(f"the process that read it died: {_cause(process.exitcode)}") from None
    finally:
        receiver.close()
        process.kill()
        process.join()
    if not done:
        raise result
    return result  # type: ignore[no-any-return]


class _Directory:
    """A directory that a new process enters by its descriptor. ``multiprocessing`` would have it enter by the path,
    which may be barred to its user."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (reduction.DupFd(self.descriptor),)


def _received(duplicate: Any) -> _Directory:
    return _Directory(duplicate.detach())


def _start(process: SpawnProcess, here: _Directory) -> None:
    os.chdir("/")
    try:
        process.start()
    finally:
        os.fchdir(here.descriptor)
        os.close(here.descriptor)


def _cause(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"


def _work(sender: Connection, here: _Directory, work: Callable[..., object], arguments: tuple[object, ...]) -> None:
    """In the new process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.fchdir(here.descriptor)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        sender.send((True, work(*arguments)))
    except (HubError, OSError) as error:
        sender.send((False, error))
    except Exception:  # noqa: BLE001 - a bug is no damage, and must not be taken for it
        sender.send((False, HubError(f"the process that read it failed: {traceback.format_exc()}")))


def _end_with_parent() -> None:
    """Whoever holds the lock of the state directory is gone: another hub may start."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
