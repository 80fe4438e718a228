"""``/api``: the hub's verbs, as on the control socket, but for the status, which is what this server shows of it."""

from __future__ import annotations

from typing import Any

from twisted.web.http import OK
from twisted.web.resource import Resource
from twisted.web.server import Request

from hub.monitoring.web.pages import Status
from hub.monitoring.web.pulse import Pulse

STATUS = b"status"


class Api(Resource):
    """See the module. :param verbs: all of them. They are never asked for the status: theirs has everything."""

    isLeaf = True

    def __init__(self, verbs: Any, status: Status, pulse: Pulse) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._verbs = verbs
        self._status = status
        self._pulse = pulse

    def render(self, request: Request) -> Any:
        """Pass it on."""
        assert request.postpath is not None
        if request.postpath[:1] == [STATUS]:
            del request.postpath[0]
            return self._status.render(request)
        if request.method == b"POST":
            request.notifyFinish().addBoth(lambda _: self._done(request))
        return self._verbs.render(request)

    def _done(self, request: Request) -> None:
        """Whoever changed something finds it changed; one that was refused costs the next no new status."""
        if request.code == OK:
            self._pulse.outdate()
