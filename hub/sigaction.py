"""A signal whose second coming ends the process, though a library holds Python's interpreter.

Python's own handler only notes the signal; what the program wants done is done when the interpreter is free. A library
that never lets go of it would have the hub deaf to any number of SIGTERMs. The kernel can set the signal back to its
default, which is the end, as it comes (sigaction(2), SA_RESETHAND); the signal module has no way to say so.
"""

from __future__ import annotations

import ctypes
import sys

SA_RESETHAND = 0x80000000


class _Action(ctypes.Structure):
    """``struct sigaction`` of Linux's C libraries."""

    _fields_ = (
        ("handler", ctypes.c_void_p),
        ("mask", ctypes.c_ubyte * 128),
        ("flags", ctypes.c_uint),
        ("restorer", ctypes.c_void_p),
    )


def once(number: int) -> bool:
    """Have the handler of that signal called for the next one only, and the one after that end the process.

    :returns: whether that could be done; elsewhere than on Linux it can't.
    """
    if not sys.platform.startswith("linux"):
        return False
    action = _Action()
    sigaction = ctypes.CDLL(None, use_errno=True).sigaction
    if sigaction(number, None, ctypes.byref(action)) or not action.handler or action.flags & SA_RESETHAND:
        return False
    action.flags |= SA_RESETHAND
    return not sigaction(number, ctypes.byref(action), None)
