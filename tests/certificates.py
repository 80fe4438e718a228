"""Certificates for tests: an authority of its own, and what it signs."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, in PEM files."""

    file: Path
    key: Path


class Authority:
    """An authority for certificates, in a directory of its own, with the key identifiers that RFC 5280 asks for: Python
    3.13 verifies strictly.

    :ivar file: its own certificate, in PEM.

    :param above: the authority that signed it; ``None``: it is a root.
    """

    def __init__(self, directory: Path, name: str = "authority", above: Authority | None = None) -> None:
        directory.mkdir(exist_ok=True)
        self._directory = directory
        self.name = _name(name)
        self.key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(self.name, self.key.public_key(), above or self)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(_signs_certificates(), critical=True)
        self.file = self._write(name, builder.sign((above or self).key, hashes.SHA256()))

    def sign(self, name: str, *alternatives: str, ends: datetime.datetime | None = None) -> Certificate:
        """Make a certificate. :param name: its CN. :param alternatives: its DNS names and IP addresses.

        :param ends: when it expires; tomorrow by default.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(name), key.public_key(), self, ends)
        if alternatives:
            names = [_alternative(text) for text in alternatives]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        file = self._write(name, builder.sign(self.key, hashes.SHA256()))
        pem = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        place = self._directory / f"{name}.key"
        place.write_bytes(key.private_bytes(*pem))
        return Certificate(file, place)

    def _write(self, name: str, made: x509.Certificate) -> Path:
        file = self._directory / f"{name}.pem"
        file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        return file


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _signs_certificates() -> x509.KeyUsage:
    off = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    uses = dict.fromkeys((*off, "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(key_cert_sign=True, crl_sign=True, **uses)


def _builder(
    name: x509.Name, key: ec.EllipticCurvePublicKey, issuer: Authority, ends: datetime.datetime | None = None
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    ends = ends or now + DAY
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer.name).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
    builder = builder.add_extension(signer, critical=False)
    return builder.not_valid_before(min(now, ends) - DAY).not_valid_after(ends)


def _alternative(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
