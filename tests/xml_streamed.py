"""What the tests of streaming share: a layout, a way to sign a stream, and documents built in memory."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from bhxh_sdk import xml
from bhxh_sdk.xml.writer import DECLARATION, escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NOON = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LAYOUT = xml.RowLayout(
    root="D02-TS",
    namespaces={"xsi": "http://www.w3.org/2001/XMLSchema-instance", "pro": "urn:example:pro"},
    head=[("NoiDung/TenDonVi", "CÔNG TY <VÍ DỤ>"), ("NoiDung/DanhSach/Ngay", "02/01/2026")],
    rows="NoiDung/DanhSach",
    row="Dong",
    columns=("HoTen", "MaSo", "Luong"),
    tail=[("NoiDung/DanhSach/Tong", "2"), ("GhiChu", "")],
    signature="D02-TS/Cky",
)


def value_of(key, prepared) -> bytes:
    return key.sign(prepared.signed_info, padding.PKCS1v15(), hashes.SHA256())


def signed(key, stream: Callable[..., xml.PreparedStream], *arguments: object, **options: object) -> bytes:
    """Stream a document into memory and sign it."""
    target = BytesIO()
    prepared = stream(*arguments, target, signing_time=NOON, **options)
    xml.complete_stream(prepared, value_of(key, prepared), target)
    return target.getvalue()


def in_memory(rows: Sequence[Sequence[str]]) -> bytes:
    """Write `LAYOUT` with rows the plain way."""
    listed = "".join(
        "<Dong>"
        + "".join(f"<{name}>{escaped(text)}</{name}>" for name, text in zip(LAYOUT.columns, row, strict=True))
        + "</Dong>"
        for row in rows
    )
    return (
        DECLARATION
        + (
            '<D02-TS xmlns:pro="urn:example:pro" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><NoiDung>'
            "<TenDonVi>CÔNG TY &lt;VÍ DỤ&gt;</TenDonVi>"
            f"<DanhSach><Ngay>02/01/2026</Ngay>{listed}<Tong>2</Tong></DanhSach></NoiDung>"
            "<GhiChu></GhiChu><Cky></Cky></D02-TS>"
        ).encode()
    )


def signed_in_memory(key, content: bytes, certificate, at: str, profile: str = "field") -> bytes:
    prepared = xml.prepare(content, certificate, at=at, signing_time=NOON, profile=profile)
    return xml.complete(prepared, value_of(key, prepared))
