from __future__ import annotations

import time
from contextlib import suppress

import pytest
from lxml import etree

from bhxh_sdk import xml
from bhxh_sdk.errors import BhxhError, DocumentError, UnsafeDocumentError, VerificationError
from bhxh_sdk.xml import signature, verification
from bhxh_sdk.xml.fields import misfits
from bhxh_sdk.xml.limits import check_bounds
from bhxh_sdk.xml.reader import parsed


def declared(count: int) -> bytes:
    return b"".join(b' xmlns:a%d="urn:%d"' % (number, number) for number in range(count))


def attributes(count: int) -> bytes:
    return b"".join(b' a%d=""' % number for number in range(count))


def within(content: bytes) -> bytes:
    """Put content before the signature's place, outside its scope."""
    return b"<Hoso>" + content + b"<CKy_Dvi></CKy_Dvi></Hoso>"


HOSTILE = {
    "namespaces over elements": (
        b"<X" + declared(2000) + b">" + b"<a/>" * 2000 + b"</X>",
        "too_many_namespaces",
    ),
    "one namespace on each element": (b"<a xmlns='urn:a'/>" * 17, "too_many_namespaces"),
    "namespaces among attributes": (
        b"<a xmlns = 'urn:a' b='>' " + declared(16) + b"/>",
        "too_many_namespaces",
    ),
    "attributes": (b"<X" + attributes(100_000) + b"/>", "too_many_attributes"),
    "one attribute too many": (b"<X" + attributes(17) + b"/>", "too_many_attributes"),
    "attributes without white space": (b"<X a='1'" + b"b='2'" * 17 + b"/>", "too_many_attributes"),
    "elements": (b"<a/>" * 2_000_001, "too_many_elements"),
    "elements hidden by closing tags": (b"<a/>" * 1_000_000 + b"</" * 2_100_000, "too_many_elements"),
    "namespaces for so many elements": (
        b"<X" + declared(16) + b">" + b"<a/>" * 700_000 + b"</X>",
        "namespaces_over_elements",
    ),
    "a long prefix": (b"<X xmlns:" + b"n" * 65 + b"='urn:a'/>", "long_namespace"),
    "a long address": (b"<X xmlns='urn:" + b"n" * 253 + b"'/>", "long_namespace"),
    "depth": (b"<a>" * 32 + b"</a>" * 32, "too_deep"),
    "depth of a large document": (
        b"<a>" * 2000 + b" " * 11_000_000 + b"</a>" * 2000,
        "too_deep",
    ),
}


@pytest.mark.parametrize(("content", "code"), HOSTILE.values(), ids=HOSTILE)
def test_what_would_cost_too_much_is_refused(refused, content, code):
    with refused(UnsafeDocumentError, f"document.{code}") as caught:
        parsed(within(content))
    assert caught.value.hint("vi") or code == "too_deep"


@pytest.mark.parametrize(
    "content",
    [
        declared(17),
        b"<b a='xmlns:a=1 xmlns:b=2' xmlnsx='' " + declared(15)[1:] + b"/>" + b" xmlns=''" * 40,
        b"<a" + attributes(16) + declared(16) + b"/>",
        b"<a" + attributes(16) + b"/><b" + attributes(16) + b"/>",
        b"<a>" * 31 + b"</a>" * 31,
    ],
)
def test_what_stays_within_the_bounds_is_read(content):
    assert parsed(within(content)).tag == "Hoso"


def test_a_list_of_fifty_thousand_people_is_within_the_bounds():
    person = b"<Row>" + b"<a>1</a>" * 25 + b"</Row>"
    check_bounds(b"<Hoso" + declared(5) + b">" + person * 50_000 + b"</Hoso>")


def test_the_number_of_elements_can_be_set(refused):
    check_bounds(b"<a><b/></a>", element_limit=2)
    with refused(UnsafeDocumentError, "document.too_many_elements"):
        check_bounds(b"<a><b/><b/></a>", element_limit=2)


def test_a_signature_replayed_into_a_costly_document_is_refused_as_unsafe(refused, sign):
    costly = sign(within(b"<X/>")).replace(b"<X/>", HOSTILE["namespaces over elements"][0])
    with refused(VerificationError, "document.too_many_namespaces", reason="unsafe"):
        xml.verify(costly)


WORST = [
    b"<X" + declared(16) + b">" + b"<a>" * 29 + b"<a/>" * 23_000 + b"</a>" * 29 + b"</X>",
    b"<a" + b" " * 90_000 + b"/>",
    b"<a b" + b" " * 45_000 + b"=" + b" " * 45_000 + b"''/>",
    b"<" * 95_000,
    b"<a b='" * 16_000,
    b"<a " + b"b=''" * 23_000,
    (b"<a" + attributes(16) + b"/>") * 900,
]


@pytest.mark.parametrize("content", WORST, ids=range(len(WORST)))
def test_the_worst_within_the_bounds_takes_no_time(sign, content):
    """Without bounds 100 kB took half a minute; a bound in seconds tells that apart on any machine."""
    started = time.perf_counter()
    with suppress(BhxhError):
        sign(within(content))
    assert time.perf_counter() - started < 1


def test_elements_that_no_profile_knows_are_counted_up_to_a_hundred(form):
    profile = next(profile for profile in xml.profiles() if profile.kind == "registration")
    root = parsed(xml.build(form, profile).content)
    before = misfits(profile, root)
    for _ in range(10_000):
        etree.SubElement(root[0], "khac")
    assert before == 0
    assert misfits(profile, root) == 100
    assert misfits(profile, parsed(xml.build(form, profile).content)) == 0


def test_paths_are_not_made_of_more_signatures_than_there_may_be(sign, refused, monkeypatch):
    dsig = (
        b"<CKy_Dvi/><a xmlns:d='http://www.w3.org/2000/09/xmldsig#'><d:Signature/><d:Signature/></a></Hoso>"
    )
    monkeypatch.setattr(signature, "path_of", None)
    with refused(DocumentError, "document.already_signed"):
        sign(b"<Hoso>" + dsig)
    monkeypatch.setattr(verification, "path_of", None)
    with refused(VerificationError, "document.several_signatures"):
        xml.verify(b"<Hoso>" + dsig)
