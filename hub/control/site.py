"""What the control socket answers with: the hub's verbs over HTTP, for everybody who could open the socket.

Imported with the first connection: a web server and all verbs are three megabytes, and a tenth of the start.
"""

from __future__ import annotations

from typing import Any

from twisted.web.server import Request, Site

from hub import unixsocket
from hub.control.hub import Hub
from hub.control.verbs import verbs_of
from hub.http.access import Access, Caller, Guard
from hub.http.api import Api
from hub.partlog import part_log


class QuietSite(Site):
    """A site without an access log: a status read every second would fill the journal."""

    displayTracebacks = False

    def log(self, request: Any) -> None:
        """Log nothing."""


class PeerGuard:
    """Admits everybody who could open the socket, and identifies them."""

    def who(self, request: Request) -> str:
        """User and process at the other end, from the kernel."""
        return unixsocket.peer(request.transport)

    def admit(self, request: Request, access: Access, any_host: bool = False, any_origin: bool = False) -> Caller:
        """Admit the caller with all rights."""
        return Caller(self.who(request), contents=True)


def control_site(hub: Hub) -> QuietSite:
    """The site of a hub's control socket."""
    return QuietSite(control_api(hub, PeerGuard()))  # type: ignore[no-untyped-call]


def control_api(hub: Hub, guard: Guard) -> Api:
    """The hub's verbs at the root, those of plugins below their sections, and the description of all."""
    return Api(guard, hub.audit, part_log("hub", "api"), {"": verbs_of(hub)}, plugins=hub.mounts.now)
