"""What the sandbox's portal answers, as irregular as the real one: floats as ids, JSON in strings, nulls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bhxh_sdk.models import Outcome
from bhxh_sdk.transport.reading import VIETNAM

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bhxh_sdk.sandbox.case import Case

__all__ = ["filings", "notices", "numbered", "progress", "receipt", "token", "trace", "written_files"]

_WORDS = {Outcome.PROCESSING: "Đang xử lý", Outcome.ACCEPTED: "Thành công", Outcome.REFUSED: "Thất bại"}
_PROCEDURE = "Đăng ký, điều chỉnh, ngừng sử dụng phương thức giao dịch điện tử"


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M:%S")


def receipt(case: Case) -> dict[str, Any]:
    """Answer a filing: the dossier number is never there at once."""
    return {
        "maGiaoDich": case.sending_key,
        "soHoSo": None,
        "ngayTiepNhan": _moment(case.received_at),
        "moTa": "Đã tiếp nhận hồ sơ",
        "guiMaKichHoat": case.activation_by_mail,
    }


def progress(case: Case) -> dict[str, Any]:
    """Answer a question after a filing."""
    return {
        "maGiaoDich": case.sending_key,
        "SoHoSo": case.dossier_number or None,
        "trangThai": _WORDS[case.outcome],
        "daKichHoat": case.activated,
        "quaTrinh": [
            {
                "buoc": float(step.number),
                "ngayKetQua": _moment(step.at),
                "maKetQua": step.code or None,
                "moTaKetQua": step.text,
                "isFail": step.failed,
            }
            for step in case.steps
        ],
    }


def token(user_name: str, value: str, ends: datetime, cases: Sequence[Case]) -> dict[str, Any]:
    """Answer a log-in: the units are a JSON list inside a string."""
    units = [
        {
            "Id": float(1000 + number),
            "Ten": case.form.organisation.name,
            "Diachi": case.form.organisation.address,
            "Mst": case.tax_code,
            "Ma": case.unit_code,
            "MaCoquan": str(case.form.agency.code),
            "LoaiDoiTuong": "1",
            "Email": case.email,
        }
        for number, case in enumerate(cases)
    ]
    return {
        "access_token": value,
        "token_type": "bearer",
        "userName": user_name,
        "as:client_id": "sandbox",
        "as:is_public": "false",
        "vnconnect": "0",
        "status": "1",
        ".expires": int(ends.timestamp() * 1000),
        "tstUser": json.dumps({"userName": user_name}),
        "dsDonVi": json.dumps(units, ensure_ascii=False),
    }


def filings(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Return the rows of dispatch 085 for filings: status 2 is numbered, 4 is not."""
    return [
        {
            "id": float(number),
            "maGiaoDich": case.sending_key,
            "status": 2.0 if case.dossier_number else 4.0,
            "maCoQuan": str(case.form.agency.code),
            "tenThuTuc": _PROCEDURE,
            "soHoSo": case.dossier_number or None,
            "ngayGui": _moment(case.received_at),
        }
        for number, case in enumerate(cases, start=1)
    ]


def numbered(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give each row of dispatch 085 its place and the count of them all, as the portal repeats them."""
    total = float(len(rows))
    return [
        {**row, "rowNumber": float(number), "totalRecords": total} for number, row in enumerate(rows, start=1)
    ]


def notices(case: Case) -> list[dict[str, Any]]:
    """Answer dispatch 176: one notice per step that has ended."""
    return [
        {
            "id": float(step.number),
            "soThongBao": f"{step.number:02d}/TB-SANDBOX",
            "tenThongBao": "Thông báo về hồ sơ giao dịch điện tử",
            "ngayThongBao": _moment(step.at),
            "noiDung": step.text,
        }
        for step in case.steps
        if step.at is not None
    ]


def trace(case: Case) -> dict[str, Any]:
    """Answer dispatch 019."""
    acts = [
        {
            "Buoc": f"{step.number}.0",
            "Tenphongban": "Phòng tiếp nhận (sandbox)",
            "Tinhtrang": step.text,
            "Lichsuquitrinhxulys": [{"Hanhdong": step.text, "Thoigianxuly": _moment(step.at)}],
        }
        for step in case.steps
        if step.at is not None
    ]
    return {"Quatrinh": acts, "info": {"Tthoso": {"Sohoso": case.dossier_number, "Tenthutuc": _PROCEDURE}}}


def written_files(case: Case) -> dict[str, Any]:
    """Answer dispatch 564: where the portal keeps the signed file."""
    path = f"MINIO#2#:sandbox/{case.document_sha256}_DK-GDDT.xml"
    return {"ThongTinGiayTo": [{"MaGiayTo": "DK-GDDT", "TenGiayTo": _PROCEDURE, "DuongDan": path}]}
