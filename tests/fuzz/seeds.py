"""What mutations start from: the kept corpus, and documents signed anew by a key that lives for one run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from random import Random

from attacks.forge import DECLARATION, SEEDS, Shape, seed
from attacks.owners import owner
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from fuzz.mutator import mutated, mutated_saved

from bhxh_sdk import xml
from bhxh_sdk.models import CertificateInfo

__all__ = ["CORPUS", "Inputs", "kept"]

CORPUS = Path(__file__).parent / "corpus"
NOON = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KINDS = ("xml", "json")


def kept() -> dict[str, list[bytes]]:
    """Return the kept inputs by kind."""
    return {kind: [path.read_bytes() for path in sorted(CORPUS.glob(f"*.{kind}"))] for kind in KINDS}


def genuine() -> dict[str, list[bytes]]:
    """Return documents and saved values that nobody changed."""
    signed = [seed(name).signed for name in SEEDS]
    info = CertificateInfo.from_der(owner().certificate)
    prepared = [
        xml.prepare(seed(name).content, info, at=seed(name).at, signing_time=NOON).to_bytes()
        for name in SEEDS
    ]
    return {"xml": [*signed, *(seed(name).content for name in SEEDS)], "json": prepared}


@dataclass(kw_only=True)
class Inputs:
    """Give inputs, the same ones for the same number but for the signer's key.

    Args:
        number: where chance starts.
        pool: what is mutated, by kind; what a run keeps is added to it.

    """

    number: int
    pool: dict[str, list[bytes]]

    def __post_init__(self) -> None:
        self.random = Random(self.number)  # noqa: S311  # repeatable on purpose

    def next(self) -> tuple[str, bytes]:
        """Return the next input with its kind."""
        chance = self.random.random()
        if chance < 0.05:
            saved = self.random.choice(self.pool["json"])
            return "json", mutated_saved(saved, self.random, self.pool["json"])
        if chance < 0.25:
            return "xml", self._signed_by_its_owner()
        content = self.random.choice(self.pool["xml"])
        return "xml", mutated(content, self.random, self.pool["xml"])

    def _signed_by_its_owner(self) -> bytes:
        """Return a changed document whose digest is right over its raw bytes, rightly signed."""
        before, after = self.random.choice(self._parts)
        others = self.pool["xml"]
        before = mutated(before, self.random, others)
        if self.random.random() < 0.2:
            after = mutated(after, self.random, others)
        signature = self._signature(before + after)
        if self.random.random() < 0.2:
            signature = mutated(signature, self.random, others)
        return self.random.choice((DECLARATION, b"")) + before + signature + after

    def _signature(self, covered: bytes) -> bytes:
        inherited = self.random.choice(("", seed("form").shape.inherited))
        shape = Shape(inherited=inherited)
        value = self._key.sign(shape.canonical_info(covered), padding.PKCS1v15(), hashes.SHA256())
        return Shape(inherited=inherited, value=value).element(covered)

    @cached_property
    def _parts(self) -> list[tuple[bytes, bytes]]:
        plain = (b"<Hoso><a>1</a><CKy_Dvi>", b"</CKy_Dvi></Hoso>")
        return [plain, plain, *((seed(name).before, seed(name).after) for name in SEEDS)]

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        signer = owner()
        first, second = signer.primes
        numbers = rsa.RSAPrivateNumbers(
            p=first,
            q=second,
            d=signer.private,
            dmp1=signer.private % (first - 1),
            dmq1=signer.private % (second - 1),
            iqmp=pow(second, -1, first),
            public_numbers=rsa.RSAPublicNumbers(signer.exponent, signer.modulus),
        )
        return numbers.private_key()
