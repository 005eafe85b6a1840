"""What a process of its own does again and again: each task is made ready once, and gives an action."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
from binascii import b2a_base64
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from lxml import etree

from benchmarks.lab.libraries import library
from benchmarks.lab.material import MOMENT, NOW, ROWS, records
from benchmarks.peers import DSIG, xmlsec_program
from bhxh_sdk import xml
from bhxh_sdk.models import DossierEnvelope, Ivan, SignatureScheme
from bhxh_sdk.signers import HashName

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.lab.material import Key
    from bhxh_sdk.xml import PreparedStream

    Action = Callable[[], object]
    Task = Callable[[Key, str, str], Action]

__all__ = ["TASKS"]

_BLOCK = 3 * 128 * 1024


def _sign_ours(key: Key, file: str, at: str) -> Action:
    content = Path(file).read_bytes()
    return lambda: key.signed(content, at)


def _prepare_ours(key: Key, file: str, at: str) -> Action:
    content = Path(file).read_bytes()
    return lambda: xml.prepare(content, key.certificate, at=at, signing_time=NOW).digest


def _verify_ours(_key: Key, file: str, at: str) -> Action:
    content = Path(file).read_bytes()
    return lambda: xml.verify(content, at=at)


def _floor(_key: Key, file: str, _at: str) -> Callable[[], bytes]:
    """One parse, one canonicalisation into a hash, and nothing else."""
    content = Path(file).read_bytes()

    def act() -> bytes:
        root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, huge_tree=True))
        into = _Hash()
        root.getroottree().write_c14n(into)
        return into.state.digest()

    return act


def _floor_signed(key: Key, file: str, at: str) -> Action:
    """Do the same, and put a signature value and a certificate into a copy of the document."""
    content, act = Path(file).read_bytes(), _floor(key, file, at)
    end = content.rindex(b"</", 0, -len(b"</x>"))

    def sign() -> bytes:
        value = b2a_base64(key.value(act()))
        return b"".join((content[:end], value, b2a_base64(key.certificate.der), content[end:]))

    return sign


def _rsa(key: Key, count: str, _at: str) -> Action:
    """Make so many signature values, and nothing else."""
    digest = hashlib.sha256(b"example").digest()
    return lambda: [key.value(digest) for _ in range(int(count))]


class _Hash:
    def __init__(self) -> None:
        self.state = hashlib.sha256()

    def write(self, block: bytes) -> None:
        self.state.update(block)


def _token(binding: str) -> Task:
    """Make so many signature values with the token of that label in that module, with ours."""

    def task(_key: Key, count: str, token: str) -> Action:
        from bhxh_sdk.signers.pkcs11.criteria import TokenCriteria  # noqa: PLC0415  # few tasks need tokens
        from bhxh_sdk.signers.pkcs11.signer import TokenSigner  # noqa: PLC0415  # as above

        module, label, pin = json.loads(token)
        criteria = TokenCriteria(label=label)
        isolated = binding == "isolated"  # the default binding, in a process of its own
        signer = TokenSigner.from_module(
            module, binding="" if isolated else binding, isolated=isolated, token=criteria, pin=pin
        )
        (certificate,) = asyncio.run(signer.certificates())
        sign = asyncio.run(signer.local_key(certificate, ask=None))
        digest = hashlib.sha256(b"example").digest()
        way = (digest, HashName.SHA256, SignatureScheme.RSA_PKCS1)
        return lambda: [sign(*way) for _ in range(int(count))]

    return task


def _sign_with(name: str) -> Task:
    def task(key: Key, file: str, at: str) -> Action:
        content, peer = Path(file).read_bytes(), library(name, key)
        return lambda: peer.sign(content, at)

    return task


def _verify_with(name: str) -> Task:
    def task(key: Key, file: str, _at: str) -> Action:
        content, peer = Path(file).read_bytes(), library(name, key)
        return lambda: _demand(is_valid=peer.verify(content))

    return task


def _demand(*, is_valid: bool) -> None:
    if not is_valid:
        raise ValueError("the document to measure with is not valid")


def _folder_of(file: str) -> Path:
    """Return a folder with this file and nothing else."""
    folder = Path(f"{file}.alone")
    folder.mkdir(exist_ok=True)
    shutil.copy(file, folder)
    return folder


def _sign_xmlsec1(key: Key, file: str, at: str) -> Action:
    folder, into = _folder_of(file), Path(f"{file}.signed")
    into.mkdir(exist_ok=True)
    return lambda: xmlsec_program.sign(key.for_peers, folder, into, [at], MOMENT)


def _verify_xmlsec1(_key: Key, file: str, _at: str) -> Action:
    folder = _folder_of(file)
    return lambda: _demand(is_valid=all(answer.accepted for answer in xmlsec_program.verify(folder).values()))


def _rows_ours(key: Key, count: str, _at: str) -> Action:
    """Write rows from records into a file, and sign."""
    path = key.folder / "ours-rows.xml"

    def act() -> None:
        with path.open("wb", buffering=0) as target:
            prepared = xml.stream_rows(
                ROWS, records(int(count)), target, certificate=key.certificate, signing_time=NOW
            )
            _complete(key, prepared, target)

    return act


def _rows_signxml(key: Key, count: str, at: str) -> Action:
    """Put the same records into a tree, sign it with signxml, write it into a file."""
    path, peer = key.folder / "signxml-rows.xml", library("signxml", key)

    def act() -> None:
        root = etree.Element(ROWS.root)
        content = etree.SubElement(root, "NoiDung")
        etree.SubElement(content, "TenDonVi").text = ROWS.head[0][1]
        people = etree.SubElement(content, "DanhSach")
        for record in records(int(count)):
            row = etree.SubElement(people, ROWS.row)
            for name, text in zip(ROWS.columns, record, strict=True):
                etree.SubElement(row, name).text = text
        place = etree.SubElement(root, at.rpartition("/")[2])
        etree.SubElement(place, f"{{{DSIG}}}Signature", Id="placeholder", nsmap={None: DSIG})
        with path.open("wb") as target:
            target.write(peer.sign_tree(root))

    return act


def _envelope() -> DossierEnvelope:
    return DossierEnvelope(
        ivan=Ivan("00099", "I-VAN Ví Dụ"),
        organisation_name="CÔNG TY TNHH VÍ DỤ",
        tax_code="0100109106",
        agency_code="07906",
        procedure_code="600",
        period=date(2026, 1, 1),
        made_on=date(2026, 1, 2),
    )


def _attachment_ours(key: Key, file: str, _at: str) -> Action:
    """Write a file into an envelope, and sign."""
    into = Path(f"{file}.ours.xml")

    def act() -> None:
        with into.open("wb", buffering=0) as target:
            _attach(key, Path(file), target)

    return act


def _attachment_ours_kept(key: Key, file: str, _at: str) -> Action:
    """Do the same as a whole file or none, kept by the disk before it has its name."""
    into = Path(f"{file}.kept.xml")

    def act() -> None:
        with xml.signed_file(into) as target:
            _attach(key, Path(file), target)

    return act


def _attach(key: Key, file: Path, target: BinaryIO) -> None:
    prepared = xml.stream_envelope(
        _envelope(), [xml.FileSource.from_path(file)], target, certificate=key.certificate, signing_time=NOW
    )
    _complete(key, prepared, target)


def _complete(key: Key, prepared: PreparedStream, target: BinaryIO) -> None:
    xml.complete_stream(prepared, key.value(prepared.digest), target)


def _attachment_floor(_key: Key, file: str, _at: str) -> Action:
    """Base64, SHA-256 and writing in one loop, and nothing else."""
    return lambda: _encoded(Path(file), Path(f"{file}.floor"), keep=False)


def _attachment_floor_kept(_key: Key, file: str, _at: str) -> Action:
    """Do the same, kept by the disk."""
    return lambda: _encoded(Path(file), Path(f"{file}.floor"), keep=True)


def _encoded(file: Path, into: Path, *, keep: bool) -> bytes:
    state = hashlib.sha256()
    with file.open("rb") as source, into.open("wb", buffering=0) as target:
        while block := source.read(_BLOCK):
            text = b2a_base64(block, newline=False)
            state.update(text)
            target.write(text)
        if keep:
            os.fsync(target.fileno())
    return state.digest()


TASKS: Mapping[str, Task] = {
    "sign-ours": _sign_ours,
    "verify-ours": _verify_ours,
    "floor": _floor,
    "floor-signed": _floor_signed,
    "prepare-ours": _prepare_ours,
    "sign-xmlsec1": _sign_xmlsec1,
    "verify-xmlsec1": _verify_xmlsec1,
    **{f"sign-{name}": _sign_with(name) for name in ("bergshamra", "python_xmlsec", "signxml")},
    **{f"verify-{name}": _verify_with(name) for name in ("bergshamra", "python_xmlsec", "signxml")},
    "rsa": _rsa,
    **{f"token-{binding}": _token(binding) for binding in ("python-pkcs11", "pykcs11", "isolated")},
    "rows-ours": _rows_ours,
    "rows-signxml": _rows_signxml,
    "attachment-ours": _attachment_ours,
    "attachment-ours-kept": _attachment_ours_kept,
    "attachment-floor": _attachment_floor,
    "attachment-floor-kept": _attachment_floor_kept,
}
"""By name; each takes the key, what to work on, and where the signature stands, or which token signs."""
