"""We judge signatures that others made in the field's shape."""

from __future__ import annotations

import pytest
from interop.documents import read_again
from interop.verifiers import SIGNERS, Signer
from interop.workshop import NOON, place_in

from bhxh_sdk import xml
from bhxh_sdk.errors import VerificationError

EACH = [
    pytest.param(signer, id=signer.name, marks=pytest.mark.needs_tool(*signer.tools)) for signer in SIGNERS
]


@pytest.fixture
def signed(workshop):
    def signed(signer: Signer):
        folder = workshop.once(f"signed-by-{signer.name}", lambda into: signer.sign(workshop, into))
        return sorted(folder.iterdir())

    return signed


@pytest.mark.parametrize("signer", EACH)
def test_a_signature_of_another_maker_verifies_and_covers_the_form(workshop, signed, signer: Signer):
    files = signed(signer)
    assert len(files) >= 100
    for file in files:
        kind = file.stem.rpartition("-")[0]
        unsigned = (workshop.few_unsigned() / file.name).read_bytes()
        verified = xml.verify(file.read_bytes(), at=place_in(file))
        assert verified.certificate.der == workshop.key.certificate
        assert verified.signing_time == NOON
        assert read_again(kind, verified.content) == read_again(kind, unsigned)


@pytest.mark.parametrize("signer", EACH)
def test_its_document_with_another_name_in_it_is_refused(signed, signer: Signer):
    for file in signed(signer):
        content = file.read_bytes()
        assert content.count(b"<MaSoThue>0") + content.count(b"<MST>0") <= 1
        changed = content.replace(b"<MaSoThue>0", b"<MaSoThue>1").replace(b"<MST>0", b"<MST>1")
        if changed == content:
            continue
        with pytest.raises(VerificationError) as caught:
            xml.verify(changed, at=place_in(file))
        assert caught.value.reason == "content-changed"
