"""What mutation testing found untested in quick reading and in the bounds."""

from __future__ import annotations

import re

import pytest
from attrs import evolve

from bhxh_sdk import xml
from bhxh_sdk.errors import UnsafeDocumentError, VerificationError
from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.xml import limits, quick_reading, verification
from bhxh_sdk.xml.canonical_bytes import is_canonical, root_of
from bhxh_sdk.xml.limits import check_bounds, check_elements
from bhxh_sdk.xml.quick_reading import guess, quick_claim
from bhxh_sdk.xml.signature_profile import signature_profile

FIELD = signature_profile("field")
PLACE = b"<CKy_Dvi>"


@pytest.fixture(scope="module")
def signed(form, sign) -> bytes:
    return sign(xml.build(form).content)


def claimed(content: bytes, profile=FIELD) -> quick_reading.Claim:
    claim = quick_claim(content, xml.PLACE, profile, xml.SIZE_LIMIT)
    assert claim is not None
    return claim


def guessed(content: bytes, inside: bytes) -> bytes | None:
    """Guess what a document holds that is claimed to have this between its root's tag and the signature."""
    claim = claimed(content)
    root, _, place, endings = claim.pieces
    return guess(claim._replace(pieces=(root, inside + place, place, endings)))


@pytest.mark.parametrize(
    "inside",
    [
        b"<!-- -->",
        b"<?a?>",
        b'<a b="1"></a>',
        b"<a b='1'></a>",
        b"&nbsp;",
        b"&#xd;",
        b"<CKy_DviX></CKy_DviX>",
        b"<!-- ?\"'&amp;\r -->",
    ],
)
def test_what_could_have_another_canonical_form_is_not_guessed(signed, inside):
    assert guessed(signed, inside) is None


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        (b"<a>1\r\n2\r3\n</a>", b"<a>1\n2\n3\n</a>"),
        (b"<a/><b />", b"<a></a><b></b>"),
        (b"<a>&amp;&lt;&gt;&#xD;!?\"'</a>", b"<a>&amp;&lt;&gt;&#xD;!?\"'</a>"),
        (b"<CKy_Dv></CKy_Dv><CKy></CKy>", b"<CKy_Dv></CKy_Dv><CKy></CKy>"),
        (b"", b""),
    ],
)
def test_what_is_guessed_is_the_canonical_form(signed, inside, expected):
    root, _, place, endings = claimed(signed).pieces
    assert guessed(signed, inside) == root + expected + place + endings


def test_no_more_than_so_many_empty_elements_are_written_out(signed, monkeypatch):
    monkeypatch.setattr(quick_reading, "_MOST_EXPANDED", 3)
    assert guessed(signed, b"<a/>" * 2)
    assert guessed(signed, b"<a/>" * 3) is None


def test_a_document_over_the_bounds_is_not_guessed(signed, monkeypatch):
    def unsafe(_body: bytes, _namespaces: int) -> None:
        raise UnsafeDocumentError("document.too_many_elements", count=1, limit=1)

    monkeypatch.setattr(quick_reading, "check_elements", unsafe)
    assert guess(claimed(signed)) is None


@pytest.mark.parametrize(
    "profile", [FIELD, evolve(FIELD, signing_time="none"), evolve(FIELD, key_value=False)]
)
def test_what_this_package_writes_is_compared_piece_by_piece(form, sign, profile, monkeypatch):
    content = sign(xml.build(form).content, profile=profile)
    expected = xml.verify(content, profile=profile, thorough=True)
    monkeypatch.setattr(quick_reading, "_any_signature", None)
    monkeypatch.setattr(verification, "opened_to_verify", None)
    assert xml.verify(content, profile=profile) == expected


@pytest.mark.parametrize(
    "change",
    [
        lambda text: re.sub(rb'(Algorithm="[^"]+")></\w+>', rb"\1 />", text),
        lambda text: text.replace(b"#sigid", b"#other"),
        lambda text: re.sub(b"<Object>.*</Object>", b"", text),
        lambda text: text + b" \t\r\n",
    ],
)
def test_other_ways_to_write_a_signature_are_verified_without_parsing(signed, change, monkeypatch):
    changed = change(signed)
    expected = xml.verify(changed, thorough=True)
    monkeypatch.setattr(verification, "opened_to_verify", None)
    assert xml.verify(changed) == expected


def test_nothing_but_white_space_may_follow_a_document(signed):
    for after in (b"X", b"<a/>", b"\x0c"):
        assert quick_claim(signed + after, xml.PLACE, FIELD, xml.SIZE_LIMIT) is None
        with pytest.raises(VerificationError):
            xml.verify(signed + after)


@pytest.mark.parametrize("name", ["exclusive", "countersignature", "referenced-time"])
def test_other_shapes_are_not_looked_for(name):
    assert quick_reading._plan(xml.PLACE, signature_profile(name)) is None


@pytest.mark.parametrize("at", ["Hoso", "Hoso/N/CKy_Dvi", "Hoso/a:b", "Ho so/CKy_Dvi", "/CKy_Dvi"])
def test_other_paths_are_not_looked_for(at):
    assert quick_reading._plan(at, FIELD) is None
    assert quick_reading._plan(xml.PLACE, FIELD) is not None


@pytest.mark.parametrize("prefix", ["xml", "xmlns"])
def test_a_reserved_prefix_makes_a_root_unusual(prefix):
    assert root_of(f'<Hoso xmlns:{prefix}="urn:a">'.encode()) is None


def test_a_prefix_declared_twice_makes_a_root_unusual():
    assert root_of(b'<Hoso xmlns:a="urn:a" xmlns:a="urn:a">') is None
    root = root_of(b'<Hoso xmlns:b="urn:b" xmlns:a="urn:a">')
    assert root == (b"Hoso", (("a", "urn:a"), ("b", "urn:b")), b'<Hoso xmlns:a="urn:a" xmlns:b="urn:b">')


@pytest.mark.parametrize(
    "body",
    [
        b"<r\xff></r>",
        b"<r></r>\n",
        b"<r><a/></r>",
        b"<r>&#65;</r>",
        b"<r><a b='1'></a></r>",
        b"<r>x<a b='1'></a></r>",
        b'<r>x<a b="1"></a></r>',
        b"<r><a>\r</a></r>",
        b"<r>&&gt;</r>",
    ],
)
def test_what_is_not_canonical_is_said_so(body):
    assert is_canonical(body) is False


def test_references_and_quotes_in_texts_are_canonical():
    assert is_canonical(b"<r>&amp;&lt;&gt;&#xD;\"'</r>") is True
    assert is_canonical(b'<r>"</r>') is is_canonical(b"<r>'</r>") is True


def test_each_signer_is_remembered(signed, form, sign, issue, authority_key):
    quick_reading._keys.clear()
    other = CertificateInfo.from_der(issue(authority_key.public_key(), "CÔNG TY KHÁC"))
    again = sign(xml.build(form).content, who=other, with_key=authority_key)
    assert xml.verify(signed).certificate != xml.verify(again).certificate
    assert len(quick_reading._keys) == 2


def test_a_signer_is_read_once(signed, monkeypatch):
    quick_reading._keys.clear()
    expected = xml.verify(signed)
    monkeypatch.setattr(quick_reading, "_key", None)
    assert xml.verify(signed) == expected


def test_the_signers_remembered_are_forgotten_when_they_are_too_many(monkeypatch):
    quick_reading._keys.clear()
    monkeypatch.setattr(quick_reading, "_MOST_KEPT", 2)
    for name, expected in ((b"a", 1), (b"b", 2), (b"c", 1)):
        quick_reading._known_key(name)
        assert len(quick_reading._keys) == expected
    quick_reading._keys.clear()


def within(elements: int, namespaces: int = 0) -> bytes:
    declared = b"".join(b' xmlns:a%d="urn:%d"' % (number, number) for number in range(namespaces))
    return b"<X" + declared + b">" + b"<a/>" * (elements - 1) + b"</X>"


def test_a_document_may_have_exactly_so_many_elements(refused):
    check_bounds(within(100), element_limit=100)
    with refused(UnsafeDocumentError, "document.too_many_elements") as caught:
        check_bounds(within(101), element_limit=100)
    assert caught.value.parameters["count"] == 101
    assert caught.value.parameters["limit"] == 100


def test_texts_may_hold_more_slashes_than_there_may_be_elements():
    check_bounds(b"<X>" + b"/" * 1000 + b"<a></a></X>", element_limit=2)


def test_exactly_sixteen_namespaces_may_be_declared(refused):
    check_bounds(within(2, 16))
    with refused(UnsafeDocumentError, "document.too_many_namespaces") as caught:
        check_bounds(within(2, 17))
    assert caught.value.parameters["limit"] == 16


def test_the_product_of_namespaces_and_elements_is_bounded(refused, monkeypatch):
    monkeypatch.setattr(limits, "_MOST_NAMESPACES_TIMES_ELEMENTS", 1000)
    check_bounds(within(100, 10))
    with refused(UnsafeDocumentError, "document.namespaces_over_elements") as caught:
        check_bounds(within(101, 10))
    parameters = caught.value.parameters
    assert (parameters["namespaces"], parameters["count"], parameters["limit"]) == (10, 101, 100)


def test_the_bounds_are_those_that_the_documentation_says():
    assert limits.ELEMENT_LIMIT == 2_000_000
    bounds = limits._MOST_ATTRIBUTES, limits._MOST_NAMESPACES, limits._DEEPEST
    assert bounds == (16, 16, 32)
    assert limits._MOST_NAMESPACES_TIMES_ELEMENTS == 10_000_000


def test_a_document_without_attributes_is_bounded_too(refused, monkeypatch):
    check_elements(within(3), 16)
    with refused(UnsafeDocumentError, "document.too_many_elements"):
        check_elements(within(3), 17)
    monkeypatch.setattr(limits, "_SMALL", 10)
    monkeypatch.setattr(limits, "ELEMENT_LIMIT", 100)
    check_elements(within(100), 16)
    with refused(UnsafeDocumentError, "document.too_many_elements") as caught:
        check_elements(within(101), 0)
    assert (caught.value.parameters["count"], caught.value.parameters["limit"]) == (101, 100)
    monkeypatch.setattr(limits, "_MOST_NAMESPACES_TIMES_ELEMENTS", 1000)
    with refused(UnsafeDocumentError, "document.namespaces_over_elements"):
        check_elements(within(100), 11)


@pytest.mark.parametrize("before", [b"", b' c="1"', b" c='1'"])
@pytest.mark.parametrize("value", [b'"x>y"', b"'x>y'", b"'x\"y'", b'"<>"'])
def test_attributes_are_read_whatever_stands_in_their_values(before, value):
    found = dict(limits.attributes_with_ids(b"<r" + before + b" a=" + value + b' Id="z"><s/></r>'))
    assert found.get(b"Id") == b"z" or b"<" in value
    assert (b"c" in found) == bool(before) or b"<" in value


def test_tags_are_looked_at_that_may_have_an_identifier():
    body = b'<r a="1"><s Id="2"/><t/><u  c = \'3\'\n d="4">=</u><v XID="5" w="6"/>id</r>'
    expected = [(b"Id", b"2"), (b"c", b"3"), (b"d", b"4"), (b"XID", b"5"), (b"w", b"6")]
    assert limits.attributes_with_ids(body) == expected
    assert limits.attributes_with_ids(b'<r a="1">id==</r>') == [(b"a", b"1")]
    assert limits.attributes_with_ids(b"<r></r>") == []
    assert limits.attributes_with_ids(b'<r id="1">' + b"id=" * 127 + b"</r>") == [(b"id", b"1")]
    assert limits.attributes_with_ids(b'<r id="1">' + b"id=" * 128 + b"</r>") is None


@pytest.mark.parametrize("text", [b"=" * 5000, b"= xmlns" * 5000, b"xmlns" * 200, b"xmlns=" * 17])
def test_signs_in_texts_are_no_attributes(refused, text):
    check_bounds(b'<r a="1"><s b="1">' + text + b"</s></r>")
    with refused(UnsafeDocumentError, "document.too_many_namespaces"):
        check_bounds(b'<r a="1"><s b="1">' + text + b"</s>" + b"<t xmlns='urn:t'/>" * 17 + b"</r>")
    with refused(UnsafeDocumentError, "document.too_many_attributes"):
        check_bounds(b"<r><s>" + text + b"</s><t" + b' a="1"' * 17 + b"/></r>")


@pytest.mark.parametrize("tag", [b"<a/>", b"<a ></a>", b"<a\t></a>", b"<a\n></a>", b"<a></a\t>"])
def test_white_space_in_tags_is_not_canonical(tag):
    assert is_canonical(b"<r>" + tag + b"</r>") is False
    assert is_canonical(b"<r>a\tb \n/ <a>=></a></r>".replace(b"=>", b"")) is True


def test_a_signature_still_to_come_is_counted_as_forty_elements(refused):
    check_bounds(within(60), element_limit=100, to_sign=True)
    with refused(UnsafeDocumentError, "document.too_many_elements"):
        check_bounds(within(61), element_limit=100, to_sign=True)
