"""hubbub, a message hub. Names for consumers and their tests::

from hub import Consumer, Message, Reject, Retry

Each name is imported on first use: the command's short-lived processes need none of them.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.consumer import Consumer, Context
    from hub.errors import Reject, Retry
    from hub.message import Message
    from hub.settings import Settings, setting

__all__ = ["Consumer", "Context", "Message", "Reject", "Retry", "Settings", "__version__", "setting"]

__version__ = "0.1.0"

_MODULES = {
    "Consumer": "hub.consumer",
    "Context": "hub.consumer",
    "Message": "hub.message",
    "Reject": "hub.errors",
    "Retry": "hub.errors",
    "Settings": "hub.settings",
    "setting": "hub.settings",
}


def __getattr__(name: str) -> object:
    """The public names, by PEP 562."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
