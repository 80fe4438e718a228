"""Work on a file that may make the process crash: it is done in another one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TypeVar

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
    process = context.Process(target=_work, args=(sender, work, arguments), daemon=True)
    process.start()
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


def _cause(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"


def _work(sender: Connection, work: Callable[..., object], arguments: tuple[object, ...]) -> None:
    """In the new process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
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
