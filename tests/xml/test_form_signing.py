"""Forms signed in one go have the bytes of the two steps, and go the long way where those are needed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import attrs
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from hypothesis import HealthCheck, given, settings
from strategies import registrations

from bhxh_sdk import xml
from bhxh_sdk.errors import CertificateUnusableError, InputError
from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.xml.form_signing import FormSigning

NOON = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def value(key):
    """Make the signature value of a digest."""
    return lambda digest: key.sign(digest, PKCS1v15(), Prehashed(hashes.SHA256()))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(form=registrations())
def test_the_bytes_are_those_of_the_two_steps(form, value, certificate):
    form, chosen = form.dated(date(2026, 1, 2)), xml.profile_for(form)
    forms = FormSigning.of(chosen, xml.signature_profile("field"), certificate)
    prepared = xml.prepare_form(form, chosen, certificate=certificate, signing_time=NOON)
    assert forms.signed(form, NOON, value) == xml.complete(prepared, value(prepared.digest))


@pytest.mark.parametrize("signing_time", ["unprotected", "none"])
@pytest.mark.parametrize("key_value", [True, False])
def test_the_shapes_that_need_no_more_go_the_short_way(form, value, certificate, signing_time, key_value):
    shape = attrs.evolve(
        xml.signature_profile("field"), signing_time=signing_time, key_value=key_value, subject_name=key_value
    )
    forms = FormSigning.of(xml.profile_for(form), shape, certificate)
    prepared = xml.prepare_form(form, certificate=certificate, signing_time=NOON, signature=shape)
    signed = forms.signed(form, NOON, value)
    assert signed == xml.complete(prepared, value(prepared.digest))
    assert xml.verify(signed, profile=shape).certificate == certificate


@pytest.mark.parametrize("name", ["referenced-time", "countersignature", "exclusive"])
def test_other_shapes_go_the_long_way(form, certificate, name):
    assert FormSigning.of(xml.profile_for(form), xml.signature_profile(name), certificate) is None


def test_ecdsa_goes_the_long_way_where_its_values_are_checked(form, issue, curve_key):
    own = CertificateInfo.from_der(issue(curve_key.public_key()))
    assert FormSigning.of(xml.profile_for(form), xml.signature_profile("ecdsa"), own) is None


def test_a_certificate_that_cannot_sign_so_is_refused_at_once(form, certificate):
    with pytest.raises(CertificateUnusableError):
        FormSigning.of(xml.profile_for(form), xml.signature_profile("ecdsa"), certificate)


def test_a_time_without_zone_and_a_form_without_date_are_refused(form, value, certificate):
    forms = FormSigning.of(xml.profile_for(form), xml.signature_profile("field"), certificate)
    with pytest.raises(InputError) as caught:
        forms.signed(form, datetime(2026, 1, 2), value)  # noqa: DTZ001  # the very mistake
    assert caught.value.field == "signing_time"
    with pytest.raises(InputError) as caught:
        forms.signed(attrs.evolve(form, made_on=None), NOON, value)
    assert caught.value.field
