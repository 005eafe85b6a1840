from __future__ import annotations

import attrs
import pytest

from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import CertificateUnusableError, KeyNotFoundError, PersonNeededError
from bhxh_sdk.models import Organisation, TaxCode
from bhxh_sdk.sandbox.pki import OTHER_TAX_CODE
from bhxh_sdk.signers import SigningCertificate, choose, choose_certificate

ORGANISATION = Organisation(name="CÔNG TY TNHH VÍ DỤ", tax_code="0100109106")


def item(issued, *, has_private_key=True, **facts):
    info = issued if hasattr(issued, "serial_text") else issued.info
    return SigningCertificate(
        certificate=attrs.evolve(info, **facts), key_id="1", has_private_key=has_private_key
    )


@pytest.fixture(scope="module")
def good(pki):
    return item(pki.issue())


def refusal(kind, certificates, now, organisation=ORGANISATION):
    with pytest.raises(kind) as caught:
        choose_certificate(certificates, organisation, now)
    error = caught.value
    assert all(error.message(language) != error.code for language in ("vi", "en"))
    assert all(error.hint(language) for language in ("vi", "en"))
    return error


def test_the_certificate_of_the_organisation_is_chosen_among_others(pki, good, now):
    others = [
        pki.expired(),
        pki.not_yet_valid(),
        pki.of_another(),
        pki.not_for_signing(),
        pki.without_tax_code(),
    ]
    without_key = item(pki.issue(), has_private_key=False)
    assert choose_certificate([*map(item, others), good, without_key], ORGANISATION, now) is good


def test_a_key_that_may_be_there_is_good_enough(pki, now):
    maybe = item(pki.issue(), has_private_key=None)
    assert choose_certificate([maybe], ORGANISATION, now) is maybe


def test_the_same_certificate_listed_twice_is_one(good, now):
    assert choose_certificate([good, good], ORGANISATION, now) == good


def test_a_person_inside_the_organisation_signs_for_it(pki, now):
    inside = item(pki.of_a_person_inside())
    assert choose_certificate([inside], ORGANISATION, now) is inside


def test_the_certificate_of_the_organisation_serves_its_branch(good, now):
    branch = attrs.evolve(ORGANISATION, tax_code=TaxCode("0100109106-001"))
    assert choose_certificate([good], branch, now) is good


def test_a_certificate_without_a_tax_code_is_taken_only_when_it_is_the_single_one(pki, now):
    nameless = item(pki.without_tax_code())
    authority = item(pki.not_for_signing())
    assert choose_certificate([nameless, authority], ORGANISATION, now) is nameless
    assert refusal(KeyNotFoundError, [nameless, item(pki.expired())], now).code == "signing.none_fits"
    two = [nameless, item(pki.without_tax_code())]
    assert refusal(KeyNotFoundError, two, now).code == "signing.several_fit"


@pytest.mark.parametrize(
    ("variant", "code", "told"),
    [
        ("expired", "signing.certificate_expired", "31/08/2026"),
        ("not_yet_valid", "signing.certificate_not_yet_valid", "02/09/2026"),
        ("of_another", "signing.certificate_other_tax_code", OTHER_TAX_CODE),
        ("not_for_signing", "signing.certificate_not_for_signing", "CÔNG TY TNHH VÍ DỤ"),
    ],
)
def test_a_single_certificate_that_cannot_be_used_is_told_why(pki, now, variant, code, told):
    error = refusal(CertificateUnusableError, [item(getattr(pki, variant)())], now)
    assert error.code == code
    assert told in error.message("vi")


def test_a_single_certificate_without_its_key_is_told_so(pki, now):
    error = refusal(KeyNotFoundError, [item(pki.issue(), has_private_key=False)], now)
    assert error.code == "signing.certificate_no_key"


def test_a_key_that_is_not_rsa_is_not_used(pki, now):
    error = refusal(CertificateUnusableError, [item(pki.issue(), key_kind="ec")], now)
    assert error.code == "signing.certificate_not_rsa"
    assert "ec" in error.message("vi")


def test_personal_tax_codes_are_masked(pki, now):
    person = pki.issue(identities=["MST:001099000001"])
    household = attrs.evolve(ORGANISATION, tax_code=TaxCode("001099000002"))
    message = refusal(CertificateUnusableError, [item(person)], now, household).message("vi")
    assert "001099" not in message
    assert "*********001" in message


def test_the_single_certificate_that_could_sign_is_judged_though_others_lie_beside_it(pki, now):
    beside = [item(pki.issue(), has_private_key=False), item(pki.not_for_signing())]
    error = refusal(CertificateUnusableError, [item(pki.expired()), *beside], now)
    assert error.code == "signing.certificate_expired"


def test_when_none_fits_each_is_named_with_what_is_against_it(pki, now):
    listed = [item(pki.expired()), item(pki.expired()), item(pki.of_another())]
    error = refusal(KeyNotFoundError, listed, now)
    first, second, other = (one.certificate.serial_text for one in listed)
    assert error.message("en") == (
        f"None of the 3 certificates can be used (expired: {first}, {second}) (of another tax code: {other})."
    )


def test_no_certificate_at_all_is_told_so(now):
    assert refusal(KeyNotFoundError, [], now).code == "signing.none_listed"


def test_between_two_that_fit_nothing_is_guessed(pki, good, now):
    error = refusal(KeyNotFoundError, [good, item(pki.issue())], now)
    assert error.code == "signing.several_fit"
    assert good.certificate.serial_text in error.message("vi")


def test_a_person_chooses_between_two_that_fit(run, pki, good, now, person):
    second, answer = item(pki.issue()), person(1)
    assert run(choose([good, second], ORGANISATION, now, answer)) is second
    (question,) = answer.asked
    assert (question.purpose, question.subject) == ("choose_certificate", ORGANISATION.name)
    assert good.certificate.serial_text in question.choices[0]
    assert "02/08/2027" in question.choices[0]


def test_with_one_that_fits_nobody_is_asked(run, good, now, person):
    assert run(choose([good], ORGANISATION, now, person())) is good


def test_with_nobody_there_nothing_is_chosen(run, pki, good, now, person):
    with pytest.raises(PersonNeededError):
        run(choose([good, item(pki.issue())], ORGANISATION, now, person()))


@pytest.mark.parametrize("answer", [-1, 2])
def test_an_answer_that_is_no_choice_is_refused(run, pki, good, now, person, answer):
    with pytest.raises(KeyNotFoundError) as caught:
        run(choose([good, item(pki.issue())], ORGANISATION, now, person(answer)))
    assert caught.value.code == "signing.none_chosen"


@pytest.mark.parametrize("kind", ["of_another", "without_tax_code"])
def test_without_an_organisation_any_owner_will_do(pki, now, kind):
    certificate = item(getattr(pki, kind)())
    assert choose_certificate([certificate], None, now) is certificate


def test_without_an_organisation_the_choice_has_no_subject(pki, good, now):
    asked = []

    class Person:
        async def choose(self, question):
            asked.append(question)
            return 0

    both = [good, item(pki.of_another())]
    assert run_blocking(choose(both, None, now, Person())) is good
    assert asked[0].subject == ""


def test_without_an_organisation_an_expired_certificate_is_still_refused(pki, now):
    with pytest.raises(CertificateUnusableError):
        choose_certificate([item(pki.expired())], None, now)
