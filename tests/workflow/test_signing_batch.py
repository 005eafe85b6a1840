from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime

import attrs
import pytest
from batch_world import Card, forms, on_curve
from workflow_world import NOW, Person, StillClock, a_form

from bhxh_sdk import signers, xml
from bhxh_sdk.errors import (
    CertificateUnusableError,
    DocumentError,
    InputError,
    KeyNotFoundError,
    PersonNeededError,
    SignatureMismatchError,
    SigningDeclinedError,
    SigningError,
    UnsupportedOperationError,
    WrongTypeError,
)
from bhxh_sdk.models import Ivan, SignatureScheme
from bhxh_sdk.signers.values import signature_fits
from bhxh_sdk.system import AskPerson
from bhxh_sdk.workflow.signing_batch import SigningBatch, SigningWay

WAY = SigningWay()
IVAN = Ivan("00099", "Công ty I-VAN Ví Dụ")


@pytest.fixture
def opened(soft_key):
    def opened(signer=soft_key, certificate=None, ask=None):
        return asyncio.run(SigningBatch.opened(signer, certificate, ask or Person(), StillClock()))

    return opened


def test_a_form_with_a_key_at_hand_is_signed_and_verifies(opened, soft_key):
    (form,) = forms(1)
    batch = opened()
    assert batch.is_local
    signed = batch.sign_here(form, WAY)
    found = xml.verify(signed.content)
    assert found.signing_time == NOW
    assert found.certificate == signed.certificate == batch.certificate.certificate
    assert (signed.file_name, signed.profile, signed.at) == (
        "portal-register.xml",
        "portal-register",
        "Hoso/CKy_Dvi",
    )
    assert xml.read(found.content) == xml.carried(form)


def test_a_form_without_dates_is_dated_with_the_day_in_vietnam(opened):
    clock = StillClock()
    clock.moment = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
    batch = opened()
    batch._clock = clock
    form = xml.read(batch.sign_here(a_form(), WAY).content)
    assert form.made_on == form.starts_on == date(2026, 3, 3)


@pytest.mark.parametrize("kind", ["document", "bytes"])
def test_finished_documents_are_signed_where_they_want_it(opened, kind):
    built = xml.build(forms(1)[0])
    given = built if kind == "document" else built.content
    signed = opened().sign_here(given, SigningWay(signing_time=NOW))
    assert xml.verify(signed.content).signing_time == NOW
    assert signed.file_name == (built.file_name if kind == "document" else "")
    assert signed.profile == (built.profile if kind == "document" else "")


def test_a_document_of_another_profile_has_its_own_place(opened):
    built = xml.build(forms(1, transact_at=IVAN)[0], "2015-register")
    signed = opened().sign_here(built, WAY)
    assert signed.at == "BHXH/CKYDTU_DVI"
    assert xml.verify(signed.content, at=signed.at)


@pytest.mark.parametrize("chosen", ["2015-register", xml.profile("2015-register")])
def test_a_form_may_be_written_by_another_profile(opened, chosen):
    signed = opened().sign_here(forms(1, transact_at=IVAN)[0], SigningWay(document_profile=chosen))
    assert (signed.profile, signed.at) == ("2015-register", "BHXH/CKYDTU_DVI")


def test_a_form_may_be_signed_at_another_place(opened):
    (form,) = forms(1)
    batch = opened()
    usual = batch.sign_here(form, SigningWay(at="Hoso/CKy_Dvi"))
    assert usual == batch.sign_here(form, WAY)
    with pytest.raises(DocumentError):
        batch.sign_here(form, SigningWay(at="Hoso/Nowhere"))


@pytest.mark.parametrize("name", [own.name for own in xml.signature_profiles() if not own.over])
def test_every_shape_is_signed_when_asked(opened, name):
    signer = on_curve() if name == "ecdsa" else None
    given = () if signer is None else (signer, asyncio.run(signer.certificates())[0])
    batch = opened(*given)
    signed = batch.sign_here(forms(1)[0], SigningWay(profile=name))
    assert xml.verify(signed.content, profile=name)
    there = asyncio.run(batch.sign_there([batch.prepared(forms(1)[0], SigningWay(profile=name))]))
    assert xml.verify(there[0].content, profile=name)


def test_a_counter_signature_goes_onto_what_the_employer_signed(opened):
    batch = opened()
    signed = batch.sign_here(forms(1)[0], WAY)
    twice = batch.sign_here(signed, SigningWay(profile="countersignature"))
    assert xml.verify_countersigned(twice.content)


def test_an_ecdsa_value_that_does_not_fit_is_never_written(opened):
    signer = on_curve()
    batch = opened(signer, asyncio.run(signer.certificates())[0])
    batch._key = lambda _digest, _hash_name, _scheme: bytes(64)
    with pytest.raises(SignatureMismatchError):
        batch.sign_here(forms(1)[0], SigningWay(profile="ecdsa"))


def test_values_of_other_signers_are_verified(opened, soft_key):
    def exchanged(done):
        (one, two) = done.signatures
        return attrs.evolve(done, signatures={one: done.signatures[two], two: done.signatures[one]})

    batch = opened(Card(soft_key, changed=exchanged))
    assert not batch.is_local
    with pytest.raises(SignatureMismatchError):
        asyncio.run(batch.sign_there([batch.prepared(form, WAY) for form in forms(2)]))


def test_a_signer_that_fails_is_asked_for_its_pin_again(opened, soft_key):
    person, card = Person(), Card(soft_key, errors={1: SigningDeclinedError()})
    batch = opened(card, ask=person)
    waiting = [batch.prepared(forms(1)[0], WAY)]
    asyncio.run(batch.sign_there(waiting))
    with pytest.raises(SigningDeclinedError):
        asyncio.run(batch.sign_there(waiting))
    assert len(person.asked) == 1
    asyncio.run(batch.sign_there(waiting))
    assert len(person.asked) == 2
    assert card.secrets == ["secret"] * 3


def test_jobs_say_what_is_signed_and_have_names_of_their_own(opened, soft_key):
    card = Card(soft_key)
    batch = opened(card)
    prepared = [batch.prepared(form, WAY) for form in forms(2)]
    asyncio.run(batch.sign_there(prepared))
    first, second = card.calls[0]
    assert first.document_id != second.document_id
    assert (first.digest, first.signed_info) == (
        prepared[0].prepared.digest,
        prepared[0].prepared.signed_info,
    )
    assert first.document_name == "portal-register.xml"


def test_a_batch_that_is_closed_signs_nothing(opened):
    batch = opened()
    batch.sign_here(forms(1)[0], WAY)
    batch.close()
    assert not batch.is_local
    for document in (forms(1)[0], xml.build(forms(1)[0])):
        with pytest.raises(SigningError) as caught:
            batch.sign_here(document, WAY)
        assert caught.value.code == "signing.closed"


class Two(Card):
    """A card with two certificates."""

    async def certificates(self):
        (own,) = await self.key.certificates()
        (other,) = await signers.throwaway(now=NOW).certificates()
        return other, own


def test_between_several_certificates_a_person_decides(opened, soft_key):
    two = Two(soft_key)
    person = Person()
    opened(two, ask=person)
    assert [question.purpose for question in person.asked] == ["choose_certificate"]
    with pytest.raises(KeyNotFoundError) as caught:
        opened(two, ask=AskPerson())
    assert caught.value.code == "signing.several_fit"


def test_a_batch_in_place_of_a_lost_one_has_its_certificate_and_nobody_chooses_again(soft_key):
    def anew(lost, certificate, person):
        making = SigningBatch.opened_anew(lost, Two(soft_key), certificate, person, StillClock())
        return asyncio.run(making)

    person = Person()
    first = anew(None, None, person)
    assert [question.purpose for question in person.asked] == ["choose_certificate"]
    (other,) = asyncio.run(soft_key.certificates())
    assert anew(None, other, Person()).certificate is other
    for given in (None, other):
        assert anew(first, given, person).certificate is first.certificate
    assert len(person.asked) == 1


def test_nobody_to_ask_for_the_pin_is_said_so(opened, soft_key):
    batch = opened(Card(soft_key), ask=AskPerson())
    with pytest.raises(PersonNeededError):
        asyncio.run(batch.sign_there([batch.prepared(forms(1)[0], WAY)]))


@pytest.mark.parametrize("document", [None, "text", 1])
def test_what_is_no_document_is_a_typed_error(opened, document):
    with pytest.raises(WrongTypeError) as caught:
        opened().sign_here(document, WAY)
    assert caught.value.field == "document"


@pytest.mark.parametrize(
    ("way", "kind"),
    [
        (SigningWay(profile="nonsense"), InputError),
        (SigningWay(profile=1), WrongTypeError),
        (SigningWay(at=1), WrongTypeError),
        (SigningWay(profile="ecdsa"), CertificateUnusableError),
        (SigningWay(document_profile="nonsense"), InputError),
        (SigningWay(signing_time=datetime(2026, 1, 1)), InputError),  # noqa: DTZ001  # the very mistake
    ],
)
def test_a_way_that_is_impossible_is_refused_before_the_first_document(opened, way, kind):
    with pytest.raises(kind):
        opened().check(way)


def test_a_possible_way_passes(opened):
    opened().check(WAY)
    opened().check(SigningWay(None, "rsa-pss", NOW, xml.profile("2015-register")))


class Foreign:
    """A key at hand of somebody else's making; it gives the values that it is told to give."""

    def __init__(self, key, changed):
        self._key = key
        self._changed = changed
        self.capabilities = key.capabilities
        self.certificates, self.start = key.certificates, key.start
        self.result, self.close = key.result, key.close

    async def local_key(self, certificate, ask):
        key = await self._key.local_key(certificate, ask)
        return lambda digest, hash_name, scheme: self._changed(key(digest, hash_name, scheme))


@pytest.mark.parametrize("changed", [lambda _: bytes(256), lambda value: value[:-1], lambda _: None])
@pytest.mark.parametrize("kind", ["form", "bytes"])
@pytest.mark.parametrize("profile", ["field", "rsa-pss"])
def test_the_first_value_of_a_key_at_hand_is_verified(opened, soft_key, changed, kind, profile):
    batch = opened(Foreign(soft_key, changed))
    (form,) = forms(1)
    for _ in range(2):
        with pytest.raises(SignatureMismatchError) as caught:
            batch.sign_here(form if kind == "form" else xml.build(form).content, SigningWay(profile=profile))
        assert caught.value.code == "document.value_mismatch"


def test_a_key_at_hand_is_verified_once_in_each_scheme(opened, soft_key, monkeypatch):
    seen = []

    def counted(key, job, value):
        seen.append(job.scheme)
        return signature_fits(key, job, value)

    monkeypatch.setattr("bhxh_sdk.workflow.signing_batch.signature_fits", counted)
    batch = opened(Foreign(soft_key, lambda value: value))
    for profile in ("field", "rsa-pss") * 2:
        assert batch.sign_here(forms(1)[0], SigningWay(profile=profile)).content
    assert seen == [SignatureScheme.RSA_PKCS1, SignatureScheme.RSA_PSS]


@pytest.mark.parametrize("kind", ["form", "bytes"])
def test_every_value_is_verified_where_the_signer_does_not_do_so(opened, soft_key, kind):
    values = iter([False, True])
    foreign = Foreign(soft_key, lambda value: bytes(256) if next(values) else value)
    foreign.capabilities = attrs.evolve(soft_key.capabilities, checks_values=False)
    batch = opened(foreign)
    document = forms(1)[0] if kind == "form" else xml.build(forms(1)[0]).content
    assert xml.verify(batch.sign_here(document, WAY).content)
    assert not batch.is_lost
    with pytest.raises(SignatureMismatchError):
        batch.sign_here(document, WAY)
    assert batch.is_lost


def test_a_token_that_signs_no_digest_alone_is_given_whole_documents(opened, soft_key):
    class Hashing(Foreign):
        async def local_key(self, certificate, ask):
            raise UnsupportedOperationError("pkcs11.whole_document_needed", name="HR")

    assert not opened(Hashing(soft_key, None)).is_local
