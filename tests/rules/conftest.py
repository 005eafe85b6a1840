"""A form and a certificate without a mistake, to be spoilt."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from attrs import evolve

from bhxh_sdk import catalogue, models
from bhxh_sdk.rules import check

TODAY = date(2026, 11, 1)


@pytest.fixture
def form():
    return models.Registration(
        agency=catalogue.agency("07906"),
        organisation=models.Organisation(
            name="CÔNG TY TNHH VÍ DỤ", unit_code="TZ0001Z", tax_code="0100109106", address="Số 1 phố Ví Dụ"
        ),
        contact=models.Contact(
            name="Nguyễn An", address="Số 1 phố Ví Dụ", mobile="0912345678", email="hr@example.com"
        ),
    )


@pytest.fixture
def certificate():
    return models.CertificateInfo(
        subject="CN=CÔNG TY TNHH VÍ DỤ, UID=MST:0100109106",
        issuer="CN=Example CA",
        common_name="CÔNG TY TNHH VÍ DỤ",
        issuer_name="Example CA",
        serial=1,
        not_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_after=datetime(2028, 1, 1, tzinfo=UTC),
        tax_codes=(models.TaxCode("0100109106"),),
    )


@pytest.fixture
def spoilt(form):
    """Change members of the form, or of one of its parts: `spoilt(contact={"email": ""})`."""

    def change(**changes):
        parts = {
            name: evolve(getattr(form, name), **value) if isinstance(value, dict) else value
            for name, value in changes.items()
        }
        return evolve(form, **parts)

    return change


@pytest.fixture
def findings(spoilt):
    """Codes and fields of what is found in a spoilt form on a fixed day."""

    def find(*, on=TODAY, confirmed=None, lists=None, **changes):
        report = check(spoilt(**changes), on=on, confirmed=confirmed, catalogue=lists)
        return [(finding.code, finding.field) for finding in report]

    return find
