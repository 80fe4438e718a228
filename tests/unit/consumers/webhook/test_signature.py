"""Signatures of Standard Webhooks 1.0."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from hub.consumers.webhook.signature import Signer, key_of
from hub.errors import ConfigError
from hub.secret import Secret

KEY = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")


def test_the_example_of_the_libraries() -> None:
    """Made with the secret, id, time and body that the reference libraries' tests have."""
    headers = Signer([KEY]).headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330.9, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_two_secrets_make_two_signatures() -> None:
    one, two = Signer([KEY]).headers("m", 1, b"x"), Signer([KEY[::-1]]).headers("m", 1, b"x")
    both = Signer([KEY, KEY[::-1]]).headers("m", 1, b"x")
    assert both["webhook-signature"] == f"{one['webhook-signature']} {two['webhook-signature']}"


def test_without_a_secret_there_is_none() -> None:
    assert set(Signer([]).headers("m", 1, b"")) == {"webhook-id", "webhook-timestamp"}


@pytest.mark.parametrize("prefix", ["whsec_", ""])
def test_a_secret_in_its_file(prefix: str, tmp_path: Path) -> None:
    (tmp_path / "s").write_text(prefix + base64.b64encode(KEY).decode() + "\n")
    assert key_of(Secret(f"file:{tmp_path}/s")) == KEY


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "24 to 64 bytes, not 0"),
        ("whsec_", "24 to 64 bytes, not 0"),
        ("whsec_MTIz", "24 to 64 bytes, not 3"),
        ("hunter2!", "'whsec_' and base64"),
        ("\u00e4", "'whsec_' and base64"),
    ],
)
def test_what_is_none_is_refused_and_not_shown(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "s").write_text(text)
    with pytest.raises(ConfigError, match=told) as caught:
        key_of(Secret(f"file:{tmp_path}/s"))
    assert not text or text == "whsec_" or text not in str(caught.value)


def test_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        key_of(Secret(f"file:{tmp_path}/none"))
