"""Makes documents, signs them and has them judged: each thing once, for all tests and processes of a run."""

from __future__ import annotations

import json
import random
import re
import shutil
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID
from interop.documents import documents

from benchmarks.peers import Answer, SigningKey
from bhxh_sdk import xml
from bhxh_sdk.models import CertificateInfo, SignatureScheme
from bhxh_sdk.sandbox.pki import SandboxPki

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from interop.verifiers import Verifier

__all__ = ["MOMENT", "NOON", "PASSWORD", "SHAPES", "Workshop", "flipped", "place_in", "positions"]

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
MOMENT = "2026-01-02T12:00:00Z"
PASSWORD = "example"
SHAPES = tuple(shape.name for shape in xml.signature_profiles())
FEW = 63
"""How many documents of a kind are signed in a shape that is not the default: 500 over eight kinds."""


class Workshop:
    """Keep everything below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)

    def once(self, name: str, make: Callable[[Path], object]) -> Path:
        """Return the folder of that name, made by whoever asks first while the others wait."""
        folder, finished = self._folder / name, self._folder / f"{name}.finished"
        with _alone(self._folder / f"{name}.lock"):
            if not finished.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                finished.touch()
        return folder

    @cached_property
    def key(self) -> SigningKey:
        """The key with which the other makers sign."""
        folder = self.once("key", _make_key)
        certificate = (folder / "certificate.der").read_bytes()
        return SigningKey(
            pkcs12=folder / "key.p12",
            password=PASSWORD,
            key_pem=(folder / "key.pem").read_bytes(),
            certificate=certificate,
            subject=CertificateInfo.from_der(certificate).subject,
        )

    def unsigned(self) -> Path:
        """Every generated document."""
        return self.once("unsigned", _make_documents)

    def few_unsigned(self) -> Path:
        """Ten documents of every kind."""
        return self.once("few-unsigned", lambda folder: _copy(self.unsigned(), folder, 10))

    def signed(self, shape: str) -> Path:
        """The generated documents, signed by us in that shape."""
        return self.once(f"signed-{shape}", lambda folder: self._sign(shape, folder))

    def changed_somewhere(self) -> Path:
        """A hundred signed documents, in each of them one byte of the content changed."""

        def make(folder: Path) -> None:
            chance = random.Random(3)  # noqa: S311  # repeatable test data
            _copy(self.signed("field"), folder, 10)
            for file in folder.iterdir():
                content = file.read_bytes()
                file.write_bytes(flipped(content, chance.choice(positions(content))))

        return self.once("changed-somewhere", make)

    def changed_everywhere(self) -> Path:
        """One signed document, once for every byte of its content, with that byte changed."""

        def make(folder: Path) -> None:
            content = (self.signed("field") / "portal-register-001.xml").read_bytes()
            for position in positions(content):
                (folder / f"portal-register-{position}.xml").write_bytes(flipped(content, position))

        return self.once("changed-everywhere", make)

    def without_key_value(self) -> Path:
        """Signed documents in which only the certificate says whose signature it is."""

        def make(folder: Path) -> None:
            _copy(self.signed("field"), folder, 1)
            for file in folder.iterdir():
                file.write_bytes(re.sub(rb"<KeyValue>.*</KeyValue>", b"", file.read_bytes()))

        return self.once("without-key-value", make)

    def verdicts(self, verifier: Verifier, folder: Path, at: str | None = None) -> Mapping[str, Answer]:
        """What a verifier makes of every file of a folder."""

        def judge(into: Path) -> None:
            found = verifier.judge(self, folder, at)
            text = json.dumps({name: asdict(answer) for name, answer in found.items()})
            (into / "verdicts.json").write_text(text, encoding="utf-8")

        judged = self.once(f"{verifier.name}-on-{folder.name}", judge)
        found = json.loads((judged / "verdicts.json").read_text(encoding="utf-8"))
        return {name: Answer(**answer) for name, answer in found.items()}

    def _sign(self, shape: str, folder: Path) -> None:
        profile = xml.signature_profile(shape)
        usual = load_pem_private_key(self.key.key_pem, None), CertificateInfo.from_der(self.key.certificate)
        chosen = _curve_signer() if profile.scheme is SignatureScheme.ECDSA else usual
        for file in sorted(self.unsigned().iterdir()):
            content, at = file.read_bytes(), place_in(file)
            if (shape != "field" and _number(file) >= FEW) or (profile.over and at not in profile.over):
                continue
            if profile.over:
                content, at = _signed(content, at, "field", *usual), profile.at
            (folder / file.name).write_bytes(_signed(content, at, shape, *chosen))


def place_in(file: Path) -> str:
    """Return where the signature of a file stands, by its name: kind and number."""
    return xml.profile(file.stem.rpartition("-")[0]).signature


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    fcntl = pytest.importorskip("fcntl", reason="the workshop is shared by processes of Unix systems")
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _copy(source: Path, into: Path, each: int) -> None:
    for file in source.iterdir():
        if _number(file) < each:
            shutil.copy(file, into)


def _number(file: Path) -> int:
    return int(file.stem.rpartition("-")[2])


def _make_documents(folder: Path) -> None:
    for kind, number, _, content in documents():
        (folder / f"{kind}-{number:03}.xml").write_bytes(content)


def _make_key(folder: Path) -> None:
    issued = evolve(SandboxPki(NOON).issue(), chain=())  # xmlsec1 would write every certificate of a chain
    (folder / "key.p12").write_bytes(issued.p12(PASSWORD, legacy=True))  # Mono reads the old encryption only
    (folder / "key.pem").write_bytes(issued.key_pem())
    (folder / "certificate.der").write_bytes(issued.der)


def _curve_signer() -> tuple[object, CertificateInfo]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CÔNG TY TNHH VÍ DỤ")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOON - timedelta(days=1))
        .not_valid_after(NOON + timedelta(days=300))
        .sign(key, hashes.SHA256())
    )
    return key, CertificateInfo.from_der(certificate.public_bytes(Encoding.DER))


def _signed(content: bytes, at: str, shape: str, key, certificate: CertificateInfo) -> bytes:
    prepared = xml.prepare(content, certificate, at=at, signing_time=NOON, profile=shape)
    return xml.complete(prepared, _VALUES[xml.signature_profile(shape).scheme](key, prepared.signed_info))


def _pkcs1(key, signed: bytes) -> bytes:
    return key.sign(signed, padding.PKCS1v15(), hashes.SHA256())


def _pss(key, signed: bytes) -> bytes:
    return key.sign(signed, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())


def _ecdsa(key, signed: bytes) -> bytes:
    numbers = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    return b"".join(number.to_bytes(32, "big") for number in numbers)


_VALUES = {
    SignatureScheme.RSA_PKCS1: _pkcs1,
    SignatureScheme.RSA_PSS: _pss,
    SignatureScheme.ECDSA: _ecdsa,
}


def positions(content: bytes) -> list[int]:
    """Every byte from the root's start tag on that is not of the signature."""
    root = re.search(rb"<[A-Za-z]", content)
    end = content.index(b"</Signature>") + len(b"</Signature>")
    return [*range(root.start(), content.index(b"<Signature ")), *range(end, len(content.rstrip()))]


def flipped(content: bytes, position: int) -> bytes:
    """Return the document with another byte there."""
    return content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]
