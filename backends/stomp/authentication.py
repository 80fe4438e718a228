"""Authentication: who a client is, by its certificate, or by login and passcode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.threads import deferToThreadPool

from hub.backends.stomp.frame import ProtocolError
from hub.backends.stomp.login import Users


class LoginRefused(ProtocolError):
    """The client did not prove who it is. The text does not tell whether there is such a user."""


class Authentication:
    """Checks logins.

    :param users: returns the users of now; ``None``: clients need no login, and may give any.
    :param certificates: whether a client is who its verified certificate says, if it gives no login.
    """

    def __init__(self, users: Callable[[], Users] | None, certificates: bool, reactor: Any) -> None:
        self.users = users
        self._certificates = certificates
        self._reactor = reactor

    def check(
        self, login: str | None, passcode: str | None, certificate: str | None, loopback: bool
    ) -> Deferred[str | None]:
        """Find the user. The passcode is checked in a thread, unless it was right before.

        :param certificate: the name in the client's verified certificate.
        :param loopback: whether it is on this machine; others, who come through a proxy, need a login.
        :returns: fires with the user; ``None``: nobody needs a login. Fails with :class:`LoginRefused`.
        """
        if login is None and certificate is not None and self._certificates:
            return succeed(certificate)
        users = None if self.users is None else self.users()
        if users is None and not loopback and not self._certificates:
            return fail(LoginRefused("clients behind a proxy need a login, and this server has no users_file"))
        if users is None:
            return fail(LoginRefused("a client certificate is required")) if self._certificates else succeed(None)
        if login is None or passcode is None:
            return fail(LoginRefused("login and passcode are required"))
        if users.known(login, passcode):
            return succeed(login)
        checking = deferToThreadPool(self._reactor, self._reactor.getThreadPool(), users.check, login, passcode)

        def checked(right: bool) -> str:
            if not right:
                raise LoginRefused("login or passcode is wrong")
            users.remember(login, passcode)
            return login

        return checking.addCallback(checked)
