"""What a hostile reader found once, and must not find again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from attrs import evolve

from bhxh_sdk import trust, xml
from bhxh_sdk.errors import DocumentError, InputError, UnsafeDocumentError, VerificationError, WrongTypeError
from bhxh_sdk.xml import keys, quick_reading
from bhxh_sdk.xml.canonical_bytes import root_of
from bhxh_sdk.xml.form_signing import FormSigning
from bhxh_sdk.xml.limits import attributes_with_ids
from bhxh_sdk.xml.signature import check_written
from bhxh_sdk.xml.signature_shape import signed_info_around

NOON = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SMALL = b"<Hoso><A>x</A><CKy_Dvi></CKy_Dvi></Hoso>"


@pytest.mark.parametrize("old", [b"www.w3.org/2000", b"example.org/#sig"])
@pytest.mark.parametrize("byte", [b'"', b"<", b"X", b"\xff", b"\0"])
def test_no_letter_of_the_fixed_texts_stands_for_another(sign, old, byte):
    signed = sign(SMALL)
    changed = signed.replace(old, old.replace(b".", byte, 1), 1)
    assert changed != signed
    with pytest.raises(VerificationError):
        xml.verify(changed)


def test_nothing_long_is_kept_in_memory(sign, certificate):
    assert root_of(b"<Hoso" + b"o" * 3000 + b">") is None
    quick_reading._keys.clear()
    signed = sign(SMALL).replace(b"<X509SubjectName>", b"<X509SubjectName>" + b"x" * 30_000)
    assert xml.verify(signed).content == SMALL
    assert not quick_reading._keys
    before = keys._signer_of.cache_info().currsize
    with pytest.raises(Exception, match="certificate"):
        keys.signer_of(bytes(30_000))
    assert keys._signer_of.cache_info().currsize == before
    long = (("a", "urn:" + "x" * 3000),)
    assert b"xxx" in signed_info_around(xml.signature_profile("field"), long, None)[0]


def test_a_namespace_that_canonical_forms_disagree_about_is_refused(refused, sign):
    with refused(UnsafeDocumentError, "document.namespace_with_reference"):
        sign(b'<Hoso xmlns:x="http://example.com/?a=1&amp;b=2"><CKy_Dvi/></Hoso>')


@pytest.mark.parametrize(
    ("namespaces", "kind"),
    [
        ({"x": "foo"}, DocumentError),
        ({"x": "urn:a b<"}, DocumentError),
        ({"x": "urn:a&b"}, DocumentError),
        ({f"p{number}": "urn:p" for number in range(14)}, DocumentError),
        ({"x": "http://www.w3.org/XML/1998/namespace"}, DocumentError),
    ],
)
def test_a_profile_whose_documents_nobody_could_verify_signs_none(form, certificate, namespaces, kind):
    own = xml.with_overrides(xml.profile("portal-register"), {"namespaces": namespaces})
    with pytest.raises(kind):
        xml.prepare_form(form, own, certificate=certificate, signing_time=NOON)
    with pytest.raises(kind):
        FormSigning.of(own, xml.signature_profile("field"), certificate)


def test_elements_too_deep_for_a_verifier_are_not_signed(refused, form, certificate):
    deep = "/".join(f"a{number}" for number in range(40))
    own = xml.with_overrides(xml.profile("portal-register"), {"add": [{"element": deep, "value": "1"}]})
    with refused(UnsafeDocumentError, "document.too_deep"):
        xml.prepare_form(form, own, certificate=certificate, signing_time=NOON)


@pytest.mark.parametrize("count", [13, 14])
def test_what_is_signed_is_within_what_verification_takes(sign, count):
    declared = "".join(f' xmlns:p{number}="urn:p"' for number in range(count))
    content = f"<Hoso{declared}><CKy_Dvi/></Hoso>".encode()
    if count > 13:
        with pytest.raises(UnsafeDocumentError):
            sign(content)
    else:
        signed = sign(content)
        assert xml.verify(signed) == xml.verify(signed, thorough=True)


def test_the_ids_of_a_shape_are_different(refused):
    with refused(InputError, "xml.signature_profile_id", field="properties_id"):
        evolve(xml.signature_profile("field"), signature_id="a", properties_id="a")


@pytest.mark.parametrize(
    "element",
    [
        b"""<A a="' b=" Id="sigid"></A>""",
        b"""<A a='" b=' Id='sigid'></A>""",
        b"""<A a=">" Id="sigid"></A>""",
        b"<A\n Id\t=\n'sigid'></A>",
        b"<A Id='sig&#105;d'></A>",
    ],
)
def test_an_identifier_is_found_however_it_is_written(refused, sign, element):
    with refused(DocumentError, "document.id_taken"):
        sign(b"<Hoso>" + element + b"<CKy_Dvi/></Hoso>")


def test_identifiers_are_compared_as_parsers_read_them(refused, sign):
    signed = sign(b"<Hoso><A Id='a b'></A><A Id='a\tb'></A><CKy_Dvi/></Hoso>")
    with refused(VerificationError, "document.repeated_id", reason="repeated-id"):
        xml.verify(signed)


def test_what_only_looks_like_an_identifier_is_none(sign):
    assert xml.verify(sign(b"""<Hoso><A a="' Id='sigid"></A><CKy_Dvi/></Hoso>"""))


def test_attributes_are_read_as_they_are_written():
    assert attributes_with_ids(b"""<a id="1>2" c = '3"' d=""><e Id='g'/>h=i</a>""") == [
        (b"id", b"1>2"),
        (b"c", b'3"'),
        (b"d", b""),
        (b"Id", b"g"),
    ]
    assert attributes_with_ids(b"id=i") == []


def test_a_place_of_the_counter_signature_may_have_been_there_before(sign, form):
    content = xml.build(form).content.replace(b"</Hoso>", b"<CKy_iVan></CKy_iVan></Hoso>")
    found = xml.verify_countersigned(sign(sign(content), None, profile="countersignature"))
    assert b"<CKy_iVan></CKy_iVan>" in found.content


def test_only_the_place_itself_is_taken_out(refused, sign, form):
    nested = sign(xml.build(form).content).replace(
        b"</Hoso>", b"<CKy_iVan></CKy_iVan><Them><CKy_iVan></CKy_iVan></Them></Hoso>"
    )
    with refused(VerificationError, "document.changed", field="Hoso/CKy_Dvi"):
        xml.verify_countersigned(sign(nested, None, profile="countersignature"))


def test_evidence_is_never_passed_over(refused, sign):
    evidence = trust.Evidence(gathered_at=NOON)
    with refused(InputError, "xml.evidence_without_policy", field="evidence"):
        xml.verify(sign(SMALL), roots=[], moment=NOON, evidence=evidence)


def test_paths_that_are_none_are_typed_errors(refused, sign, certificate):
    for at in ("Hoso/\udc80", "Hoso/\0"):
        with refused(InputError, "xml.not_a_path", field="at"):
            xml.verify(sign(SMALL), at=at)
    for at in ("Hoso/x[", "Hoso/*"):
        with pytest.raises(DocumentError):
            xml.prepare(sign(SMALL), certificate, at=at, signing_time=NOON, profile="countersignature")
    with refused(WrongTypeError, "input.wrong_type", field="at"):
        xml.verify(SMALL, at=b"Hoso/CKy_Dvi")


def test_an_employers_signature_that_is_broken_is_told_as_such(refused, sign):
    signed = sign(SMALL)
    start = signed.index(b"<SignatureValue>") + len(b"<SignatureValue>")
    broken = signed[:start] + (b"B" if signed[start : start + 1] == b"A" else b"A") + signed[start + 1 :]
    with refused(VerificationError, "document.signature_wrong", field="Hoso/CKy_Dvi"):
        xml.verify_countersigned(sign(broken, None, profile="countersignature"))


def test_what_is_written_must_be_canonical(refused):
    with refused(DocumentError, "document.no_canonical_form"):
        check_written(b"<Hoso><A/><CKy_Dvi></CKy_Dvi></Hoso>", "Hoso/CKy_Dvi", xml.signature_profile("field"))
