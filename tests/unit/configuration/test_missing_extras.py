"""``hubbub check`` names optional libraries that are missing."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.cli.config import check
from hub.errors import ConfigError
from tests.support import ROOT

WEB_SOCKET = '[backends.x]\ntype = "stomp-server"\n'
SERVER_TLS = WEB_SOCKET + 'tls_certificate_file = "{directory}/pem"\ntls_key_file = "{directory}/pem"\n'
CLIENT = '[backends.x]\ntype = "stomp"\ndestinations = ["/queue/a"]\nconnect = ["{scheme}://localhost:1"]\n'
COLLECTD = (
    '[exporters.x]\ntype = "collectd"\nsecurity_level = "{level}"\nusername = "u"\npassword = "file:{directory}/pem"\n'
)
OPENTELEMETRY = '[exporters.x]\ntype = "opentelemetry"\n'
JOBS = '[jobs.x]\ndatabase = "{database}"\n'
ARCHIVE = '[consumers.x]\ntype = "archive"\ndatabase = "{database}"\n'
WEBHOOK = '[consumers.x]\ntype = "webhook"\nurl = "https://example.org/"\n'

VITAL = [
    (SERVER_TLS, "OpenSSL", "backends.x: TLS of the STOMP server", "stomp"),
    (CLIENT.replace("{scheme}", "stomp+ssl"), "service_identity", "backends.x: TLS to a broker", "stomp"),
    ('[backends.x]\ntype = "amqp"\nconnect = ["amqp://a"]\npublish = ""\n', "pika", "backends.x: AMQP", "amqp"),
    (
        '[backends.x]\ntype = "redis"\nconnect = "redis://a"\nstreams = ["a"]\n',
        "redis.connection",
        "backends.x: Redis",
        "redis",
    ),
    (
        COLLECTD.replace("{level}", "encrypt"),
        "cryptography.hazmat.primitives.ciphers",
        "exporters.x: SecurityLevel Encrypt",
        "collectd-encrypt",
    ),
    (
        OPENTELEMETRY,
        "opentelemetry.sdk.resources",
        "exporters.x: an exporter of the type opentelemetry",
        "opentelemetry",
    ),
    (
        ARCHIVE.replace("{database}", "postgresql:///a"),
        "psycopg2",
        "consumers.x: an archive in PostgreSQL",
        "postgres",
    ),
    (
        ARCHIVE.replace("{database}", "postgresql+psycopg:///a"),
        "psycopg",
        "consumers.x: an archive in PostgreSQL",
        "psycopg",
    ),
    (WEBHOOK, "aiohttp", "consumers.x: a webhook", "webhook"),
    (
        WEBHOOK + 'format = "fcm"\nto = "a"\nservice_account = "file:{directory}/pem"\n',
        "cryptography.hazmat.primitives.asymmetric.rsa",
        "consumers.x: a service account",
        "webhook",
    ),
    (
        JOBS.replace("{database}", "postgresql:///a"),
        "psycopg2",
        "jobs.x: a job queue in PostgreSQL",
        "postgres",
    ),
    (
        JOBS.replace("{database}", "postgresql+psycopg:///a"),
        "psycopg",
        "jobs.x: a job queue in PostgreSQL",
        "psycopg",
    ),
    (
        JOBS.replace("{database}", "sqlite:///a") + '[jobs.x.cron.y]\nline = "@daily"\nqueue = "q"\n',
        "cronsim",
        "jobs.x: a cron entry",
        "jobs",
    ),
]
"""A table, a module, and what is said of the extra that brings it."""
UNUSED = [
    (CLIENT.replace("{scheme}", "stomp"), "OpenSSL"),
    (COLLECTD.replace("{level}", "sign"), "cryptography.hazmat.primitives.ciphers"),
    (ARCHIVE.replace("{database}", "sqlite:///a"), "psycopg2"),
    (ARCHIVE.replace("{database}", "postgresql:///a"), "psycopg"),
    (JOBS.replace("{database}", "sqlite:///a"), "cronsim"),
    (JOBS.replace("{database}", "sqlite:///a"), "psycopg2"),
    (WEB_SOCKET, "OpenSSL"),
]


def run(directory: Path, text: str, *arguments: str) -> Result:
    (directory / "pem").touch(0o600)
    (directory / "pem").write_text("s")
    file = directory / "hub.conf"
    file.write_text(text.replace("{directory}", str(directory)))
    return CliRunner().invoke(check, ["-c", str(file), *arguments])


@pytest.mark.parametrize(("text", "module", "use", "extra"), VITAL)
def test_one_without_which_the_hub_does_not_start_is_a_problem(
    text: str, module: str, use: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(tmp_path, text).exit_code == 0
    monkeypatch.setitem(sys.modules, module, None)
    error = run(tmp_path, text).exception
    assert isinstance(error, ConfigError)
    assert error.problems == [f"{use} needs an optional library: pip install 'hubbub[{extra}]'"]
    found = run(tmp_path, text, "--json")
    assert (found.exit_code, json.loads(found.output)["problems"]) == (78, error.problems)


def test_one_without_which_the_hub_starts_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = "backends.x: WebSocket needs an optional library: pip install 'hubbub[stomp]'"
    assert told not in run(tmp_path, WEB_SOCKET).output
    monkeypatch.setitem(sys.modules, "wsproto", None)
    found = run(tmp_path, WEB_SOCKET)
    assert (found.exit_code, f"hubbub: warning: {told}\n" in found.output) == (0, True)
    assert json.loads(run(tmp_path, WEB_SOCKET, "--json").output)["warnings"] == [told]


def test_all_that_are_missing_are_named_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "OpenSSL", None)
    monkeypatch.setitem(sys.modules, "wsproto", None)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    error = run(tmp_path, SERVER_TLS + OPENTELEMETRY).exception
    assert isinstance(error, ConfigError)
    uses = [problem.partition(" needs ")[0] for problem in error.problems]
    assert uses == [
        "backends.x: WebSocket",
        "backends.x: TLS of the STOMP server",
        "exporters.x: an exporter of the type opentelemetry",
    ]


@pytest.mark.parametrize(("text", "module"), UNUSED)
def test_one_that_these_settings_do_not_need_is_not_missed(
    text: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    found = run(tmp_path, text)
    assert (found.exit_code, "optional library" in found.output) == (0, False)


def test_each_extra_is_one_of_these() -> None:
    tree = ast.parse((ROOT / "setup.py").read_text(encoding="utf-8"))
    (extras,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EXTRAS"
    )
    assert {extra for _, _, _, extra in VITAL} == set(extras)
