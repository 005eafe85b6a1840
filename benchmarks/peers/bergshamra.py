"""pybergshamra: an XML signature library in Rust."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pybergshamra

from benchmarks.peers import template, with_signature

if TYPE_CHECKING:
    from benchmarks.peers import SigningKey

__all__ = ["Bergshamra"]


class Bergshamra:
    """Sign and verify.

    Args:
        key: who signs.
        moment: the signing time, `yyyy-MM-ddTHH:mm:ssZ`.

    """

    def __init__(self, key: SigningKey, moment: str) -> None:
        self._template = template(key, moment)
        self._signing = _context(pybergshamra.load_pkcs12(key.pkcs12.read_bytes(), key.password))
        self._verifying = _context(pybergshamra.load_x509_cert_der(key.certificate))

    def sign(self, content: bytes, at: str) -> bytes:
        """Return the signed document."""
        signature = with_signature(content, at, self._template).decode()
        return pybergshamra.sign(self._signing, signature).encode()

    def verify(self, content: bytes) -> bool:
        """Tell whether the signature is valid, by the signer's known certificate and the strict defaults."""
        try:
            return bool(pybergshamra.verify(self._verifying, content.decode()))
        except (pybergshamra.BergshamraError, UnicodeDecodeError):
            return False


def _context(key: pybergshamra.Key) -> pybergshamra.DsigContext:
    manager = pybergshamra.KeysManager()
    manager.add_key(key)
    return pybergshamra.DsigContext(manager)
