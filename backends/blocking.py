"""Blocking connections to brokers: their TLS context, and connecting again after a loss."""

from __future__ import annotations

import logging
import random
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from hub.backoff import delay_after
from hub.errors import ConfigError, Unavailable
from hub.secret import Secret

Made = TypeVar("Made")


class TLSSettings(Protocol):
    """Settings of TLS, as every broker has them."""

    tls_ca_file: Path | None
    tls_certificate_file: Path | None
    tls_key: Secret | None


def tls_context(config: TLSSettings) -> ssl.SSLContext:
    """Read the files of TLS. Names are always verified. :raises ConfigError: one can't be read or used."""
    try:
        context = ssl.create_default_context(cafile=config.tls_ca_file)
    except (OSError, ValueError) as error:
        raise ConfigError([f"tls_ca_file: {config.tls_ca_file} can't be used: {error}"]) from error
    if config.tls_certificate_file is not None and config.tls_key is not None:
        config.tls_key.read()  # says what is wrong with it
        try:
            context.load_cert_chain(config.tls_certificate_file, config.tls_key.path(), password=lambda: b"")
        except (OSError, ValueError) as error:
            raise ConfigError([f"tls_certificate_file and tls_key can't be used: {error}"]) from error
    return context


def connect_again(
    connect: Callable[[], Made], reason: str, log: logging.Logger, sleep: Callable[[float], None]
) -> Made:
    """Connect again, until it succeeds, with growing pauses.

    :param connect: raises ``Unavailable`` where it can't. :param reason: why the former connection ended.
    """
    failures = 0
    while True:
        failures += 1
        log.warning("%s; connecting again", reason, extra={"action": "connect"})
        sleep(delay_after(failures, random.uniform))
        try:
            return connect()
        except Unavailable as error:
            reason = str(error)
