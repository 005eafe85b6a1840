from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bhxh_sdk.errors import InputError
from bhxh_sdk.signers import throwaway
from bhxh_sdk.signers.test_certificate import TEST_ISSUER


def facts(run, **options):
    (listed,) = run(throwaway(**options).certificates())
    assert listed.has_private_key
    return listed.certificate


def test_it_looks_like_a_vietnamese_certificate_that_nobody_trusts(run, now):
    found = facts(run, now=now)
    assert (
        found.subject == "UID=MST:0100109106, CN=CÔNG TY TNHH VÍ DỤ, L=Quận 1, ST=Thành phố Hồ Chí Minh, C=VN"
    )
    assert found.issuer_name == TEST_ISSUER
    assert "not trusted" in TEST_ISSUER
    assert [code.value for code in found.tax_codes] == ["0100109106"]
    assert (found.key_kind, found.key_bits, found.signing_allowed) == ("rsa", 2048, True)
    assert found.not_after - found.not_before == timedelta(days=365)
    assert found.valid_at(now)
    assert found.tax_codes[0].check_digit_fits


def test_without_a_clock_it_is_valid_for_decades(run):
    found = facts(run)
    assert found.valid_at(datetime(2020, 1, 1, tzinfo=UTC))
    assert found.valid_at(datetime(2049, 12, 31, tzinfo=UTC))


def test_parts_may_be_left_out(run):
    assert facts(run, tax_code="", locality="", province="").subject == "CN=CÔNG TY TNHH VÍ DỤ, C=VN"


@pytest.mark.parametrize("name", ["", "Ệ" * 64])
def test_a_name_that_no_certificate_can_hold_is_refused(name):
    with pytest.raises(InputError) as caught:
        throwaway(common_name=name)
    assert caught.value.code == "signing.subject_part"


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(InputError) as caught:
        throwaway(now=datetime(2026, 9, 1))  # noqa: DTZ001  # the very mistake
    assert caught.value.code == "signing.no_time_zone"
