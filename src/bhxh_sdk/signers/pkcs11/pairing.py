"""Which private key belongs to a certificate: by CKA_ID, else by modulus, else the only key, never a guess.

A key whose modulus can be read and differs is never taken, whatever its CKA_ID says. Labels decide nothing:
key and certificate often carry different ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bhxh_sdk.errors import KeyNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bhxh_sdk.signers.pkcs11.contract import TokenCertificate, TokenKey

__all__ = ["candidates", "paired"]


def paired(
    certificate: TokenCertificate,
    keys: Sequence[TokenKey],
    certificates: Iterable[TokenCertificate],
    *,
    name: str,
    owner: str,
) -> TokenKey:
    """Return the private key of a certificate.

    Args:
        certificate: the certificate, as the token holds it.
        keys: the private keys that are visible now.
        certificates: all certificates of the token; a key that has another one's CKA_ID is not taken.
        name: the token, for people.
        owner: the certificate's owner, for people.

    Raises:
        KeyNotFoundError: no key can belong to it, or several can.

    """
    found = candidates(certificate, keys, certificates)
    if len(found) == 1:
        return found[0]
    code = "pairing.several_keys" if found else "pairing.no_key" if keys else "pairing.no_keys_at_all"
    raise KeyNotFoundError(code, name=name, certificate=owner, count=len(found or keys))


def candidates(
    certificate: TokenCertificate, keys: Sequence[TokenKey], certificates: Iterable[TokenCertificate]
) -> list[TokenKey]:
    """Return the keys that may be the certificate's: one where it is known which."""
    kind, modulus = _public(certificate.der)
    own = [key for key in keys if key.kind == kind and key.modulus in {None, modulus}]
    by_modulus = [key for key in own if key.modulus is not None]
    by_id = [key for key in own if certificate.key_id and key.key_id == certificate.key_id]
    if both := [key for key in by_id if key.modulus is not None] or by_modulus:
        return both[:1]  # several with one modulus are one key
    taken = {other.key_id for other in certificates} - {b"", certificate.key_id}
    return by_id or [key for key in own if key.key_id not in taken]


def _public(der: bytes) -> tuple[str, int | None]:
    """Return the kind of a certificate's key, and the modulus of an RSA key."""
    try:
        key = x509.load_der_x509_certificate(der).public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "other", None
    if isinstance(key, rsa.RSAPublicKey):
        return "rsa", key.public_numbers().n
    return ("ec" if isinstance(key, ec.EllipticCurvePublicKey) else "other"), None
