"""Certificate files: DER, or PEM with one certificate or several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk.cli.files import read
from bhxh_sdk.errors import InputError, UnreadableFileError
from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.trust import read_certificates

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["certificates_in_file", "certificates_in_folder"]

_SUFFIXES = {".cer", ".crt", ".der", ".pem"}


def certificates_in_file(path: Path) -> tuple[CertificateInfo, ...]:
    """Return the certificates of a file, at least one.

    Raises:
        UnreadableFileError: the file cannot be read, or holds something else.

    """
    content = read(path, "certificate")
    try:
        return tuple(CertificateInfo.from_der(der) for der in read_certificates(content))
    except UnreadableFileError:
        raise UnreadableFileError("cli.not_a_certificate", field="certificate", name=str(path)) from None


def certificates_in_folder(folder: Path, field: str) -> tuple[bytes, ...]:
    """Return every certificate of a folder's certificate files, in DER.

    Raises:
        InputError: there is no such folder, or no certificate in it.

    """
    if not folder.is_dir():
        raise InputError("cli.no_folder", field=field, name=str(folder))
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    found = tuple(certificate.der for path in files for certificate in certificates_in_file(path))
    if not found:
        raise InputError("cli.no_roots", field=field, name=str(folder))
    return found
