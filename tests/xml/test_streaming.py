"""A streamed document is byte for byte the one built in memory, and signed just as well."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from functools import partial
from io import BytesIO, StringIO

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import any_text, attachments, plain_text
from xml_streamed import LAYOUT, NOON, in_memory, signed, signed_in_memory, value_of

from bhxh_sdk import xml
from bhxh_sdk.errors import (
    CertificateUnusableError,
    DocumentError,
    InputError,
    SignatureMismatchError,
    WrongTypeError,
)
from bhxh_sdk.models import CertificateInfo, DossierEnvelope, Ivan
from bhxh_sdk.models.text import control_characters

truly = partial(xml.verify, thorough=True)
PROFILES = ("field", "referenced-time", "exclusive")
ROWS = [("Nguyễn Văn Mẫu", "0000000001", "5000000"), ("Trần <Thị> & Mẫu", "", "\u00a0")]
envelopes = st.builds(
    DossierEnvelope,
    ivan=st.builds(Ivan, st.just("00099"), plain_text()),
    organisation_name=plain_text(),
    unit_code=st.sampled_from((None, "TZ0001Z")),
    tax_code=st.just("0100109106"),
    signer_name=plain_text(),
    agency_code=st.just("07906"),
    procedure_code=st.sampled_from(("600-595", "601")),
    period=st.dates(),
    made_on=st.just(date(2026, 1, 2)),
    files=st.lists(attachments(), max_size=2),
)
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@shared
@given(envelope=envelopes, more=st.lists(attachments(), max_size=3), profile=st.sampled_from(PROFILES))
def test_a_streamed_envelope_is_the_one_built_in_memory(key, certificate, envelope, more, profile):
    streamed = signed(key, xml.stream_envelope, envelope, more, certificate=certificate, signature=profile)
    whole = evolve(envelope, files=(*envelope.files, *more))
    content = xml.build_envelope(whole).content
    assert streamed == signed_in_memory(key, content, certificate, xml.PLACE, profile)
    assert xml.verify(streamed, profile=profile) == truly(streamed, profile=profile)
    assert xml.read_envelope(xml.verify(streamed, profile=profile).content).files == whole.files


@shared
@given(
    rows=st.lists(st.tuples(any_text(), plain_text(), st.text(max_size=5)), max_size=5),
    repeated=st.sampled_from((1, 100)),
    profile=st.sampled_from(PROFILES),
)
def test_streamed_rows_are_those_built_in_memory(key, certificate, rows, repeated, profile):
    rows = rows * repeated
    options = {"certificate": certificate, "signature": profile}
    bad = next(
        (
            f"rows[{number}].{column}"
            for number, row in enumerate(rows)
            for column, text in zip(LAYOUT.columns, row, strict=True)
            if control_characters(text)
        ),
        None,
    )
    if bad is not None:
        with pytest.raises(InputError) as caught:
            signed(key, xml.stream_rows, LAYOUT, iter(rows), **options)
        assert (caught.value.code, caught.value.field) == ("xml.control_characters", bad)
        return
    streamed = signed(key, xml.stream_rows, LAYOUT, iter(rows), **options)
    assert streamed == signed_in_memory(key, in_memory(rows), certificate, LAYOUT.signature, profile)
    verified = xml.verify(streamed, at=LAYOUT.signature, profile=profile)
    assert verified == truly(streamed, at=LAYOUT.signature, profile=profile)


@pytest.mark.needs_tool("xmlsec1")
@pytest.mark.parametrize("profile", PROFILES)
def test_another_program_verifies_them(key, certificate, envelope, profile, tmp_path):
    more = envelope.files
    options = {"certificate": certificate, "signature": profile}
    (tmp_path / "envelope.xml").write_bytes(signed(key, xml.stream_envelope, envelope, more, **options))
    (tmp_path / "rows.xml").write_bytes(signed(key, xml.stream_rows, LAYOUT, ROWS * 300, **options))
    for name in ("envelope.xml", "rows.xml"):
        ids = ["--id-attr:Id", "http://www.w3.org/2000/09/xmldsig#:Object"]
        judged = subprocess.run(
            ["xmlsec1", "--verify", "--insecure", *ids, name],
            cwd=tmp_path,
            check=False,
            capture_output=True,
        )
        assert judged.returncode == 0, judged.stderr


def test_another_process_completes_it_days_later(key, certificate, envelope, tmp_path):
    path = tmp_path / "envelope.xml"
    with path.open("wb") as target:
        prepared = xml.stream_envelope(envelope, (), target, certificate=certificate, signing_time=NOON)
    (tmp_path / "waiting.json").write_bytes(prepared.to_bytes())
    (tmp_path / "value").write_bytes(value_of(key, prepared))
    code = """
from pathlib import Path
from bhxh_sdk import xml
waiting = xml.PreparedStream.from_bytes(Path("waiting.json").read_bytes())
with open("envelope.xml", "r+b") as target:
    xml.complete_stream(waiting, Path("value").read_bytes(), target)
"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    content = xml.build_envelope(envelope).content
    assert path.read_bytes() == signed_in_memory(key, content, certificate, xml.PLACE)


class Pipe(BytesIO):
    """Takes a few bytes at a time and cannot go back."""

    def seekable(self) -> bool:
        return False

    def write(self, content) -> int:
        return super().write(content[:1000])


def test_a_pipe_takes_a_stream(key, certificate):
    target = Pipe()
    prepared = xml.stream_rows(LAYOUT, ROWS * 300, target, certificate=certificate, signing_time=NOON)
    assert prepared.position == len(target.getvalue())
    xml.complete_stream(prepared, value_of(key, prepared), target)
    assert target.getvalue() == signed(key, xml.stream_rows, LAYOUT, ROWS * 300, certificate=certificate)


def test_a_profile_may_write_its_files_twice(key, certificate, envelope):
    twice = xml.with_overrides(
        xml.profile("envelope"),
        {"add": [{"element": "Again", "source": "files", "format": "files"}], "file_length": "bytes"},
    )
    options = {"certificate": certificate, "profile": twice}
    streamed = signed(key, xml.stream_envelope, evolve(envelope, files=()), envelope.files, **options)
    content = xml.build_envelope(envelope, twice).content
    assert streamed == signed_in_memory(key, content, certificate, xml.PLACE)


def test_files_are_never_dropped(refused, certificate, envelope):
    without = xml.with_overrides(xml.profile("envelope"), {"remove": ["ThongTinHoSo/ToKhais"]})
    options = {"certificate": certificate, "signing_time": NOON, "profile": without}
    with refused(InputError, "xml.no_place_for_files", field="files"):
        xml.stream_envelope(envelope, (), BytesIO(), **options)
    assert xml.stream_envelope(evolve(envelope, files=()), (), BytesIO(), **options).position


@pytest.mark.parametrize(
    ("change", "kind", "code"),
    [
        ({"signature": "countersignature"}, DocumentError, "document.not_signed"),
        ({"signature": "ecdsa"}, CertificateUnusableError, "document.key_not_p256"),
        ({"signing_time": NOON.replace(tzinfo=None)}, InputError, "xml.no_zone"),
        ({"certificate": None}, WrongTypeError, "input.wrong_type"),
    ],
)
def test_what_cannot_be_signed_is_refused_before_anything_is_written(
    refused, certificate, envelope, change, kind, code
):
    options = {"certificate": certificate, "signing_time": NOON, **change}
    for stream, what in ((xml.stream_envelope, (envelope, ())), (xml.stream_rows, (LAYOUT, ROWS))):
        target = BytesIO()
        with refused(kind, code):
            stream(*what, target, **options)
        assert not target.getvalue()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tail": [("Cky", "")]}, "document.several_places"),
        ({"rows": "", "row": "Cky"}, "document.several_places"),
        ({"namespaces": {"a": "relative"}}, "document.no_canonical_form"),
        ({"signature": "D02-TS/NoiDung/DanhSach/Cky"}, "document.several_places"),
    ],
)
def test_a_layout_that_cannot_be_signed_is_refused(refused, certificate, changes, code):
    target = BytesIO()
    with refused(DocumentError, code):
        xml.stream_rows(evolve(LAYOUT, **changes), ROWS, target, certificate=certificate, signing_time=NOON)
    assert not target.getvalue()


def test_wrong_types_are_refused(refused, certificate, envelope, key):
    options = {"certificate": certificate, "signing_time": NOON}
    prepared = xml.stream_rows(LAYOUT, (), BytesIO(), **options)
    for field, call in {
        "envelope": lambda: xml.stream_envelope(None, (), BytesIO(), **options),
        "files": lambda: xml.stream_envelope(envelope, 5, BytesIO(), **options),
        "files[0]": lambda: xml.stream_envelope(envelope, ["a.pdf"], BytesIO(), **options),
        "layout": lambda: xml.stream_rows(None, (), BytesIO(), **options),
        "rows": lambda: xml.stream_rows(LAYOUT, 5, BytesIO(), **options),
        "target": lambda: xml.stream_rows(LAYOUT, (), StringIO(), **options),
        "prepared": lambda: xml.complete_stream(None, b"", BytesIO()),
        "signature_value": lambda: xml.complete_stream(prepared, "", BytesIO()),
    }.items():
        with refused(WrongTypeError, "input.wrong_type", field=field):
            call()
    with refused(WrongTypeError, "input.wrong_type", field="target"):
        xml.stream_rows(LAYOUT, (), "file.xml", **options)
    with refused(InputError, "xml.other_profile", field="profile"):
        xml.stream_envelope(envelope, (), BytesIO(), profile="portal-stop", **options)


def test_a_target_that_holds_something_is_refused(refused, certificate):
    with refused(InputError, "xml.target_length", field="target"):
        xml.stream_rows(LAYOUT, (), BytesIO(b"x"), certificate=certificate, signing_time=NOON)


def test_a_value_is_checked_before_it_is_written(refused, certificate, key, authority_key):
    target = BytesIO()
    prepared = xml.stream_rows(LAYOUT, ROWS, target, certificate=certificate, signing_time=NOON)
    written = target.getvalue()
    with refused(SignatureMismatchError, "document.value_mismatch"):
        xml.complete_stream(prepared, value_of(authority_key, prepared), target)
    with refused(SignatureMismatchError, "document.value_length"):
        xml.complete_stream(prepared, b"x", target)
    small = evolve(prepared, certificate=evolve(prepared.certificate, der=b""))
    with refused(CertificateUnusableError, "document.certificate_unreadable"):
        xml.complete_stream(small, value_of(key, prepared), target)
    assert target.getvalue() == written


def test_a_signature_goes_only_to_the_end_of_its_own_file(refused, certificate, key):
    target = BytesIO()
    prepared = xml.stream_rows(LAYOUT, ROWS, target, certificate=certificate, signing_time=NOON)
    value = value_of(key, prepared)
    with refused(InputError, "xml.target_length", field="target"):
        xml.complete_stream(prepared, value, BytesIO())
    target.seek(0)
    xml.complete_stream(prepared, value, target)
    assert xml.verify(target.getvalue(), at=LAYOUT.signature).certificate == certificate
    with refused(InputError, "xml.target_length", field="target"):
        xml.complete_stream(prepared, value, target)
    closed = BytesIO()
    closed.close()
    with refused(InputError, "xml.cannot_write", field="target"):
        xml.complete_stream(prepared, value, closed)


def test_a_key_on_p_256_signs_when_asked(certificate, issue, curve_key):
    who = CertificateInfo.from_der(issue(curve_key.public_key()))
    prepared = xml.stream_rows(LAYOUT, ROWS, BytesIO(), certificate=who, signing_time=NOON, signature="ecdsa")
    whole = xml.prepare(in_memory(ROWS), who, at=LAYOUT.signature, signing_time=NOON, profile="ecdsa")
    assert (prepared.digest, prepared.content_digest) == (whole.digest, whole.content_digest)
