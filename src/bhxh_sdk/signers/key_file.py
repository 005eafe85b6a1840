"""Key files: PEM and PKCS#12 become a private key with its certificates, or an error that names the file."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from bhxh_sdk.errors import KeyNotFoundError, KeyPasswordError, UnreadableFileError, WrongTypeError
from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.signers.contract import SigningCertificate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

    from bhxh_sdk.secret import Secret

__all__ = ["LARGEST_KEY_FILE", "KeyFile", "KeyPair", "listed", "paired", "read_key_file"]

LARGEST_KEY_FILE = 1024 * 1024
"""Bytes; a key with its whole chain takes some ten thousand."""

_PEM_KEY = re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")
_PEM_CERTIFICATE = re.compile(
    rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----.*?-----END (?:X509 |TRUSTED )?CERTIFICATE-----",
    re.DOTALL,
)
# SEQUENCE { version INTEGER 3, …: RFC 7292, section 4. Some programs write the indefinite length.
_PKCS12 = re.compile(rb"\x30(?:[\x00-\x80]|\x81.|\x82..|\x83...|\x84....)\x02\x01\x03", re.DOTALL)


@frozen(kw_only=True)
class KeyPair:
    """Hold a private key that is open, with the certificates found beside it.

    Args:
        key: the private key.
        certificates: every certificate, marked whether it belongs to the key.

    """

    key: PrivateKeyTypes = field(repr=False)
    certificates: tuple[SigningCertificate, ...]


@frozen(kw_only=True)
class KeyFile:
    """Hold the bytes of a key file as they were read; an encrypted key stays encrypted.

    Args:
        name: the file's name, for people and errors.
        content: PEM text or PKCS#12.
        certificates: DER of the certificates that come from another file.

    """

    name: str
    content: bytes = field(repr=False)
    certificates: tuple[bytes, ...] = field(default=(), repr=False)

    def certificates_in_clear(self) -> tuple[SigningCertificate, ...] | None:
        """Return the certificates that can be read without a password; None when there are none of those."""
        found = (*_pem_certificates(self.content, self.name), *self.certificates)
        return listed(found, None) if found else None

    def open(self, password: Secret | None) -> KeyPair | None:
        """Decrypt the key and find its certificate.

        Args:
            password: the password, None to try without one.

        Returns:
            The pair; None when there is no password and one is needed.

        Raises:
            KeyNotFoundError: the file holds no key, no certificate, or none that belongs to the key.
            KeyPasswordError: the password is wrong.
            UnreadableFileError: the file is neither PEM nor PKCS#12, damaged, or encrypted in an unknown way.

        """
        if password is not None and not password:
            raise KeyPasswordError(name=self.name)
        try:
            found = self._contents(None if password is None else password.reveal().encode())
        except UnsupportedAlgorithm as error:
            raise UnreadableFileError("signing.unsupported_key_file", name=self.name) from error
        return None if found is None else paired(found[0], (*found[1], *self.certificates), self.name)

    def _contents(self, password: bytes | None) -> tuple[PrivateKeyTypes, tuple[bytes, ...]] | None:
        if b"-----BEGIN " in self.content:
            key = self._pem_key(password)
            return None if key is None else (key, _pem_certificates(self.content, self.name))
        if _PKCS12.match(self.content):
            return self._pkcs12(password)
        raise UnreadableFileError("signing.not_a_key_file", name=self.name)

    def _pem_key(self, password: bytes | None) -> PrivateKeyTypes | None:
        if not _PEM_KEY.search(self.content):
            raise KeyNotFoundError("signing.no_key", name=self.name)
        try:
            return load_pem_private_key(self.content, password)
        except TypeError:
            return None  # encrypted, and no password was given
        except ValueError as error:
            if password is None:
                raise UnreadableFileError("signing.broken_key", name=self.name) from error
            raise KeyPasswordError(name=self.name) from None

    def _pkcs12(self, password: bytes | None) -> tuple[PrivateKeyTypes, tuple[bytes, ...]] | None:
        try:
            store = load_pkcs12(self.content, password)
        except ValueError:
            if password is None:
                return None
            raise KeyPasswordError(name=self.name) from None
        if store.key is None:
            raise KeyNotFoundError("signing.no_key", name=self.name)
        own = () if store.cert is None else (store.cert,)
        return store.key, tuple(
            entry.certificate.public_bytes(Encoding.DER) for entry in (*own, *store.additional_certs)
        )


def read_key_file(path: Path | str, *, certificates: Path | str | None = None) -> KeyFile:
    """Read a key file, and the file with its certificates when that is another one.

    Args:
        path: PEM (`.pem`, `.key`) or PKCS#12 (`.p12`, `.pfx`) file.
        certificates: PEM or DER file (`.pem`, `.crt`, `.cer`).

    Raises:
        UnreadableFileError: a file is missing, empty, too large or no file; or holds no certificate.
        WrongTypeError: a path is neither a path nor a text.

    """
    file = _path(path, "path")
    content = _read(file)
    if certificates is None:
        return KeyFile(name=file.name, content=content)
    other = _path(certificates, "certificates")
    return KeyFile(name=file.name, content=content, certificates=_certificates(_read(other), other.name))


def paired(key: PrivateKeyTypes, certificates: Iterable[bytes], name: str) -> KeyPair:
    """Join a key with its certificates (DER), one of which must belong to it."""
    found = listed(certificates, _key_id(key.public_key()))
    if not found:
        raise KeyNotFoundError("signing.no_certificate", name=name)
    if not any(certificate.has_private_key for certificate in found):
        raise KeyNotFoundError(
            "signing.pair_mismatch", name=name, certificate=found[0].certificate.common_name
        )
    return KeyPair(key=key, certificates=found)


def listed(certificates: Iterable[bytes], key_id: str | None) -> tuple[SigningCertificate, ...]:
    """List certificates (DER) once each; without the key's id it is unknown which of them has the key."""
    infos = [CertificateInfo.from_der(der) for der in dict.fromkeys(certificates)]
    return tuple(_listed(info, key_id) for info in infos)


def _listed(info: CertificateInfo, key_id: str | None) -> SigningCertificate:
    own_id = _key_id(x509.load_der_x509_certificate(info.der).public_key())
    has_key = None if key_id is None else own_id == key_id
    return SigningCertificate(certificate=info, key_id=own_id, has_private_key=has_key)


def _key_id(key: PublicKeyTypes) -> str:
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _certificates(content: bytes, name: str) -> tuple[bytes, ...]:
    found = _pem_certificates(content, name)
    if not found and content.startswith(b"\x30"):
        found = (CertificateInfo.from_der(content).der,)
    if not found:
        raise UnreadableFileError("signing.no_certificate_in_file", name=name)
    return found


def _pem_certificates(content: bytes, name: str) -> tuple[bytes, ...]:
    try:
        return tuple(
            x509.load_pem_x509_certificate(block).public_bytes(Encoding.DER)
            for block in _PEM_CERTIFICATE.findall(content)
        )
    except ValueError as error:
        raise UnreadableFileError("signing.broken_certificate", name=name) from error


def _path(path: Any, field: str) -> Path:  # noqa: ANN401  # what a caller gave
    if not isinstance(path, str | Path):
        raise WrongTypeError(field=field, expected="Path or str", got=type(path).__name__)
    return Path(path)


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            code = "signing.not_a_file" if path.exists() else "signing.no_such_file"
            raise UnreadableFileError(code, name=path.name, path=str(path))
        with path.open("rb") as file:
            content = file.read(LARGEST_KEY_FILE + 1)
    except OSError as error:
        reason = error.strerror or ""
        raise UnreadableFileError("signing.file_unreadable", name=path.name, reason=reason) from error
    if not content.strip():
        raise UnreadableFileError("signing.empty_file", name=path.name)
    if len(content) > LARGEST_KEY_FILE:
        raise UnreadableFileError("signing.file_too_large", name=path.name, largest=LARGEST_KEY_FILE)
    return content
