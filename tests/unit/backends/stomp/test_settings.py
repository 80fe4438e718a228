"""Settings of the server: what is safe by default, and which combinations are refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from hub.backends.stomp.settings import Config


def test_the_defaults_listen_on_this_machine_alone() -> None:
    config = Config()
    assert config.listen == ["127.0.0.1:61613"]
    assert not config.tls


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"listen": ["0.0.0.0:61613"]}, "users_file"),
        ({"listen": ["[::]:61613"]}, "users_file"),
        ({"listen": []}, "listen"),
        ({"listen": ["127.0.0.1:1", "127.0.0.1:1"]}, "twice"),
        ({"listen": ["localhost"]}, "listen"),
        ({"tls_certificate_file": "/c"}, "go together"),
        ({"tls_key_file": "/k"}, "go together"),
        ({"tls_client_ca_file": "/a"}, "needs tls_certificate_file"),
        ({"prefetch": 20, "max_prefetch": 10}, "max_prefetch"),
        ({"backoff": "10m", "backoff_limit": "5m"}, "backoff_limit"),
        ({"rights": {"alice": {"read": ["a.#"]}}}, "/topic/"),
        ({"rights": {"alice": {"read": ["/topic/"]}}}, "/topic/"),
        ({"rights": {"alice": {"admin": True}}}, "admin"),
    ],
)
def test_what_can_not_be_meant_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Config(**settings)


def test_other_machines_are_let_in_with_a_login_or_a_certificate() -> None:
    tls: dict[str, Any] = {"tls_certificate_file": "/c", "tls_key_file": "/k"}
    everywhere: dict[str, Any] = {"listen": ["0.0.0.0:61613"]}
    assert Config(**everywhere | {"users_file": "/users"}).listen
    assert Config(**everywhere | tls | {"tls_client_ca_file": "/a"}).tls
