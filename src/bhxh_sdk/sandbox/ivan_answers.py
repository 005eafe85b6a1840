"""What the sandbox's I-VAN reads and answers, in the shapes that an I-VAN's app shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bhxh_sdk.models import (
    Action,
    Agency,
    AgencyCode,
    Attachment,
    Contact,
    EmailAddress,
    Ivan,
    MobileNumber,
    Organisation,
    Outcome,
    Registration,
    Stop,
    StopReason,
    TaxCode,
)
from bhxh_sdk.transport.reading import VIETNAM, as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date, datetime

    from bhxh_sdk.sandbox.case import Case

__all__ = [
    "credentials",
    "first_facts",
    "histories",
    "progress",
    "receipt",
    "registration_info",
    "stored_facts",
]

_WORDS = {Outcome.PROCESSING: "Đang xử lý", Outcome.ACCEPTED: "Thành công", Outcome.REFUSED: "Thất bại"}
_KINDS = {Action.REGISTER: "D101", Action.ADJUST: "D102", Action.STOP: "D103"}


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M:%S")


def receipt(case: Case) -> dict[str, Any]:
    """Answer a signed document: the dossier number is never there at once."""
    return {
        "messId": case.sending_key,
        "soHoSo": None,
        "thoiGianGui": _moment(case.received_at),
        "moTa": "Đã gửi hồ sơ",
        "guiMaKichHoat": case.activation_by_mail,
    }


def progress(case: Case) -> dict[str, Any]:
    """Answer a question by sending key: a step that has not come yet is null."""
    steps = {
        f"buoc_{step.number}": None
        if step.at is None
        else {
            "ngay_ketqua": _moment(step.at),
            "ma_ketqua": step.code,
            "mota_ketqua": step.text,
            "isFail": step.failed,
        }
        for step in case.steps
    }
    return {
        **steps,
        "messId": case.sending_key,
        "trangThai": _WORDS[case.outcome],
        "soHoSo": case.dossier_number or None,
        "thoiGianGui": _moment(case.received_at),
        "daKichHoat": case.activated,
    }


def histories(cases: Iterable[Case]) -> list[dict[str, Any]]:
    """Answer the history, newest first; month and year as floats."""
    return [
        {
            "messId": case.sending_key,
            "toKhai": _KINDS[case.action],
            "thoiGianGui": _moment(case.received_at),
            "trangThaiTK": _WORDS[case.outcome],
            "soHoSo": case.dossier_number or None,
            "tiepNhan": None,
            "nam": float(case.received_at.year),
            "thang": float(case.received_at.month),
            **{f"kqBuoc{step.number}": step.text if step.at else None for step in case.steps},
            **{f"trangThaiBuoc{step.number}": step.code or None for step in case.steps},
        }
        for case in reversed(tuple(cases))
    ]


def registration_info(cases: Sequence[Case]) -> object:
    """Answer who is registered: one record, or a list of them where the account has several units."""
    records = [_record(number, case) for number, case in enumerate(cases, start=1)]
    return records[0] if len(records) == 1 else records


def _record(number: int, case: Case) -> dict[str, Any]:
    form = case.form
    return {
        "idCongTy": float(number),
        "tenCongTy": form.organisation.name,
        "maSoThue": case.tax_code,
        "maDonVi": case.unit_code,
        "maCQQL": str(form.agency.code),
        "tenCQQL": form.agency.name or None,
        "email": case.email,
        "dienThoai": str(form.contact.mobile),
        "soSerialCTS": None,
        "userId": case.user_name,
    }


def credentials(user_id: str, keys: Iterable[str]) -> list[dict[str, Any]]:
    """Answer the remote certificates of a user; `cerdentialID` is spelled so."""
    return [
        {
            "stt": float(number),
            "serialNumber": f"5401{number:012d}",
            "name": "CHỨNG THƯ SỐ TỪ XA VÍ DỤ",
            "validFrom": "01/01/2026",
            "validTo": "01/01/2029",
            "cerdentialID": key,
            "userId": user_id,
        }
        for number, key in enumerate(keys, start=1)
    ]


def stored_facts(members: Mapping[str, Any], action: Action, ivan: Ivan, today: date) -> Registration:
    """Read the record that comes with a registration, change or stop that the service signs."""
    get = _getter(members)
    return Registration(
        agency=Agency(code=AgencyCode(get("maCQQL")), name=get("tenCQQL")),
        organisation=Organisation(
            name=get("tenCongTy"), tax_code=TaxCode(get("maSoThue")), unit_code=get("maDonVi")
        ),
        contact=Contact(
            name=get("tenCongTy"), mobile=MobileNumber(get("dienThoai")), email=EmailAddress(get("email"))
        ),
        transact_at=ivan,
        action=action,
        stop=Stop(from_date=today, reason=StopReason.OTHER) if action is Action.STOP else None,
        made_on=today,
        starts_on=today,
    )


def first_facts(
    members: Mapping[str, Any], files: Sequence[tuple[str, bytes]], ivan: Ivan, today: date
) -> Registration:
    """Read the form of an employer that has no unit code yet."""
    get = _getter(members)
    return Registration(
        agency=Agency(code=AgencyCode(get("CoQuanBHXHQuanLy"))),
        organisation=Organisation(
            name=get("TenDonVi"),
            tax_code=TaxCode(get("MaSoThue")),
            address=get("DiaChiDangKyKinhDoanh"),
            phone=get("DienThoai"),
        ),
        contact=Contact(
            name=get("NguoiGiaoDich"),
            address=get("DiaChi"),
            mobile=MobileNumber(get("DienThoaiLienHe")),
            email=EmailAddress(get("Email")),
        ),
        transact_at=ivan,
        made_on=today,
        starts_on=today,
        attachments=tuple(Attachment(file_name=name, content=content) for name, content in files),
    )


def _getter(members: Mapping[str, Any]) -> Callable[[str], str]:
    return lambda name: as_text(members.get(name))
