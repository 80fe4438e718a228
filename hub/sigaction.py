"""One-shot signal handlers: a second signal ends the process, even if a library holds the GIL.

Python's C handler only notes a signal; the program's handler runs once the interpreter is free. A library that never
releases the GIL would make the hub ignore any number of SIGTERMs. The kernel can reset the signal to its default, which
ends the process, on delivery (sigaction(2), SA_RESETHAND); the signal module has no option for it.
"""

from __future__ import annotations

import ctypes
import sys

SA_RESETHAND = 0x80000000


class _Action(ctypes.Structure):
    """The ``struct sigaction`` of Linux's C libraries."""

    _fields_ = (
        ("handler", ctypes.c_void_p),
        ("mask", ctypes.c_ubyte * 128),
        ("flags", ctypes.c_uint),
        ("restorer", ctypes.c_void_p),
    )


def once(number: int) -> bool:
    """Call the handler for the next signal only; the one after it ends the process.

    :returns: true if it is set; false on systems other than Linux.
    """
    if not sys.platform.startswith("linux"):
        return False
    action = _Action()
    sigaction = ctypes.CDLL(None, use_errno=True).sigaction
    if sigaction(number, None, ctypes.byref(action)) or not action.handler or action.flags & SA_RESETHAND:
        return False
    action.flags |= SA_RESETHAND
    return not sigaction(number, ctypes.byref(action), None)
