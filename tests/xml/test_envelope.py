from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from attrs import evolve

from bhxh_sdk import xml
from bhxh_sdk.errors import DocumentError, InputError, WrongTypeError
from bhxh_sdk.models import Attachment, DossierEnvelope


def test_an_envelope_has_the_seen_names_in_the_seen_order(envelope):
    document = xml.build_envelope(envelope)
    assert document.file_name == "BHXHDienTu.xml"
    assert (
        "<NoiDung><ThongTinIVAN><MaIVAN>00099</MaIVAN><TenIVAN>Công ty I-VAN Ví Dụ</TenIVAN></ThongTinIVAN>"
        "<ThongTinDonVi><TenDoiTuong>CÔNG TY TNHH VÍ DỤ</TenDoiTuong><MaSoBHXH>TZ0001Z</MaSoBHXH>"
        "<LoaiDoiTuong>1</LoaiDoiTuong><MaSoThue>0100109106</MaSoThue><NguoiKy>Nguyễn Văn Mẫu</NguoiKy>"
        "<DienThoai>0281234567</DienThoai><CoQuanQuanLy>07906</CoQuanQuanLy></ThongTinDonVi>"
        "<ThongTinHoSo><TenThuTuc>Báo tăng lao động</TenThuTuc><MaThuTuc>600</MaThuTuc>"
        "<KyKeKhai>01/2026</KyKeKhai>"
        "<NgayLap>02/01/2026</NgayLap><SoLuongFile>2</SoLuongFile><QuyTrinhISO></QuyTrinhISO>"
        "<ToKhais><FileToKhai><MaToKhai>D02-TS</MaToKhai><MoTaToKhai>Danh sách</MoTaToKhai>"
        "<TenFile>D02-TS.xml</TenFile><LoaiFile>.xml</LoaiFile><DoDaiFile>8</DoDaiFile>"
        "<NoiDungFile>PGEvPg==</NoiDungFile></FileToKhai><FileToKhai><MaToKhai>CT-DK</MaToKhai>"
        "<MoTaToKhai></MoTaToKhai><TenFile>giay-phep</TenFile><LoaiFile></LoaiFile><DoDaiFile>0</DoDaiFile>"
        "<NoiDungFile></NoiDungFile></FileToKhai></ToKhais></ThongTinHoSo></NoiDung><CKy_Dvi></CKy_Dvi></Hoso>"
    ).encode() in document.content


def test_an_envelope_comes_back(envelope, sign):
    content = xml.build_envelope(envelope).content
    assert xml.read_envelope(content) == envelope
    assert xml.read_envelope(xml.verify(sign(content)).content) == envelope
    without_code = evolve(envelope, unit_code="")
    assert without_code.unit_code is None
    assert xml.read_envelope(xml.build_envelope(without_code).content) == without_code


def test_the_length_of_a_file_can_be_its_bytes(envelope):
    by_bytes = xml.with_overrides(xml.profile("envelope"), {"file_length": "bytes"})
    content = xml.build_envelope(envelope, by_bytes).content
    assert b"<DoDaiFile>4</DoDaiFile>" in content
    assert xml.read_envelope(content) == envelope


@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        (">2</SoLuongFile>", ">3</SoLuongFile>", "file_count", "file_count"),
        (">2</SoLuongFile>", ">x</SoLuongFile>", "not_a_number", "ThongTinHoSo/SoLuongFile"),
        ("01/2026</KyKeKhai>", "13/2026</KyKeKhai>", "not_a_month", "ThongTinHoSo/KyKeKhai"),
        ("<MaIVAN>", "<MaIVan>1</MaIVan><MaIVAN>", "unexpected_element", "ThongTinIVAN/MaIVan"),
    ],
)
def test_what_is_wrong_in_an_envelope_is_named(refused, envelope, old, new, code, field):
    content = xml.build_envelope(envelope).content.decode().replace(old, new, 1).encode()
    with refused(DocumentError, f"document.{code}", field=field):
        xml.read_envelope(content)


def test_an_envelope_needs_its_dates(refused, envelope):
    with refused(InputError, "xml.missing_value", field="made_on"):
        xml.build_envelope(evolve(envelope, made_on=None))
    without = xml.with_overrides(xml.profile("envelope"), {"remove": ["ThongTinHoSo/KyKeKhai"]})
    with refused(DocumentError, "document.missing_element", field="period"):
        xml.read_envelope(xml.build_envelope(envelope, without).content, without)


def test_a_registration_is_no_envelope(refused, form):
    with refused(InputError, "xml.other_profile", field="profile"):
        xml.read_envelope(b"<a/>", "portal-register")
    with refused(WrongTypeError, "input.wrong_type", field="envelope"):
        xml.build_envelope(form)
    with pytest.raises(DocumentError):
        xml.read_envelope(xml.build(form).content)


def test_a_profile_without_most_elements_still_reads(envelope):
    kept = {"ThongTinHoSo/KyKeKhai", "ThongTinHoSo/NgayLap"}
    profile = xml.profile("envelope")
    others = [rule.element for rule in profile.fields if rule.element not in kept]
    bare = xml.with_overrides(profile, {"remove": others})
    back = xml.read_envelope(xml.build_envelope(envelope, bare).content, bare)
    assert (back.period, back.made_on, back.files) == (date(2026, 1, 1), envelope.made_on, ())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"procedure_code": 600}, "DossierEnvelope.procedure_code"),
        ({"period": "01/2026"}, "DossierEnvelope.period"),
        ({"made_on": "02/01/2026"}, "DossierEnvelope.made_on"),
        ({"made_on": datetime(2026, 1, 2, tzinfo=UTC)}, "DossierEnvelope.made_on"),
        ({"ivan": "00099"}, "DossierEnvelope.ivan"),
        ({"files": ["a.pdf"]}, "DossierEnvelope.files"),
        ({"unit_code": 1}, "UnitCode"),
    ],
)
def test_an_envelope_of_wrong_types_is_refused(refused, envelope, changes, field):
    with refused(WrongTypeError, "input.wrong_type", field=field):
        evolve(envelope, **changes)


@pytest.mark.parametrize("suffix", ["-595", "_595", "-959", "_959", "-166", "_166", ""])
def test_the_decision_number_is_taken_off(envelope, suffix):
    changed = evolve(
        envelope,
        procedure_code=f"602a{suffix}",
        files=[Attachment(file_name="a.xml", content=b"", form_code=f"D05-TS{suffix}")],
    )
    assert isinstance(changed, DossierEnvelope)
    assert changed.procedure_code == "602a"
    assert changed.files[0].form_code == "D05-TS"
    assert changed.unit_code == envelope.unit_code
