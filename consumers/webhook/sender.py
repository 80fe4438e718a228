"""Sends one message after the other, or many at once: signs, posts, and judges the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future

import msgspec

from hub.consumers.sending.destination import Destination
from hub.consumers.webhook.answer import Answer, HostFault, Rules
from hub.consumers.webhook.client import Client
from hub.consumers.webhook.hosts import Hosts
from hub.consumers.webhook.payload import Payload
from hub.consumers.webhook.service_account import FORM, AccessToken, ServiceAccount
from hub.consumers.webhook.signature import Signer
from hub.interfaces import Clock


class Login(msgspec.Struct, frozen=True):
    """What a sender proves itself by. :ivar bearer: a token; empty: none. :ivar account: gets tokens of its own."""

    signer: Signer
    bearer: str = ""
    account: ServiceAccount | None = None


class Sender:
    """Sends payloads. Thread-safe.

    :param hosts: each sending that is begun here has been begun there, and ends there. :param wall: epoch seconds.
    :param monotonic: monotonic seconds.
    """

    def __init__(self, client: Client, hosts: Hosts, rules: Rules, login: Login, wall: Clock, monotonic: Clock) -> None:
        self._client, self._hosts, self._rules = client, hosts, rules
        self._login = login
        self._wall, self._monotonic = wall, monotonic
        self._token = AccessToken()
        self._one_order = asyncio.Lock()

    def begin(self, id: str, destination: Destination, payload: Payload) -> Future[Answer]:
        """Begin to send. :returns: at once; the future has the answer that accepts the message, or a
        :class:`SendingFailed`."""
        return self._client.begin(self._send(id, destination, payload))

    async def _send(self, id: str, destination: Destination, payload: Payload) -> Answer:
        began, name, failed = self._monotonic(), destination.name, None
        try:
            headers = await self._headers(id, payload)
            answer = await self._client.post(name, destination.address, payload.body, headers)
            failure = self._rules.failure(name, answer, self._wall())
            failed = isinstance(failure, HostFault)
            if answer.status == 401:
                self._token.forget()
            if failure is not None:
                if isinstance(failure, HostFault) and failure.delay is not None:
                    self._hosts.wait(name, failure.delay)
                raise failure
            return answer
        except HostFault:
            failed = True
            raise
        finally:
            self._hosts.end(name, self._monotonic() - began, failed)

    async def _headers(self, id: str, payload: Payload) -> Mapping[str, str]:
        found = {"Content-Type": payload.kind, **payload.headers}
        found |= self._login.signer.headers(id, self._wall(), payload.body)
        token = await self._access_token(self._login.account) if self._login.account else self._login.bearer
        return found | ({"Authorization": f"Bearer {token}"} if token else {})

    async def _access_token(self, account: ServiceAccount) -> str:
        async with self._one_order:
            if text := self._token.text(self._monotonic()):
                return text
            order = account.order(self._wall())
            answer = await self._client.post(account.token_host, account.token_url, order, {"Content-Type": FORM})
            return self._token.take(answer, self._monotonic())
