"""Certificate files: DER, or PEM with one certificate or several."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from bhxh_sdk.cli.files import read
from bhxh_sdk.errors import InputError, UnreadableFileError
from bhxh_sdk.models import CertificateInfo

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["certificates_in_file", "roots_in_folder"]

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
_SUFFIXES = {".cer", ".crt", ".der", ".pem"}


def certificates_in_file(path: Path) -> tuple[CertificateInfo, ...]:
    """Return the certificates of a file, at least one.

    Raises:
        UnreadableFileError: the file cannot be read, or holds something else.

    """
    content = read(path, "certificate")
    try:
        ders = [base64.b64decode(b"".join(block.split()), validate=True) for block in _PEM.findall(content)]
        return tuple(CertificateInfo.from_der(der) for der in ders or [content])
    except (binascii.Error, UnreadableFileError):
        raise UnreadableFileError("cli.not_a_certificate", field="certificate", name=str(path)) from None


def roots_in_folder(folder: Path) -> tuple[bytes, ...]:
    """Return every certificate of a folder's certificate files, in DER.

    Raises:
        InputError: there is no such folder, or no certificate in it.

    """
    if not folder.is_dir():
        raise InputError("cli.no_folder", field="roots", name=str(folder))
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    roots = tuple(certificate.der for path in files for certificate in certificates_in_file(path))
    if not roots:
        raise InputError("cli.no_roots", field="roots", name=str(folder))
    return roots
