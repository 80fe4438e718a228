"""Firebase Cloud Messaging: a service account signs in, and its token is used until it ends."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from hub.consumers.sending.outcome import Temporary
from hub.consumers.webhook.answer import Answer
from hub.consumers.webhook.service_account import GRANT, SCOPE, AccessToken, ServiceAccount
from hub.errors import ConfigError
from hub.secret import Secret
from tests.unit.consumers.webhook.conftest import Hook, run_out
from tests.unit.consumers.webhook.peer import OK, Peer, Request, answer

KEY = rsa.generate_private_key(65537, 2048)


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*form).decode()


def written(directory: Path, **fields: object) -> Secret:
    table = {"client_email": "hub@project", "private_key": pem(KEY), "project_id": "project"} | fields
    kept = {name: value for name, value in table.items() if value is not None}
    (directory / "account.json").write_text(json.dumps(kept))
    return Secret(f"file:{directory}/account.json")


def test_the_order_is_signed(tmp_path: Path) -> None:
    account = ServiceAccount(written(tmp_path))
    assert account.send_url == "https://fcm.googleapis.com/v1/projects/project/messages:send"
    form = parse_qs(account.order(1000.0).decode())
    assert form["grant_type"] == [GRANT]
    head, claims, signature = (base64.urlsafe_b64decode(part + "==") for part in form["assertion"][0].split("."))
    assert json.loads(head) == {"alg": "RS256", "typ": "JWT"}
    assert json.loads(claims) == {
        "iss": "hub@project",
        "scope": SCOPE,
        "aud": "https://oauth2.googleapis.com/token",
        "iat": 1000,
        "exp": 4600,
    }
    signed = form["assertion"][0].rpartition(".")[0].encode()
    KEY.public_key().verify(signature, signed, PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"client_email": None}, "has no 'client_email'"),
        ({"project_id": None}, "has no 'project_id'"),
        ({"private_key": "hunter2"}, "unusable"),
        ({"private_key": pem(ec.generate_private_key(ec.SECP256R1()))}, "unusable"),
        ({"token_uri": "file:///etc/passwd"}, "unusable"),
        ({"project_id": "a b"}, "unusable"),
    ],
)
def test_what_is_no_key(fields: dict[str, object], told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        ServiceAccount(written(tmp_path, **fields))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "nonsense"])
def test_what_is_no_json(text: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(ConfigError, match="expected the JSON key of a service account"):
        ServiceAccount(Secret(f"file:{tmp_path}/x"))


def test_a_token_is_kept_until_shortly_before_its_end() -> None:
    token = AccessToken()
    assert token.text(0.0) == ""
    assert token.take(Answer(200, text='{"access_token": "t", "expires_in": 100}'), 0.0) == "t"
    assert (token.text(39.0), token.text(40.0)) == ("t", "")
    token.forget()
    assert token.text(0.0) == ""


@pytest.mark.parametrize(
    "answered",
    [
        Answer(400, text='{"access_token": "t"}'),
        Answer(200, text="{}"),
        Answer(200, text='{"access_token": "a\\r\\nb"}'),
        Answer(200, text='{"access_token": 7}'),
        Answer(200, text='["access_token"]'),
        Answer(200, text='{"access_token": "t", "expires_in": "soon"}'),
    ],
)
def test_an_answer_without_a_token(answered: Answer) -> None:
    with pytest.raises(Temporary, match=f"answered {answered.status}"):
        AccessToken().take(answered, 0.0)


def test_messages_are_sent_with_it_and_a_refused_one_is_replaced(there: Peer, hook: Hook, tmp_path: Path) -> None:
    def behave(request: Request) -> list[bytes | float | None]:
        if request.path == "/token":
            return [answer(200, json.dumps({"access_token": f"t{len(there.requests)}", "expires_in": 3600}))]
        return [OK if request.headers["authorization"] != "Bearer t1" else answer(401)]

    there.behave = behave
    account = written(tmp_path, token_uri=there.url("/token"))
    bench = hook(there.url("/send"), format="fcm", to="{body.to}", service_account=str(account), text="{id}")
    for name in ("7", "8"):
        bench.deliver("a.b", {"to": "device"}, id=name)
    run_out(bench, 1.0)
    paths = [request.path for request in there.requests]
    assert sorted(paths) == ["/send"] * 3 + ["/token"] * 2
    last = there.requests[-1]
    assert last.json["message"]["token"] == "device"
    assert (len(bench.finished), bench.dead_letters) == (2, [])


def test_a_token_server_that_is_away_is_waited_for(there: Peer, hook: Hook, tmp_path: Path) -> None:
    there.behave = lambda request: [answer(500)]
    account = written(tmp_path, token_uri=there.url("/token"))
    bench = hook(there.url("/send"), format="fcm", to="x", service_account=str(account))
    bench.deliver("a.b", {})
    bench.run()
    assert (bench.backlog, bench.dead_letters) == (1, [])
    assert {request.path for request in there.requests} == {"/token"}
