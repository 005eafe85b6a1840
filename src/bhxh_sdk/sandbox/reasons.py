"""Why the sandbox's agency says no: one code and one Vietnamese text per reason.

Four-digit codes are those seen in I-VAN applications, `06` is an I-VAN's code for an invalid tax code. Every
code that starts with `SBX-` is the sandbox's own: no source shows the agency's refusal codes.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["Reason", "Refusal"]


class Reason(Enum):
    """A reason to refuse; the value is the code that travels."""

    TAX_CODE_EXISTS = "3017"
    EMAIL_EXISTS = "3018"
    ALREADY_REGISTERED = "3020"
    NOT_REGISTERED = "3021"
    TAX_CODE_INVALID = "06"
    DOCUMENT_UNREADABLE = "SBX-101"
    WRONG_ACTION = "SBX-102"
    SIGNATURE_MISSING = "SBX-111"
    SIGNATURE_INVALID = "SBX-112"
    CERTIFICATE_EXPIRED = "SBX-121"
    CERTIFICATE_NOT_YET_VALID = "SBX-122"
    CERTIFICATE_REVOKED = "SBX-123"
    CERTIFICATE_UNTRUSTED = "SBX-124"
    CERTIFICATE_OF_ANOTHER = "SBX-125"
    CERTIFICATE_NOT_FOR_SIGNING = "SBX-126"
    UNIT_UNKNOWN = "SBX-131"
    UNIT_OF_ANOTHER_AGENCY = "SBX-132"
    TAX_CODE_OF_ANOTHER = "SBX-133"
    NAME_DIFFERS = "SBX-134"
    EMAIL_UNUSABLE = "SBX-135"
    ATTACHMENT_MISSING = "SBX-136"
    DECIDED_BY_HAND = "SBX-139"
    CODE_WRONG = "SBX-201"
    CODE_EXPIRED = "SBX-202"
    CODE_REVOKED = "SBX-203"
    ALREADY_ACTIVATED = "SBX-204"
    TOO_MANY_TRIES = "SBX-205"
    CASE_UNKNOWN = "SBX-206"
    NOTHING_TO_ACTIVATE = "SBX-207"
    LOG_IN_REFUSED = "SBX-301"
    CREDENTIAL_UNKNOWN = "SBX-402"
    SIGNATURE_DECLINED = "SBX-401"
    SIGNATURE_NOT_CONFIRMED = "58061"
    PASSWORD_WEAK = "SBX-302"
    ACCOUNT_UNKNOWN = "SBX-303"

    @property
    def text(self) -> str:
        """The reason in Vietnamese, as the sandbox's answers and mails print it."""
        return _TEXTS[self]


_TEXTS = {
    Reason.TAX_CODE_EXISTS: "Mã số thuế đã được đăng ký",
    Reason.EMAIL_EXISTS: "Email đã được đăng ký cho đơn vị khác",
    Reason.ALREADY_REGISTERED: "Mã đơn vị đã đăng ký giao dịch điện tử",
    Reason.NOT_REGISTERED: "Mã đơn vị chưa đăng ký giao dịch điện tử, cần đăng ký trước",
    Reason.TAX_CODE_INVALID: "Mã số thuế không hợp lệ",
    Reason.DOCUMENT_UNREADABLE: "Không đọc được hồ sơ",
    Reason.WRONG_ACTION: "Nội dung tờ khai không khớp với thủ tục đã chọn",
    Reason.SIGNATURE_MISSING: "Hồ sơ chưa được ký số",
    Reason.SIGNATURE_INVALID: "Chữ ký số không hợp lệ",
    Reason.CERTIFICATE_EXPIRED: "Chứng thư số đã hết hạn",
    Reason.CERTIFICATE_NOT_YET_VALID: "Chứng thư số chưa có hiệu lực",
    Reason.CERTIFICATE_REVOKED: "Chứng thư số đã bị thu hồi",
    Reason.CERTIFICATE_UNTRUSTED: "Tổ chức cấp chứng thư số không được công nhận",
    Reason.CERTIFICATE_OF_ANOTHER: "Mã số thuế trên chứng thư số không khớp với mã số thuế của đơn vị",
    Reason.CERTIFICATE_NOT_FOR_SIGNING: "Chứng thư số không dùng để ký",
    Reason.UNIT_UNKNOWN: "Không tìm thấy mã đơn vị",
    Reason.UNIT_OF_ANOTHER_AGENCY: "Mã đơn vị không thuộc cơ quan BHXH đã chọn",
    Reason.TAX_CODE_OF_ANOTHER: "Mã số thuế không khớp với mã đơn vị",
    Reason.NAME_DIFFERS: "Tên đơn vị không khớp với dữ liệu của cơ quan BHXH",
    Reason.EMAIL_UNUSABLE: "Địa chỉ email không sử dụng được",
    Reason.ATTACHMENT_MISSING: "Thiếu tài liệu đính kèm (giấy phép kinh doanh)",
    Reason.DECIDED_BY_HAND: "Cán bộ từ chối hồ sơ",
    Reason.CODE_WRONG: "Mã kích hoạt không đúng",
    Reason.CODE_EXPIRED: "Mã kích hoạt đã hết hạn",
    Reason.CODE_REVOKED: "Mã kích hoạt đã bị thay thế bằng mã mới hơn",
    Reason.ALREADY_ACTIVATED: "Tài khoản đã được kích hoạt",
    Reason.TOO_MANY_TRIES: "Nhập sai mã kích hoạt quá số lần cho phép",
    Reason.CASE_UNKNOWN: "Không tìm thấy hồ sơ",
    Reason.NOTHING_TO_ACTIVATE: "Hồ sơ không có bước kích hoạt",
    Reason.LOG_IN_REFUSED: "Tên đăng nhập hoặc mật khẩu không đúng",
    Reason.CREDENTIAL_UNKNOWN: "Không tìm thấy chứng thư số từ xa",
    Reason.SIGNATURE_DECLINED: "Người dùng từ chối ký số trên điện thoại",
    Reason.SIGNATURE_NOT_CONFIRMED: "Chưa xác nhận ký số trên điện thoại, vui lòng ký lại",
    Reason.PASSWORD_WEAK: "Mật khẩu mới quá ngắn hoặc trùng mật khẩu cũ",
    Reason.ACCOUNT_UNKNOWN: "Không tìm thấy tài khoản của đơn vị",
}


class Refusal(Exception):  # noqa: N818  # it is the agency's answer, not a fault of the program
    """The agency said no.

    Args:
        reason: why.
        detail: what to add to the reason's text.

    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        self.reason = reason
        self.code = reason.value
        self.text = f"{reason.text}: {detail}" if detail else reason.text
        super().__init__(f"{self.code} {self.text}")
