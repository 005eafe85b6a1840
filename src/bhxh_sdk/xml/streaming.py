"""Large documents: written to a file and hashed at once, never held, signed where they end.

What is written is its own Canonical XML 1.0, so nothing is read again. Everything up to the place of the
signature is written; `complete_stream` adds the signature and the closing tags, in this process or another.
"""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any, BinaryIO

from attrs import evolve

from bhxh_sdk.errors import InputError, WrongTypeError
from bhxh_sdk.models import DossierEnvelope
from bhxh_sdk.xml.envelope import envelope_profile
from bhxh_sdk.xml.fields import write_carefully
from bhxh_sdk.xml.file_source import FileSource, base64_blocks, sources_of
from bhxh_sdk.xml.moments import as_written
from bhxh_sdk.xml.prepared_stream import PreparedStream
from bhxh_sdk.xml.rows import RowLayout, row_batches
from bhxh_sdk.xml.signature import check_value, prepare, usable_key
from bhxh_sdk.xml.signature_shape import signature as signature_element
from bhxh_sdk.xml.sink import LATER, Sink, append
from bhxh_sdk.xml.writer import DECLARATION, start_tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bhxh_sdk.models import Attachment, CertificateInfo
    from bhxh_sdk.xml.document_profile import DocumentProfile
    from bhxh_sdk.xml.signature_profile import SignatureProfile
    from bhxh_sdk.xml.signature_shape import Namespaces

__all__ = ["complete_stream", "stream_envelope", "stream_rows"]


def stream_envelope(
    envelope: DossierEnvelope,
    files: Iterable[FileSource | Attachment],
    target: BinaryIO,
    *,
    certificate: CertificateInfo,
    signing_time: datetime,
    profile: DocumentProfile | str = "envelope",
    signature: SignatureProfile | str = "field",
) -> PreparedStream:
    """Write the envelope of a dossier up to its signature, reading its files block by block.

    The bytes are those of `build_envelope` with the same files. When an error is raised the target holds
    part of a document: write into `signed_file`, which removes it.

    Args:
        envelope: what it holds; its own files come first.
        files: the files that follow them, signed already. All are listed before the first is opened, because
            the document says at its beginning how many there are; give large ones as `FileSource`.
        target: an empty file, open for writing bytes.
        certificate: the signer's certificate, as for `prepare`.
        signing_time: when it is signed, with its zone. Written in UTC.
        profile: the document profile or its name.
        signature: shape of the signature, or its name.

    Returns:
        A plain value: hand its `digest` to a signer, and the signature value to `complete_stream`.

    Raises:
        InputError: a value is missing or cannot stand in XML, a file cannot be read or has another length
            than it said, the profile has no place for files, or the target is not empty or cannot be
            written; `field` names it.
        DocumentError: the document could not be signed, as with a shape that needs another signature first.
        CertificateUnusableError: as `prepare`.

    """
    if not isinstance(envelope, DossierEnvelope):
        raise WrongTypeError(field="envelope", expected="DossierEnvelope", got=type(envelope).__name__)
    chosen = envelope_profile(profile)
    sources = sources_of(envelope.files) + sources_of(files)
    mark = LATER.encode()
    body = write_carefully(chosen, _WithFiles(envelope, sources), None)
    if sources and mark not in body:
        raise InputError("xml.no_place_for_files", field="files", profile=chosen.name)
    sample = body.replace(mark, b"")
    begun = _begun(sample, chosen.namespaces, certificate, chosen.signature, signing_time, signature)
    # A profile may have more than one place for the files: each takes all of them.
    contents = (base64_blocks(source, f"files[{number}]") for number, source in cycle(enumerate(sources)))
    return _streamed(body, mark, contents, target, begun)


def stream_rows(
    layout: RowLayout,
    rows: Iterable[Sequence[str]],
    target: BinaryIO,
    *,
    certificate: CertificateInfo,
    signing_time: datetime,
    signature: SignatureProfile | str = "field",
) -> PreparedStream:
    """Write a form with a list of rows up to its signature, taking the rows from an iterator.

    When an error is raised the target holds part of a document: write into `signed_file`, which removes it.

    Args:
        layout: what the form looks like.
        rows: a text for each column of each row; texts stand in the document as they are.
        target: an empty file, open for writing bytes.
        certificate: the signer's certificate, as for `prepare`.
        signing_time: when it is signed, with its zone. Written in UTC.
        signature: shape of the signature, or its name.

    Returns:
        A plain value: hand its `digest` to a signer, and the signature value to `complete_stream`.

    Raises:
        InputError: a row has too many or too few values, or one that is no text or cannot stand in XML, or
            the target is not empty or cannot be written; `field` names it, such as `rows[17].HoTen`.
        DocumentError: the document could not be signed, as when its signature's place is there twice.
        CertificateUnusableError: as `prepare`.

    """
    if not isinstance(layout, RowLayout):
        raise WrongTypeError(field="layout", expected="RowLayout", got=type(layout).__name__)
    body, mark = layout.body, layout.mark
    sample = body.replace(mark, (layout.template % (("",) * len(layout.columns))).encode())
    begun = _begun(sample, layout.namespaces, certificate, layout.signature, signing_time, signature)
    return _streamed(body, mark, [row_batches(layout, rows)], target, begun)


def complete_stream(prepared: PreparedStream, signature_value: bytes, target: BinaryIO) -> None:
    """Write the signature and the closing tags at the end of the file.

    Args:
        prepared: what `stream_envelope` or `stream_rows` gave, in this process or another.
        signature_value: the raw signature of `prepared.digest`: RSA PKCS#1 v1.5 by SHA-256, or what the
            profile's scheme says.
        target: the file, open for writing without being emptied (`r+b`), or still open.

    Raises:
        SignatureMismatchError: the value has the wrong length or was not made over this document by this key.
            Nothing was written.
        InputError: the file does not have the length at which the signature goes, so it is another one or
            complete already; or it cannot be written.

    """
    if not isinstance(prepared, PreparedStream):
        raise WrongTypeError(field="prepared", expected="PreparedStream", got=type(prepared).__name__)
    if not isinstance(signature_value, bytes):
        raise WrongTypeError(field="signature_value", expected="bytes", got=type(signature_value).__name__)
    profile, certificate, signed = prepared.profile, prepared.certificate, prepared.signed_info
    check_value(usable_key(certificate, profile), signature_value, signed, profile.scheme)
    time = as_written(prepared.signing_time)
    element = signature_element(profile, signed, signature_value, certificate.subject, certificate.der, time)
    append(target, element + prepared.tail, prepared.position)


class _WithFiles:
    """An envelope with other files than its own."""

    def __init__(self, envelope: DossierEnvelope, files: tuple[FileSource, ...]) -> None:
        self._envelope = envelope
        self.files = files
        self.file_count = len(files)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # values of every kind
        return getattr(self._envelope, name)


def _begun(
    sample: bytes,
    namespaces: Namespaces,
    certificate: CertificateInfo,
    at: str,
    signing_time: datetime,
    signature: SignatureProfile | str,
) -> PreparedStream:
    """Prepare the document without its long parts: what would be refused is, before anything is written."""
    content = DECLARATION + sample
    ready = prepare(content, certificate, at=at, signing_time=signing_time, profile=signature)
    usable_key(certificate, ready.profile)  # `prepare` goes without a certificate, too
    return PreparedStream(
        position=0,
        content_digest=b"",
        namespaces=tuple(sorted(namespaces)),
        certificate=certificate,
        at=at,
        signing_time=ready.signing_time,
        profile=ready.profile,
    )


def _streamed(
    body: bytes, mark: bytes, contents: Iterable[Iterable[bytes]], target: BinaryIO, begun: PreparedStream
) -> PreparedStream:
    """Write a document with its contents in place of the marks."""
    root = begun.at.partition("/")[0]
    start = start_tag(root, begun.namespaces).encode()
    *before, last = body.removeprefix(start).removesuffix(begun.tail).split(mark)
    sink = Sink(target)
    sink.write_only(DECLARATION + start)
    # The exclusive form has no declaration that nothing uses, and no element here has a prefix.
    sink.hash_only(start_tag(root).encode() if begun.profile.is_exclusive else start)
    for piece, content in zip(before, contents, strict=False):
        sink.write(piece)
        for block in content:
            sink.write(block)
    sink.write(last)
    sink.hash_only(begun.tail)
    return evolve(begun, position=sink.position, content_digest=sink.digest())
