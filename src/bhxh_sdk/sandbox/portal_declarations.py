"""The portal's calls around ordinary declarations: procedures, their forms, drafts, the unit's own facts.

Member names and shapes are those that were seen, odd as they are; the procedures and forms are invented, and
so is what a note below says that no source shows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from bhxh_sdk import catalogue
from bhxh_sdk.errors import BhxhError
from bhxh_sdk.transport.reading import VIETNAM, as_object, as_text, member

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from bhxh_sdk.ports import Clock

__all__ = ["PROCEDURES", "Draft", "PortalDeclarations", "Procedure", "page_of"]

_PERIOD = re.compile(r"(0[1-9]|1[0-2])[0-9]{4}")
_PROFILE = (
    "Id",
    "Masothue",
    "Madonvi",
    "Sotaikhoan",
    "Manganhang",
    "Matinhnganhang",
    "Ngaynghituan",
    "Sodienthoai",
    "Thutruongdonvi",
)
_FIRST_ID = 500
_USUAL_PAGE = 20


@frozen(kw_only=True)
class Procedure:
    """An invented procedure.

    Args:
        code: its code.
        name: its name.
        forms: code and name of each form; the first is required.

    """

    code: str
    name: str
    forms: tuple[tuple[str, str], ...]


PROCEDURES = (
    Procedure(
        code="SBX01",
        name="Báo tăng lao động (thủ tục ví dụ)",
        forms=(("SBX01-DS", "Danh sách lao động (ví dụ)"), ("SBX01-TK", "Tờ khai cá nhân (ví dụ)")),
    ),
    Procedure(
        code="SBX02",
        name="Báo giảm lao động (thủ tục ví dụ)",
        forms=(("SBX02-DS", "Danh sách lao động (ví dụ)"),),
    ),
    Procedure(
        code="SBX03",
        name="Điều chỉnh thông tin đơn vị (thủ tục ví dụ)",
        forms=(("SBX03-TK", "Tờ khai đơn vị (ví dụ)"), ("SBX03-BK", "Bảng kê (ví dụ)")),
    ),
)
"""What the sandbox's portal takes declarations for."""


@frozen(kw_only=True)
class Draft:
    """A declaration that a unit has saved, and that nobody has sent.

    Args:
        id: the portal's number for it.
        owner: user name and unit code.
        procedure: what it is for.
        period: month and year, `MMYYYY`.
        batch: its number within unit, procedure and period.
        agency_code: the agency that it is for.
        saved_at: when it was saved.
        content: what was saved, as received.

    """

    id: int
    owner: tuple[str, str]
    procedure: Procedure
    period: str
    batch: int
    agency_code: str
    saved_at: datetime
    content: Mapping[str, Any] = field(repr=False)

    @property
    def row(self) -> dict[str, Any]:
        """Its row in the history (dispatch 085): status 4, and neither number nor day of sending."""
        return {
            "id": float(self.id),
            "ngayTao": self.saved_at.astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M:%S"),
            "status": 4.0,
            "maCoQuan": self.agency_code,
            "tenCoQuan": _agency(self.agency_code)[0],
            "maThuTuc": self.procedure.code,
            "tenThuTuc": self.procedure.name,
            "kyKeKhai": self.period,
            "dot": float(self.batch),
            "soHoSo": None,
            "ngayGui": None,
        }


class PortalDeclarations:
    """Answer the dispatch calls around ordinary declarations.

    Args:
        clock: tells when a draft was saved.

    Attributes:
        calls: dispatch code -> what answers it; it is given user name, unit code (empty when it is not the
            user's) and the members of `data`.
        imports: what `/callApiSendFile` has taken: code, file name and content.

    """

    def __init__(self, clock: Clock) -> None:
        self.calls: Mapping[str, Callable[[str, str, dict[str, Any]], object]] = {
            "028": self._procedures,
            "048": self._wards,
            "062": self._forms,
            "084": self._save,
            "092": self._next_batch,
            "105": self._names,
            "108": self._profile,
        }
        self.imports: list[tuple[str, str, bytes]] = []
        self._clock = clock
        self._drafts: list[Draft] = []

    def drafts(self, user_name: str, unit_code: str) -> tuple[Draft, ...]:
        """Return what a user has saved for a unit."""
        return tuple(draft for draft in self._drafts if draft.owner == (user_name, unit_code))

    def take_file(self, code: str, name: str, content: bytes) -> dict[str, Any]:
        """Take an uploaded workbook (`/callApiSendFile`). No source shows the answer."""
        self.imports.append((code, name, content))
        text = f"Đã nhận tệp {name}"
        return {"status": "success", "msg": text, "data": {"soByte": float(len(content))}}

    def _procedures(self, _: str, __: str, data: dict[str, Any]) -> object:
        wanted = as_text(member(data, "mathutuc"))
        rows = [
            {
                "id": float(number),
                "ten": one.name,
                "ma": one.code,
                "sudung": 1.0,
                "dmloaihosoid": None,
                "tenlinhvuc": "Thu BHXH, BHYT (ví dụ)",
            }
            for number, one in enumerate(PROCEDURES, start=1)
            if wanted in {"", one.code}
        ]
        return {
            "dsDmthutuc": page_of(rows, data, "pagesize", "pagenum") or None,
            "totalRecords": float(len(rows)),
        }

    def _forms(self, _: str, __: str, data: dict[str, Any]) -> object:
        procedure = _procedure(as_text(member(data, "maQuyTrinh")))
        if procedure is None:
            return []
        agency_id = _agency(as_text(member(data, "maCoQuan")))[1]
        return [
            {
                "dmquitrinhid": float(PROCEDURES.index(procedure) + 1),
                "tentokhai": name,
                "matokhai": code,
                "dmcoquantochucid": agency_id,
                "isbatbuoc": 1.0 if place == 1 else 0.0,
                "dmtokhaiid": float(100 + place),
                "soluong": 1.0,
                "stt": float(place),
                "loaitokhai": None,
                "maKhoQG": None,
            }
            for place, (code, name) in enumerate(procedure.forms, start=1)
        ]

    def _next_batch(self, user_name: str, unit_code: str, data: dict[str, Any]) -> object:
        code, period = (as_text(member(data, name)) for name in ("maThuTuc", "kyKeKhai"))
        return {"dot": float(self._batch((user_name, unit_code), code, period))}

    def _batch(self, owner: tuple[str, str], code: str, period: str) -> int:
        mine = self.drafts(*owner)
        return 1 + sum(draft.procedure.code == code and draft.period == period for draft in mine)

    def _save(self, user_name: str, unit_code: str, data: dict[str, Any]) -> object:
        head = as_object(member(data, "thuTuc"))
        procedure, period = _procedure(as_text(member(head, "maThuTuc"))), as_text(member(head, "kyKeKhai"))
        if as_text(member(head, "maDonVi")) not in {"", unit_code}:
            unit_code = ""
        errors = _errors(unit_code, procedure, period, data)
        if procedure is None or errors:
            text = "Không lưu được tờ khai"
            return {"success": False, "message": text, "thuTucId": None, "errors": errors}
        owner = (user_name, unit_code)
        draft = Draft(
            id=_FIRST_ID + len(self._drafts),
            owner=owner,
            procedure=procedure,
            period=period,
            batch=self._batch(owner, procedure.code, period),
            agency_code=as_text(member(head, "maCoQuan")),
            saved_at=self._clock.now(),
            content=data,
        )
        self._drafts.append(draft)
        text = "Lưu tờ khai thành công"
        return {"success": True, "message": text, "thuTucId": float(draft.id), "errors": None}

    def _names(self, _: str, __: str, data: dict[str, Any]) -> object:
        """Answer 105. Its request is seen; the members of its answer are the sandbox's own."""
        procedure = _procedure(as_text(member(data, "mathutuc")))
        name, _id = _agency(as_text(member(data, "macoquan")))
        return {"tencoquan": name, "tenthutuc": procedure.name if procedure else None}

    def _profile(self, _: str, __: str, ___: dict[str, Any]) -> object:
        """Answer 108: every member was null in the capture."""
        return dict.fromkeys(_PROFILE)

    def _wards(self, _: str, __: str, ___: dict[str, Any]) -> object:
        """Answer 048: a bare list of all wards. The members of a row are those of the anonymous list."""
        today = self._clock.now().date()
        return [
            {"id": None, "ten": one.name, "maxa": one.code, "matinh": province.code}
            for province in catalogue.shipped().provinces(today)
            for one in catalogue.wards(province.code)
        ]


def page_of(rows: list[dict[str, Any]], data: dict[str, Any], size: str, number: str) -> list[dict[str, Any]]:
    """Return one page of rows; what is no number is the usual one.

    Args:
        rows: all rows.
        data: the members of the request.
        size: name of the member that holds the size of a page.
        number: name of the member that holds the page's number, counted from 1.

    """
    length, page = _count(member(data, size), _USUAL_PAGE), _count(member(data, number), 1)
    return rows[length * (page - 1) : length * page]


def _count(value: object, otherwise: int) -> int:
    text = as_text(value)
    return max(int(text), 1) if re.fullmatch("[0-9]{1,9}", text) else otherwise


def _procedure(code: str) -> Procedure | None:
    return next((one for one in PROCEDURES if one.code == code), None)


def _agency(code: str) -> tuple[str | None, float | None]:
    """Return an agency's name and the portal's own number of it, as far as the shipped list knows them."""
    try:
        found = catalogue.agency(code)
    except BhxhError:
        return None, None
    return found.name or None, float(found.internal_id) if found.internal_id else None


def _errors(unit_code: str, procedure: Procedure | None, period: str, data: dict[str, Any]) -> list[str]:
    """Return why a declaration is not saved. That `errors` holds texts is the sandbox's own."""
    errors = [] if unit_code else ["Mã đơn vị không thuộc tài khoản đăng nhập"]
    if not _PERIOD.fullmatch(period):
        errors.append("Kỳ kê khai phải có dạng MMYYYY")
    if procedure is None:
        return [*errors, "Không tìm thấy thủ tục"]
    listed = member(data, "listToKhai")
    codes = [as_text(member(row, "maToKhai")) for row in (listed if isinstance(listed, list) else [])]
    known = [code for code, _ in procedure.forms]
    errors += [f"Tờ khai {code} không thuộc thủ tục" for code in codes if code not in known]
    errors += [f"Thiếu nội dung tờ khai {code}" for code in codes if member(data, code) is None]
    return errors if known[0] in codes else [*errors, f"Thiếu tờ khai bắt buộc {known[0]}"]
