"""Settings of webhooks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from hub.consumers.sending.filter import EXCLUDE_HELP, INCLUDE_HELP, Conditions
from hub.consumers.sending.rate import Rate
from hub.consumers.sending.template import TemplateText
from hub.consumers.webhook.fields import Fields, problem_of
from hub.consumers.webhook.guard import Networks
from hub.consumers.webhook.target import Target
from hub.settings import Duration, FilePath, SecretRef, Settings, setting

Format = Literal["standard", "body", "cloudevents", "cloudevents-binary", "json", "text", "slack", "ntfy", "fcm"]
ADDRESSED = ("ntfy", "fcm")
"""Formats with an addressee in the body."""
HOST_OF_OTHERS = "a token must not go to a host that the message names"
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS = re.compile(
    r"(?i)authorization|content-.*|transfer-encoding|connection|host|expect|te|upgrade|trailer|webhook-.*"
)


class Config(Settings):
    """Settings of a webhook: where to, what, and how patiently."""

    url: TemplateText | None = setting(
        None,
        "The URL to POST to, a template, whose fields are quoted; '{body.msg.url}' alone is the message's whole URL. "
        "fcm: unset.",
        example="https://example.org/hook",
    )
    url_secret: SecretRef | None = setting(
        None, "The URL, where it is a secret itself, as Slack's: 'file:/path' or 'credential:name'."
    )
    format: Format = setting(
        "standard",
        "What is sent. 'standard': Standard Webhooks' JSON: type, timestamp, data. 'body': the message's body as it "
        "is. 'cloudevents': an event of CloudEvents 1.0 as JSON; 'cloudevents-binary': the same with attributes as "
        "headers. 'json': the table 'fields'. 'text': the text alone. 'slack', 'ntfy', 'fcm': as Slack and its like, "
        "ntfy, and Firebase Cloud Messaging's HTTP v1 take messages.",
    )
    text: TemplateText = setting("{topic}", "text, slack, ntfy, fcm: the text, a template.")
    title: TemplateText | None = setting(None, "ntfy, fcm: the title, a template.", example="{topic}")
    to: TemplateText | None = setting(
        None,
        "ntfy: the topic there. fcm: the device's token, or '/topics/NAME'. A template.",
        example="{body.msg.token}",
    )
    fields: Fields = setting(
        {},
        "json: the object to send; all texts in it, at any depth, are templates. slack, ntfy, fcm: more fields of "
        "theirs, such as priority = 4.",
    )
    headers: dict[str, TemplateText] = setting(
        {}, "More headers of the request, templates. What is not printable ASCII in a message is percent-encoded."
    )
    signing_secrets: list[SecretRef] = setting(
        [],
        "Secrets that sign each request by Standard Webhooks 1.0, as 'file:/path' or 'credential:name': 'whsec_' and "
        "base64. Two while the secret is changed.",
        max_length=2,
    )
    bearer: SecretRef | None = setting(
        None,
        "A token for the header Authorization: 'file:/path' or 'credential:name'. The URL's host must not come from "
        "the message.",
    )
    service_account: SecretRef | None = setting(
        None, "fcm: the JSON key of a Google service account, as 'file:/path' or 'credential:name'."
    )
    cloudevents_source: str = setting(
        "/hubbub", "cloudevents: 'source' of events whose message has no header ce-source.", min_length=1
    )
    time_limit: Duration = setting("15s", "How long one request may take in all.", gt=0, le=600)
    host_requests: int = setting(4, "Requests at once to one host.", ge=1, le=1000)
    max_requests: int = setting(500, "Requests at once to all hosts.", ge=1, le=10_000)
    retry_statuses: list[int] = setting(
        [401, 407, 408, 425, 429],
        "Statuses below 500 after which a message is sent again. From 500 on it always is; after others it is a dead "
        "letter.",
    )
    retry_after_limit: Duration = setting(
        "1h", "Longest time that a host is waited for because its Retry-After says so."
    )
    give_up_after: Duration = setting(
        "7d",
        "Age from which on a message that can't be sent becomes a dead letter, instead of being tried again.",
        gt=0,
    )
    breaker_failures: int = setting(
        5,
        "Failures in a row (no answer, or 429, 502, 503, 504) after which a host is left alone for breaker_pause, and "
        "then tried with one request.",
        ge=1,
        le=1000,
    )
    breaker_pause: Duration = setting(
        "10s", "How long a failing host is left alone; twice as long after each failed try.", gt=0
    )
    breaker_pause_limit: Duration = setting("5m", "Longest time that a failing host is left alone.", gt=0)
    allow_private: Networks = setting(
        [],
        "Networks and addresses that requests may go to although they are not public: '10.1.0.0/16', '127.0.0.1', "
        "'::1'. All other private, loopback and link-local addresses are refused.",
    )
    ca_file: FilePath | None = setting(None, "Certificates of the authorities to trust, in PEM. Unset: the system's.")
    rate: Rate | None = setting(
        None, "Most messages to one host: '5/s', '100/m' or '30/10s'. Unset: no limit.", example="5/s"
    )
    burst: int = setting(
        1, "Messages that one host may be sent at once after a pause, with 'rate'.", ge=1, le=1_000_000
    )
    include: Conditions = setting({}, INCLUDE_HELP)
    exclude: Conditions = setting({}, EXCLUDE_HELP)

    def contradictions(self) -> Iterator[str]:
        """Yield what is missing, and what can't go together."""
        yield from self._of_the_url()
        yield from self._of_the_format()
        if self.bearer is not None and self.service_account is not None:
            yield "bearer and service_account are two ways to the same header: leave one out"
        for name in self.headers:
            if not _NAME.fullmatch(name) or _OURS.fullmatch(name):
                yield f"headers: {name[:60]!r} can't be set here"

    def _of_the_url(self) -> Iterator[str]:
        if self.url is not None and self.url_secret is not None:
            yield "url and url_secret can't both be set"
        if self.url is None and self.url_secret is None and self.service_account is None:
            yield "url must be set" + (", or service_account" if self.format == "fcm" else "")
        if self.url is not None:
            try:
                target = Target(self.url)
            except ValueError as error:
                yield f"url: {error}"
            else:
                if not target.fixed_host and (self.bearer is not None or self.service_account is not None):
                    name = "service_account" if self.bearer is None else "bearer"
                    yield f"url: {HOST_OF_OTHERS}, so {name} can't be set"

    def _of_the_format(self) -> Iterator[str]:
        if self.format in ADDRESSED and self.to is None:
            yield f"to must be set for the format {self.format}"
        if self.format == "fcm" and self.bearer is None and self.service_account is None:
            yield "the format fcm needs service_account, or bearer"
        if self.format != "fcm" and self.service_account is not None:
            yield "service_account is for the format fcm alone"
        if self.format == "json" and not self.fields:
            yield "fields must be set for the format json"
        if (problem := problem_of(self.fields)) is not None:
            yield f"fields: {problem}"
