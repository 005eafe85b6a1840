from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from attrs import evolve

from bhxh_sdk import xml
from bhxh_sdk.errors import DocumentError, InputError, WrongTypeError
from bhxh_sdk.models import Attachment, CertificateInfo, Ivan, ResultDelivery, Stop, StopReason

LICENCE = Attachment(file_name="giấy phép.pdf", content=b"%PDF", description="Giấy phép")


@pytest.fixture
def content(form) -> bytes:
    return xml.build(form).content


def test_a_registration_is_one_line_after_the_declaration(form):
    document = xml.build(form)
    assert document.profile == "portal-register"
    assert document.content.decode() == (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<Hoso xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        "<NoiDung><TenCoQuan>BHXH cơ sở Ví Dụ</TenCoQuan><MaCoQuan>07906</MaCoQuan>"
        "<LoaiDoiTuong>1</LoaiDoiTuong>"
        "<TenDoiTuong>CÔNG TY TNHH VÍ DỤ &amp; CON</TenDoiTuong><MaSoBHXH>TZ0001Z</MaSoBHXH>"
        "<MaSoThue>0100109106</MaSoThue><DienThoai>0281234567</DienThoai><Email>hr@example.com</Email>"
        "<NguoiLienHe>Nguyễn Văn Mẫu</NguoiLienHe><DiaChi>Số 1 Đường Ví Dụ</DiaChi>"
        "<DiaChiLienHe>Số 2 &lt;Đường&gt; Ví Dụ</DiaChiLienHe><DienThoaiLienHe>0912345678</DienThoaiLienHe>"
        "<NgayLap>02/01/2026</NgayLap><NgayDangKy>02/01/2026</NgayDangKy><PTNhanKetQua>0</PTNhanKetQua>"
        "</NoiDung><CKy_Dvi></CKy_Dvi></Hoso>"
    )


def test_no_value_is_no_element_and_an_empty_text_an_empty_element(form):
    bare = evolve(form, organisation=evolve(form.organisation, unit_code=None, address=""))
    content = xml.build(bare).content
    assert b"MaSoBHXH" not in content
    assert b"ToKhais" not in content
    assert b"<DiaChi></DiaChi>" in content


def test_a_missing_telephone_is_the_mobile(form):
    bare = evolve(form, organisation=evolve(form.organisation, phone=""))
    content = xml.build(bare).content
    assert b"<DienThoai>0912345678</DienThoai>" in content
    assert xml.read(content) == bare
    repeated = evolve(form, organisation=evolve(form.organisation, phone="0912345678"))
    assert xml.carried(repeated) == bare


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"made_on": None}, "made_on"),
        ({"starts_on": None}, "starts_on"),
        ({"transact_at": Ivan("00099")}, "transact_at.name"),
        ({"transact_at": Ivan("", "IVAN VI DU")}, "transact_at.code"),
        ({"action": "stop"}, "stop.from_date"),
        ({"action": "stop", "stop": Stop(from_date=date(2026, 2, 1))}, "stop.reason"),
    ],
)
def test_what_must_stand_in_the_document_is_asked_for(refused, form, changes, field):
    for function in (xml.build, xml.carried):
        with refused(InputError, "xml.missing_value", field=field):
            function(evolve(form, **changes))


@pytest.mark.parametrize("nasty", ["a\x00b", "a\nb", "a\tb", "a\ud800b", "a\u2028b", "a\ufffeb", "a\x85b"])
def test_characters_that_no_form_holds_are_refused(refused, form, nasty):
    with refused(InputError, "xml.control_characters", field="contact.name"):
        xml.build(evolve(form, contact=evolve(form.contact, name=nasty)))
    with refused(InputError, "xml.control_characters", field="attachments[1].description"):
        xml.build(evolve(form, attachments=(LICENCE, evolve(LICENCE, description=nasty))))


def test_a_profile_for_something_else_is_refused(refused, form):
    with refused(InputError, "xml.other_profile", field="action"):
        xml.build(form, "portal-stop")
    with refused(InputError, "xml.other_profile", field="action"):
        xml.build(form, "envelope")
    with refused(InputError, "xml.other_profile", field="transact_at"):
        xml.build(form, "ivan-register")
    with refused(InputError, "xml.unknown_profile", field="profile"):
        xml.build(form, "nothing")
    with refused(WrongTypeError, "input.wrong_type", field="form"):
        xml.build({"action": "register"})


def test_files_are_never_dropped(refused, form):
    with_file = evolve(form, transact_at=Ivan("00099", "IVAN VI DU"), attachments=(LICENCE,))
    assert xml.read(xml.build(with_file).content) == with_file
    with refused(InputError, "xml.no_place_for_files", field="attachments"):
        xml.build(with_file, "2015-register")


def test_a_stop_carries_the_words_of_its_reason(form):
    stop = Stop(from_date=date(2026, 2, 1), reason=StopReason.DISSOLVED)
    stopped = evolve(form, action="stop", stop=stop)
    content = xml.build(stopped).content
    assert "<LyDoNgung>Đơn vị giải thể</LyDoNgung>".encode() in content
    assert xml.read(content).stop == stop
    spoken = evolve(stopped, stop=evolve(stop, text="Chuyển trụ sở"))
    assert xml.read(xml.build(spoken).content).stop == Stop(from_date=stop.from_date, text="Chuyển trụ sở")


def test_a_stop_can_carry_the_code_of_its_reason(refused, form):
    by_code = xml.with_overrides(
        xml.profile("portal-stop"), {"fields": {"LyDoNgung": {"format": "reason_code"}}}
    )
    stop = Stop(from_date=date(2026, 2, 1), reason=StopReason.OTHER)
    stopped = evolve(form, action="stop", stop=stop)
    content = xml.build(stopped, by_code).content
    assert b"<LyDoNgung>9</LyDoNgung>" in content
    assert xml.read(content, by_code).stop == stop
    with refused(DocumentError, "document.unknown_value", field="LyDoNgung"):
        xml.read(content.replace(b">9<", b">77<"), by_code)
    with refused(InputError, "xml.missing_value", field="stop.reason"):
        xml.build(evolve(stopped, stop=evolve(stop, reason=None, text="x")), by_code)


def test_the_dialect_of_2015_has_the_certificate_and_two_places_to_sign(form, certificate):
    old = evolve(form, transact_at=Ivan("00099", "IVAN VI DU"))
    content = xml.build(old, "2015-register", certificate=certificate).content
    block = (
        f"<TTCKY_DVI><TTCKY><SERIAL>{certificate.serial_text}</SERIAL><SUBJECT>CA VÍ DỤ</SUBJECT>"
        "<BEGIN>01/01/2025</BEGIN><END>01/01/2030</END></TTCKY></TTCKY_DVI></DKI_BHXH><CKYDTU_DVI></CKYDTU_DVI></BHXH>"
    )
    assert content.endswith(block.encode())
    assert xml.read(content) == xml.carried(old, "2015-register")
    other = content.replace("Tất cả thủ tục".encode(), b"600, 602")
    other = other.replace(b"</BHXH>", b"<CKYDTU_IVAN>x</CKYDTU_IVAN></BHXH>")
    assert xml.read(other) == xml.read(content)


def test_a_certificate_that_never_expires_is_written(form, issue, key):
    never = issue(key.public_key(), end=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    old = evolve(form, transact_at=Ivan("00099", "IVAN VI DU"))
    content = xml.build(old, "2015-register", certificate=CertificateInfo.from_der(never)).content
    assert b"<END>31/12/9999</END>" in content


def test_an_indented_document_with_a_byte_order_mark_is_read(form, content):
    indented = b"\xef\xbb\xbf" + content.replace(b"><", b">\r\n  <").replace(
        b">\r\n  </MaSoBHXH", b"></MaSoBHXH"
    )
    assert xml.read(indented) == form


def test_a_signed_document_is_read_without_its_signature(form, content, sign):
    assert xml.read(sign(content)) == form


def test_the_order_of_the_elements_does_not_matter(form, content):
    code = b"<MaCoQuan>07906</MaCoQuan>"
    assert xml.read(content.replace(code, b"").replace(b"</NoiDung>", code + b"</NoiDung>")) == form


@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        ("02/01/2026</NgayLap>", "2/1/2026</NgayLap>", "not_a_date", "NgayLap"),
        ("02/01/2026</NgayLap>", "31/02/2026</NgayLap>", "not_a_date", "NgayLap"),
        ("02/01/2026</NgayLap>", "٠٢/01/2026</NgayLap>", "not_a_date", "NgayLap"),
        (">0</PTNhanKetQua>", ">7</PTNhanKetQua>", "unknown_value", "PTNhanKetQua"),
        (">0</PTNhanKetQua>", ">x</PTNhanKetQua>", "not_a_number", "PTNhanKetQua"),
        (">1</LoaiDoiTuong>", ">2</LoaiDoiTuong>", "unknown_value", "LoaiDoiTuong"),
        ("<Email>hr@example.com</Email>", "", "missing_element", "Email"),
        ("<Email>", "<Fax>1</Fax><Email>", "unexpected_element", "Fax"),
        ("<Email>", "<Email>x</Email><Email>", "repeated_element", "Email"),
        ("hr@example.com", "<b>hr@example.com</b>", "unexpected_element", "Email/b"),
        ("<Email>", "<Email a='1'>", "unexpected_attribute", "Email"),
        ("<Email>", "<Email xmlns='urn:x'>", "unexpected_element", "{urn:x}Email"),
        ("<NoiDung>", "<NoiDung>x", "unexpected_text", "NoiDung"),
        ("<Email>", "x<Email>", "unexpected_text", "NoiDung"),
        ("<NoiDung>", "<Other></Other><NoiDung>", "unexpected_element", "Hoso/Other"),
        ("</NoiDung>", "</NoiDung><NoiDung></NoiDung>", "repeated_element", "NoiDung"),
        ("<NoiDung>", "<NoiDung Id='a'>", "unexpected_attribute", "NoiDung"),
    ],
)
def test_what_is_wrong_in_a_document_is_named(refused, content, old, new, code, field):
    changed = content.decode().replace(old, new, 1).encode()
    assert changed != content
    with refused(DocumentError, f"document.{code}", field=field):
        xml.read(changed)


def test_unknown_roots_are_refused_with_the_known_profiles(refused):
    with refused(DocumentError, "document.unknown_root", field="Other") as caught:
        xml.read(b"<Other/>")
    assert "portal-register" in caught.value.message()
    with refused(DocumentError, "document.unknown_root", field="Hoso"):
        xml.read(b"<Hoso/>")


def test_a_named_profile_is_the_only_one_tried(refused, content):
    with refused(DocumentError, "document.other_root", field="Hoso"):
        xml.read(content, "2015-register")
    with refused(DocumentError, "document.missing_element", field="NoiDung"):
        xml.read(b"<Hoso></Hoso>", "portal-register")
    with refused(DocumentError, "document.unexpected_element"):
        xml.read(content, "ivan-stop")


def test_an_envelope_is_no_registration(refused, envelope):
    with refused(DocumentError, "document.not_a_registration"):
        xml.read(xml.build_envelope(envelope).content)


def test_results_by_post(form):
    by_post = evolve(form, result_delivery=ResultDelivery.BY_POST)
    content = xml.build(by_post).content
    assert b"<PTNhanKetQua>1</PTNhanKetQua>" in content
    assert xml.read(content) == by_post
