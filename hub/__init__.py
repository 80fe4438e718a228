"""hubbub: a message hub. What most users need is here::

from hub import Consumer, Message, Reject, Retry
"""

from hub.consumer import Consumer, Context
from hub.errors import Reject, Retry
from hub.message import Message
from hub.settings import Settings, setting

__all__ = ["Consumer", "Context", "Message", "Reject", "Retry", "Settings", "__version__", "setting"]

__version__ = "0.1.0"
