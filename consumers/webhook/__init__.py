"""Webhook consumer: sends each message by HTTP to a URL."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from concurrent.futures import CancelledError, Future, wait
from functools import partial
from typing import ClassVar

from hub import Consumer, Context, Message
from hub.consumers.sending.destination import Destination, sending_id
from hub.consumers.sending.field import Content
from hub.consumers.sending.filter import Filter
from hub.consumers.sending.outcome import ForGood, SendingFailed, Temporary, Waiting, verdict_of
from hub.consumers.sending.rate import Rates
from hub.consumers.sending.tally import Tally
from hub.consumers.webhook.answer import Answer, Rules
from hub.consumers.webhook.client import Client
from hub.consumers.webhook.guard import Guard
from hub.consumers.webhook.hosts import HostLimits, Hosts
from hub.consumers.webhook.mask import Mask
from hub.consumers.webhook.payload import Payload, Payloads
from hub.consumers.webhook.sender import Login, Sender
from hub.consumers.webhook.service_account import ServiceAccount
from hub.consumers.webhook.settings import HOST_OF_OTHERS
from hub.consumers.webhook.settings import Config as _Config
from hub.consumers.webhook.signature import Signer, key_of
from hub.consumers.webhook.target import Target
from hub.consumers.webhook.under_way import Sending, UnderWay
from hub.errors import ConfigError
from hub.extra import Extra
from hub.settings import SecretRef, Settings
from hub.units import format_duration

__all__ = ["Webhook"]

PATIENCE = 0.1
"""Seconds that a thread waits for an answer, if messages go to many hosts. Then it does other work: the message goes
back to its queue, and fetches the answer later."""
FEW = 8
"""Requests under way up to which a thread waits for one at all. With more of them hosts are slow."""
NAP = 1.0
"""Seconds that a thread waits at most for its turn, if all messages go to one host anyway."""
MARGIN = 5.0
EXTRA = Extra("a webhook", "webhook", ("aiohttp",))
ACCOUNT_EXTRA = Extra("a service account", "webhook", ("cryptography.hazmat.primitives.asymmetric.rsa",))


class Webhook(Consumer):
    """Send each message by HTTP: to a webhook, to a chat like Slack, to ntfy, to phones by Firebase Cloud Messaging.

    While a host is away its messages wait, and those for other hosts go on; one that a host refuses becomes a dead
    letter. Every attempt at a message has the same ``webhook-id``.
    """

    Config: ClassVar[type[Settings]] = _Config
    threads = 4

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        config: _Config = context.config
        self._settings = config
        self._payloads = Payloads(config)
        self._filter = Filter(config.include, config.exclude)
        self._rates = Rates(config.rate, config.burst, time.monotonic)
        self._tally = Tally(time.time)
        limits = HostLimits(
            config.host_requests, config.breaker_failures, config.breaker_pause, config.breaker_pause_limit
        )
        self._hosts = Hosts(limits, config.max_requests, time.monotonic, random.uniform)
        self._under_way = UnderWay(time.monotonic)
        self._client: Client | None = None

    @classmethod
    def needed_extras(cls, config: _Config) -> Iterable[Extra]:
        """Return those of the HTTP client and of a service account; see :class:`hub.interfaces.NeedingExtras`."""
        return [EXTRA] if config.service_account is None else [EXTRA, ACCOUNT_EXTRA]

    def start(self) -> None:
        """Read the secrets, and start the HTTP client. :raises ConfigError: a secret is missing or unusable."""
        config = self._settings
        signer = Signer([key_of(secret) for secret in config.signing_secrets])
        account = None if config.service_account is None else ServiceAccount(config.service_account)
        bearer = "" if config.bearer is None else _token(config.bearer)
        secret_url = "" if config.url_secret is None else config.url_secret.read().strip()
        if config.url_secret is None:
            self._target = Target(config.url or (account.send_url if account else ""))
        else:
            self._target = _secret_target(secret_url)
        if (bearer or account) and not self._target.fixed_host:
            raise ConfigError([f"url_secret: {HOST_OF_OTHERS}"])
        name = f"hubbub-{self.context.name}-requests"
        mask = Mask([bearer], secret_url)
        client = Client(name, Guard(config.allow_private), config.time_limit, config.ca_file, mask)
        rules = Rules(frozenset(config.retry_statuses), config.retry_after_limit)
        login = Login(signer, bearer, account)
        self._sender = Sender(client, self._hosts, rules, login, time.time, time.monotonic)
        client.start()
        self._client = client

    def consume(self, message: Message) -> None:
        """Send it, or fetch the answer to what was sent. :raises Retry: not yet. :raises Reject: never."""
        try:
            self._deliver(message)
        except SendingFailed as failed:
            raise verdict_of(self._given_up(message, failed)) from failed

    def status(self) -> object:
        """Numbers of what was sent to whom, of requests under way, and of hosts that are left alone."""
        return {**self._tally.status(), **self._hosts.status()}

    def stop(self) -> None:
        """Give up what is under way; its messages are still in the queue."""
        if self._client is not None:
            self._client.stop()

    def _deliver(self, message: Message) -> None:
        content = Content(message)
        if not self._filter.wants(content):
            self._tally.left_out()
            return
        destination = self._target.of(content)
        id = "msg_" + sending_id(message, destination)
        sending = self._under_way.of(id) or self._begun(id, destination, self._payloads.of(content))
        self._await(sending, destination.name)
        self._under_way.fetched(id, sending)  # before a look at it: what failed, however, must not be found again
        try:
            sending.future.result()
        except CancelledError:
            raise Waiting("the consumer stops") from None
        except SendingFailed as failed:
            (self._tally.for_good if isinstance(failed, ForGood) else self._tally.temporary)(destination.name)
            raise
        self._tally.sent(destination.name)

    def _begun(self, id: str, destination: Destination, payload: Payload) -> Sending:
        """Begin to send. Where all goes to one host, the thread waits a little for its turn: nobody else needs it."""
        deadline = time.monotonic() + MARGIN
        while True:
            try:
                return self._under_way.begin(id, partial(self._post, id, destination, payload))
            except Temporary as waiting:
                delay = NAP if waiting.delay is None else waiting.delay
                if not self._target.constant or time.monotonic() > deadline or self._stops(min(delay, NAP)):
                    raise
                if delay > NAP:
                    raise type(waiting)(str(waiting), delay - NAP) from None

    def _post(self, id: str, destination: Destination, payload: Payload) -> Future[Answer]:
        name = destination.name
        self._hosts.begin(name)
        if delay := self._rates.take(name):
            self._hosts.end(name, 0.0, None)
            raise Waiting(f"{name} is sent {self._settings.rate} at most", delay)
        return self._sender.begin(id, destination, payload)

    def _await(self, sending: Sending, name: str) -> None:
        """Wait a little for the answer; all of its time, if the consumer is to end. :raises Waiting: there is none
        yet."""
        usual = self._hosts.answers_in(name)
        patience = PATIENCE if usual <= PATIENCE and self._hosts.under_way <= FEW else 0.0
        full = self._settings.time_limit + MARGIN
        if self._target.constant:
            patience = full
        done = wait([sending.future], patience).done
        if not done and self._stops():  # nobody will come back for the answer: what has it would be sent again
            done = wait([sending.future], max(0.0, sending.since + full - time.monotonic())).done
        if not done:
            passed = time.monotonic() - sending.since
            delay = usual - passed if usual > passed else passed / 2
            raise Waiting(f"{name} has not answered yet", min(max(delay, PATIENCE), MARGIN))

    def _stops(self, seconds: float = 0.0) -> bool:
        """Wait, unless the consumer is to end. :returns: whether it is."""
        return self.context.stopping.wait(seconds)

    def _given_up(self, message: Message, failed: SendingFailed) -> SendingFailed:
        """The failure, for good if the message is too old to be tried again."""
        limit = self._settings.give_up_after
        if isinstance(failed, ForGood | Waiting) or time.time() - message.received_at <= limit:
            return failed
        return ForGood(f"{failed}; the message is older than {format_duration(limit)}")


def _token(reference: SecretRef) -> str:
    token = reference.read().strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError([f"{reference}: expected a token, in printable ASCII and without spaces"])
    return token


def _secret_target(url: str) -> Target:
    """The target of a URL that is a secret. :raises ConfigError: it is unusable; the text has nothing of it."""
    try:
        return Target(url)
    except ValueError:
        told = "expected a URL such as 'https://example.org/hook', in ASCII and without spaces, with braces doubled"
        raise ConfigError([f"url_secret: {told}"]) from None
