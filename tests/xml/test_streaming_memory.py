"""A large document is written without being held: measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is counted otherwise")

START = """
import resource, sys
from datetime import UTC, date, datetime
from pathlib import Path
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from bhxh_sdk import xml
from bhxh_sdk.models import DossierEnvelope, Ivan
from bhxh_sdk.sandbox.pki import SandboxPki

NOW = datetime(2026, 1, 2, tzinfo=UTC)
signer = SandboxPki(NOW).issue()

def signed(stream, *what):
    with xml.signed_file(Path("out.xml")) as target:
        prepared = stream(*what, target, certificate=signer.info, signing_time=NOW)
        value = signer.key.sign(prepared.signed_info, padding.PKCS1v15(), hashes.SHA256())
        xml.complete_stream(prepared, value, target)

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

"""
ATTACHMENT = """
envelope = DossierEnvelope(
    ivan=Ivan("00099", "X"), organisation_name="A", tax_code="0100109106", agency_code="07906",
    procedure_code="600", period=date(2026, 1, 1), made_on=date(2026, 1, 2),
)
def run(size):
    path = Path("file.pdf")
    with path.open("wb") as file:
        file.truncate(size)
    signed(xml.stream_envelope, envelope, [xml.FileSource.from_path(path)])
small, large = 1_000_000, 37_500_000
"""
ROWS = """
COLUMNS = [f"Cot{number:02}" for number in range(25)]
layout = xml.RowLayout(root="D02-TS", rows="DanhSach", row="Dong", columns=COLUMNS, signature="D02-TS/Cky")
def run(count):
    rows = ([f"{number} Nguyễn Văn Mẫu"] * 25 for number in range(count))
    signed(xml.stream_rows, layout, rows)
small, large = 1000, 50_000
"""
END = """
run(small)
before = peak()
run(large)
print(peak() - before)
"""


@pytest.mark.parametrize("work", [ATTACHMENT, ROWS], ids=["attachment", "rows"])
def test_a_document_of_fifty_megabytes_takes_less_than_eight(work, tmp_path):
    child = subprocess.run(
        [sys.executable, "-c", START + work + END], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert (tmp_path / "out.xml").stat().st_size > 50_000_000
    assert int(child.stdout) < 8 * 1024
