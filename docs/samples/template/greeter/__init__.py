"""A consumer that greets whoever pushes."""

from greeter.consumer import Greeter

__all__ = ["Greeter"]
