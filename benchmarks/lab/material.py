"""Keys and documents to measure with; everything in them is invented."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from attrs import evolve
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

import bhxh_sdk as bhxh
from benchmarks.peers import SigningKey
from bhxh_sdk import xml
from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.sandbox.pki import SandboxPki
from bhxh_sdk.xml.rows import row_batches
from bhxh_sdk.xml.writer import DECLARATION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

__all__ = [
    "FORM_AT",
    "HASHED",
    "MOMENT",
    "NOW",
    "PADDING",
    "ROWS",
    "Key",
    "bench_forms",
    "foreign_rows",
    "records",
    "rows",
    "workplace",
]

NOW = datetime.now(UTC).replace(microsecond=0)
MOMENT = f"{NOW:%Y-%m-%dT%H:%M:%SZ}"
FORM_AT = "Hoso/CKy_Dvi"
PADDING = PKCS1v15()
HASHED = Prehashed(SHA256())
_PASSWORD = "example"  # noqa: S105  # of a key that is made for this run
_RECORDS = 997

_COLUMNS = (
    "HoTen MaSoBHXH NgaySinh GioiTinh SoCCCD NoiCap QuocTich DanToc DiaChi DienThoai ChucDanh NoiLamViec "
    "MucLuong HeSo PhuCapCV PhuCapTN PhuCapKhac TuThang DenThang TyLe NoiKCB MaVung MucHuong PhuongAn GhiChu"
)
ROWS = xml.RowLayout(
    root="D02-TS",
    head=[("NoiDung/TenDonVi", "CÔNG TY TNHH VÍ DỤ")],
    rows="NoiDung/DanhSach",
    row="LaoDong",
    columns=_COLUMNS.split(),
    signature="D02-TS/Cky",
)
"""A list of people with 25 columns, a kilobyte a row."""


class Key:
    """A key that signs, kept in a folder so that other processes have it too.

    Args:
        folder: where `made` put it.

    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def made(cls, folder: Path) -> Key:
        """Make a key and its certificate."""
        issued = evolve(SandboxPki(NOW).issue(), chain=())
        (folder / "key.p12").write_bytes(issued.p12(_PASSWORD, legacy=True))
        (folder / "key.pem").write_bytes(issued.key_pem())
        (folder / "certificate.der").write_bytes(issued.der)
        return cls(folder)

    @cached_property
    def private(self) -> RSAPrivateKey:
        """The private key."""
        return load_pem_private_key((self.folder / "key.pem").read_bytes(), None)

    @cached_property
    def certificate(self) -> CertificateInfo:
        """The certificate."""
        return CertificateInfo.from_der((self.folder / "certificate.der").read_bytes())

    @cached_property
    def for_peers(self) -> SigningKey:
        """The same, as peers take it."""
        return SigningKey(
            pkcs12=self.folder / "key.p12",
            password=_PASSWORD,
            key_pem=(self.folder / "key.pem").read_bytes(),
            certificate=self.certificate.der,
            subject=self.certificate.subject,
        )

    def value(self, digest: bytes) -> bytes:
        """Make a signature value: the bare RSA operation."""
        return self.private.sign(digest, PADDING, HASHED)

    def signed(self, content: bytes, at: str) -> bytes:
        """Sign a finished document, with ours."""
        prepared = xml.prepare(content, self.certificate, at=at, signing_time=NOW)
        return xml.complete(prepared, self.value(prepared.digest))


@contextmanager
def workplace() -> Iterator[Key]:
    """Give a key in a folder that is there for the time of a benchmark."""
    with TemporaryDirectory(prefix="bhxh-bench-") as folder:
        yield Key.made(Path(folder))


def bench_forms(count: int) -> list[bhxh.Registration]:
    """Make registrations whose unsigned documents have about 2 KB, each with other texts."""
    return [_form(number) for number in range(count)]


def _form(number: int) -> bhxh.Registration:
    place = f"Lô {number}, đường số {number + 2}, khu công nghiệp Ví Dụ mở rộng, phường Ví Dụ Đông"
    form = bhxh.Registration(
        agency=bhxh.catalogue.agency("07906"),
        organisation=bhxh.Organisation(
            name=(
                "CÔNG TY TRÁCH NHIỆM HỮU HẠN MỘT THÀNH VIÊN SẢN XUẤT, THƯƠNG MẠI, DỊCH VỤ VÀ XUẤT NHẬP KHẨU "
                f"THIẾT BỊ ĐIỆN TỬ VIỄN THÔNG VÍ DỤ SỐ {number} (CHI NHÁNH MIỀN ĐÔNG NAM BỘ)"
            ),
            unit_code="TZ0001Z",
            tax_code="0100109106",
            address=f"Tầng {number % 40 + 1}, tòa nhà Ví Dụ Trung Tâm, {place}, tỉnh Ví Dụ Bình Minh",
        ),
        contact=bhxh.Contact(
            name="Nguyễn Hoàng Phương Thảo Ví Dụ",
            address=f"Phòng Nhân sự, nhà điều hành số {number % 9 + 1}, {place}; {_DIRECTIONS}",
            mobile="0912345678",
            email="phong.nhan.su@example.com",
        ),
        transact_at=bhxh.Portal(),
        use_certificate=True,
    )
    return form.dated(date(2026, 1, 2))


_DIRECTIONS = (
    "liên hệ trong giờ làm việc từ thứ hai đến thứ sáu, sáng từ 8 giờ đến 11 giờ 30 phút, chiều từ 13 "
    "giờ đến 17 giờ, gọi điện thoại trước khi đến nhận kết quả tại bộ phận một cửa của đơn vị; ngoài "
    "giờ làm việc xin gửi thư điện tử, đơn vị trả lời trong vòng hai ngày làm việc kể từ ngày nhận được "
    "thư; hồ sơ giấy gửi qua bưu điện xin ghi rõ tên người nhận, số điện thoại và mã số bảo hiểm xã hội "
    "của đơn vị, kèm bản sao giấy chứng nhận đăng ký doanh nghiệp do Sở Ví Dụ cấp lần đầu năm 2020, bản "
    "chính để đối chiếu"
)


def records(count: int) -> Iterator[tuple[str, ...]]:
    """Give the texts of so many rows; they repeat after 997, so that giving them costs nothing."""
    return islice(cycle([_record(number) for number in range(min(count, _RECORDS))]), count)


def _record(number: int) -> tuple[str, ...]:
    return (
        f"Nguyễn Thị Hoàng Ví Dụ {number}",
        f"{number:010}",
        f"{number % 28 + 1:02}/{number % 12 + 1:02}/19{number % 40 + 60}",
        "Nữ" if number % 2 else "Nam",
        f"0010{number:08}",
        "Cục Cảnh sát quản lý hành chính Ví Dụ",
        "VN",
        "Kinh",
        f"Số {number}, đường Ví Dụ, phường Ví Dụ Tây, thành phố Ví Dụ, tỉnh Ví Dụ",
        f"09{number:08}",
        "Nhân viên kỹ thuật bậc 3/7",
        "Phân xưởng lắp ráp số 2, khu B",
        f"{5_000_000 + number * 1000}",
        f"{number % 7}.{number % 100:02}",
        "0",
        "5",
        "250000",
        "01/2026",
        "",
        "32",
        "Bệnh viện đa khoa khu vực Ví Dụ, cơ sở 2",
        f"{number % 4 + 1}",
        "80",
        "TM",
        "Tăng mới, hợp đồng lao động không xác định thời hạn ký ngày 02/01/2026, số HĐ-01",
    )


def rows(count: int) -> bytes:
    """Build a list of people, not signed, as ours writes it."""
    people = b"".join(row_batches(ROWS, records(count)))
    return DECLARATION + ROWS.body.replace(ROWS.mark, people)


def foreign_rows(count: int) -> bytes:
    """Build a list of people as another program may: indented, with attributes, empty elements in short."""
    people = []
    for number, record in enumerate(records(count)):
        columns = (
            f"      <{name}>{text}</{name}>\n" if text else f"      <{name} />\n"
            for name, text in zip(ROWS.columns, record, strict=True)
        )
        people.append(f'    <LaoDong stt="{number}">\n{"".join(columns)}    </LaoDong>\n')
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<D02-TS>\n  <NoiDung>\n'
        f"{''.join(people)}  </NoiDung>\n  <Cky></Cky>\n</D02-TS>"
    ).encode()
