from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from strategies import registrations

from bhxh_sdk import xml
from bhxh_sdk.errors import CertificateUnusableError, DocumentError, InputError, WrongTypeError
from bhxh_sdk.models import CertificateInfo, DossierEnvelope
from bhxh_sdk.xml.fields import write_carefully
from bhxh_sdk.xml.writing import write_body

NOON = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(form=registrations())
def test_a_form_prepared_in_one_go_is_the_document_prepared(certificate, form):
    form = form.dated(date(2026, 1, 2))
    document = xml.build(form, certificate=certificate)
    at = xml.profile(document.profile).signature
    assert xml.prepare_form(form, certificate=certificate, signing_time=NOON) == xml.prepare(
        document.content, certificate, at=at, signing_time=NOON
    )


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(form=registrations())
def test_a_template_writes_what_is_written_field_by_field(form):
    form = form.dated(date(2026, 1, 2))
    profile = xml.profile_for(form)
    assert write_body(profile, form, None) == write_carefully(profile, form, None)


def test_an_envelope_without_files_is_written_from_a_template(envelope):
    empty = DossierEnvelope(
        **{
            **{
                f: getattr(envelope, f)
                for f in (
                    "ivan",
                    "organisation_name",
                    "unit_code",
                    "tax_code",
                    "signer_name",
                    "phone",
                    "agency_code",
                    "procedure_name",
                    "procedure_code",
                    "period",
                    "made_on",
                )
            },
            "files": (),
        }
    )
    profile = xml.profile("envelope")
    for one in (empty, envelope):
        assert write_body(profile, one, None) == write_carefully(profile, one, None)


def test_constants_that_are_empty_and_optional_are_left_out(form):
    own = xml.with_overrides(
        xml.profile("portal-register"),
        {
            "add": [
                {"element": "Trong", "value": "", "presence": "optional"},
                {"element": "Co", "value": "100 %"},
            ]
        },
    )
    body = write_body(own, form, None)
    assert b"Trong" not in body
    assert b"<Co>100 %</Co>" in body
    assert body == write_carefully(own, form, None)


def test_a_profile_without_values_of_a_form_is_written_too(form):
    data = {
        "name": "own",
        "kind": "registration",
        "action": "register",
        "transact_at": "portal",
        "root": "R",
        "content": "C",
        "signature": "R/S",
        "certainty": "unknown",
        "fields": [{"element": "Ten", "source": "organisation.name", "certainty": "unknown"}],
    }
    own = xml.profile_from_mapping(data)
    assert b"<Ten>" in write_body(own, form, None)


@pytest.mark.parametrize("name", ["exclusive", "referenced-time"])
def test_other_shapes_are_prepared_too(certificate, form, name):
    content = xml.build(form).content
    assert xml.prepare_form(form, certificate=certificate, signing_time=NOON, signature=name) == xml.prepare(
        content, certificate, signing_time=NOON, profile=name
    )


def test_what_cannot_be_prepared_is_refused(refused, certificate, form, issue, small_key):
    with refused(DocumentError, "document.not_signed"):
        xml.prepare_form(form, certificate=certificate, signing_time=NOON, signature="countersignature")
    with refused(InputError, "xml.no_zone", field="signing_time"):
        xml.prepare_form(form, certificate=certificate, signing_time=NOON.replace(tzinfo=None))
    small = CertificateInfo.from_der(issue(small_key.public_key()))
    with refused(CertificateUnusableError, "document.key_too_short"):
        xml.prepare_form(form, certificate=small, signing_time=NOON)


@pytest.mark.parametrize("name", ["field", "exclusive", "rsa-pss"])
def test_a_form_prepared_in_one_go_needs_its_certificate(refused, form, name):
    with refused(WrongTypeError, "input.wrong_type"):
        xml.prepare_form(form, certificate=None, signing_time=NOON, signature=name)
