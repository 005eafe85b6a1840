"""A form with twelve different mistakes: one check names all twelve."""

from datetime import date

from bhxh_sdk import models
from bhxh_sdk.rules import check

TWELVE = (
    ("agency.code_missing", "agency.code"),
    ("organisation.name_missing", "organisation.name"),
    ("unit_code.shape", "organisation.unit_code"),
    ("tax_code.malformed", "organisation.tax_code"),
    ("contact.name_missing", "contact.name"),
    ("contact.address_missing", "contact.address"),
    ("mobile.malformed", "contact.mobile"),
    ("email.malformed", "contact.email"),
    ("ivan.code_malformed", "transact_at.code"),
    ("confirmation.missing", "confirmed"),
    ("made_on.in_future", "made_on"),
    ("attachment.path_in_name", "attachments[0].file_name"),
)

FORM = models.Registration(
    agency=models.Agency(code=""),
    organisation=models.Organisation(name="", unit_code="12345", tax_code="123", address="Số 1 phố Ví Dụ"),
    contact=models.Contact(name="", address="", mobile="12", email="hr@"),
    transact_at=models.Ivan("40"),
    made_on=date(2026, 12, 1),
    attachments=(models.Attachment(file_name="../licence.pdf", content=b"%PDF"),),
)


def test_all_twelve_are_named_at_once_with_texts_and_hints_in_both_languages():
    report = check(FORM, on=date(2026, 11, 1), confirmed=False)
    assert tuple((finding.code, finding.field) for finding in report) == TWELVE
    for finding in report:
        texts = {finding.message("vi"), finding.message("en"), finding.hint("vi"), finding.hint("en")}
        assert len(texts) == 4
        assert "" not in texts
        assert finding.code not in texts
        assert finding.source
    assert not report.ok
    assert len(report.as_dict("vi")["findings"]) == 12
