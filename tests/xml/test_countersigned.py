from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bhxh_sdk import xml
from bhxh_sdk.errors import DocumentError, InputError, VerificationError

NOON = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def signed(form, sign) -> bytes:
    return sign(xml.build(form).content)


@pytest.fixture(scope="module")
def countersigned(signed, sign) -> bytes:
    return sign(signed, None, profile="countersignature")


def test_both_signatures_are_verified_the_later_one_first(signed, countersigned, form):
    found = xml.verify_countersigned(countersigned)
    assert (found.ivan.at, found.employer.at) == ("Hoso/CKy_iVan", "Hoso/CKy_Dvi")
    assert found.content == xml.verify(signed).content
    assert xml.read(found.content) == xml.carried(form)
    assert found.employer.content in found.ivan.content.replace(
        found.ivan.content[found.ivan.content.index(b"<Signature") : found.ivan.content.index(b"</CKy_Dvi>")],
        b"",
    ).replace(b"<CKy_iVan></CKy_iVan>", b"")


def test_nothing_is_changed_but_the_element_that_comes_before_the_end(signed, countersigned):
    assert countersigned.startswith(signed.removesuffix(b"</Hoso>") + b'<CKy_iVan><Signature Id="sigid-ivan"')
    assert countersigned.endswith(b"</Signature></CKy_iVan></Hoso>")


def test_a_place_that_is_there_already_is_used(signed, sign):
    empty = signed.replace(b"</Hoso>", b"<CKy_iVan/></Hoso>")
    assert xml.verify_countersigned(sign(empty, None, profile="countersignature")).content


def test_a_document_without_the_employers_signature_is_not_countersigned(refused, form, sign):
    with refused(DocumentError, "document.not_signed"):
        sign(xml.build(form).content, None, profile="countersignature")
    with refused(DocumentError, "document.no_place"):
        sign(b"<Hoso/>", None, profile="countersignature")


def test_no_place_is_made_elsewhere_than_in_the_root(refused, signed, sign):
    for at in ("Other/CKy_iVan", "Hoso/NoiDung/CKy_iVan"):
        with refused(DocumentError, "document.no_place"):
            sign(signed, at, profile="countersignature")


def test_a_document_is_countersigned_once(refused, countersigned, sign):
    with refused(DocumentError, "document.already_signed"):
        sign(countersigned, None, profile="countersignature")


def test_each_signature_protects_its_own(refused, countersigned):
    with refused(VerificationError, "document.changed", field="Hoso/CKy_iVan"):
        xml.verify_countersigned(countersigned.replace(b"07906", b"07907"))
    stripped = countersigned[: countersigned.index(b"<CKy_iVan>")] + b"</Hoso>"
    with refused(VerificationError, "document.no_place", field="Hoso/CKy_iVan"):
        xml.verify_countersigned(stripped)


def test_an_employers_signature_that_is_not_valid_is_named(refused, signed, sign):
    broken = signed.replace(b"07906", b"07907")
    with refused(VerificationError, "document.changed", field="Hoso/CKy_Dvi"):
        xml.verify_countersigned(sign(broken, None, profile="countersignature"))


def test_three_signatures_are_too_many(refused, countersigned):
    third = countersigned.replace(
        b"<NoiDung>", b'<NoiDung><Signature xmlns="http://www.w3.org/2000/09/xmldsig#"></Signature>'
    )
    with refused(VerificationError, "document.several_signatures", reason="several-signatures"):
        xml.verify_countersigned(third)


def test_a_shape_that_signs_above_nothing_is_refused(refused, countersigned):
    with refused(InputError, "xml.no_countersignature", field="counter"):
        xml.verify_countersigned(countersigned, counter="field")
