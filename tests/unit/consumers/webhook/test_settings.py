"""Settings of webhooks that can't be."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from hub.consumers.webhook.settings import Config

GOOD = {"url": "https://example.org/"}
KEY = "file:/key"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "url must be set"),
        (GOOD | {"url_secret": KEY}, "url and url_secret can't both be set"),
        ({"url": "example.org"}, "url: expected a URL of http or https"),
        ({"url": "https://u:p@example.org/"}, "url: a user and password are not written into a URL"),
        ({"url": "https://example.org/{body"}, "is not closed"),
        ({"url": "https://example.org{body.x}/h"}, "url: expected a host without fields"),
        ({"url": "{body.url}", "bearer": KEY}, "a token must not go to a host that the message names, so bearer can't"),
        (
            {"url": "{body.url}", "format": "fcm", "to": "x", "service_account": KEY},
            "a host that the message names, so service_account can't be set",
        ),
        ({"url": "https://example.org/{user}"}, "begins with one of topic, id"),
        (GOOD | {"format": "ntfy"}, "to must be set for the format ntfy"),
        ({"format": "fcm", "to": "x"}, "url must be set, or service_account"),
        (GOOD | {"format": "fcm", "to": "x"}, "needs service_account, or bearer"),
        (GOOD | {"format": "fcm", "to": "x", "bearer": KEY, "service_account": KEY}, "two ways to the same header"),
        (GOOD | {"service_account": KEY}, "for the format fcm alone"),
        (GOOD | {"format": "json"}, "fields must be set"),
        (GOOD | {"fields": {"a": ["{x"]}}, "fields: the '{' at character 1"),
        (GOOD | {"headers": {"Authorization": "Bearer hunter2"}}, "headers: 'Authorization' can't be set here"),
        (GOOD | {"headers": {"webhook-id": "x"}}, "can't be set here"),
        (GOOD | {"headers": {"a b": "x"}}, "can't be set here"),
        (GOOD | {"headers": {"X": "{y}"}}, "begins with one of"),
        (GOOD | {"signing_secrets": ["whsec_abc"]}, "a secret is not written into the configuration"),
        (GOOD | {"signing_secrets": [KEY, KEY, KEY]}, "at most 2"),
        (GOOD | {"allow_private": ["10.0.0.1/8"]}, "has host bits set"),
        (GOOD | {"allow_private": ["localhost"]}, "does not appear to be"),
        (GOOD | {"rate": "fast"}, "expected a rate"),
        (GOOD | {"include": {"user": ["x"]}}, "begins with one of"),
        (GOOD | {"time_limit": "0s"}, "greater than 0"),
    ],
)
def test_they_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(settings)
    assert told in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_the_least_that_there_must_be() -> None:
    assert Config.model_validate(GOOD).format == "standard"
    assert Config.model_validate({"url": "https://example.org/{id}", "bearer": KEY})
    assert Config.model_validate({"url": "{body.url}"})
    assert Config.model_validate({"url_secret": KEY, "format": "slack"}).url is None
    assert Config.model_validate({"format": "fcm", "to": "{body.t}", "service_account": KEY})
