"""A certificate that comes only with the signature, as from a SIM that shows none before."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve
from batch_world import forms
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from handset import Handset, Killed
from workflow_world import NOW, TAX_CODE, Person, StillClock, a_form

from bhxh_sdk import DocumentSigner, xml
from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import (
    BhxhError,
    CertificateUnusableError,
    InputError,
    KeyNotFoundError,
    SignatureMismatchError,
    SigningDeclinedError,
)
from bhxh_sdk.sandbox.pki import SandboxPki, key_usage
from bhxh_sdk.signers import SigningCertificate, SigningState, SoftKeySigner, throwaway
from bhxh_sdk.workflow import Desk, Dossier, State, register, resume
from bhxh_sdk.workflow.signing_batch import SigningBatch

PENDING = SigningState.PENDING


@pytest.fixture(scope="module")
def pki():
    return SandboxPki(NOW)


@pytest.fixture
def sim(soft_key):
    (own,) = run_blocking(soft_key.certificates())
    return Handset(soft_key, lists=False, shows=own.certificate.der)


@pytest.fixture
def world(world, sim):
    return evolve(world, signer=sim)


def registered(world, form=None):
    return run_blocking(register(world, form or a_form(), key="k", confirmed=True))


def events_of(world, kind):
    return [event.data for event in run_blocking(world.journal.events("k")) if event.kind == kind]


def test_a_registration_goes_on_without_and_fills_it_in(world, sim, channel, soft_key):
    dossier = registered(world)
    assert dossier.state.state is State.SUBMITTED
    assert events_of(world, "certificate_chosen") == [{"key_id": "", "comes_later": True}]
    (own,) = run_blocking(soft_key.certificates())
    assert run_blocking(dossier.certificate()) == own.certificate
    ((filing,),) = [arguments for name, arguments in channel.calls if name == "submit"]
    assert filing.certificate == filing.document.certificate == own.certificate
    verified = xml.verify(filing.document.content, at=filing.document.at)
    assert verified.certificate == own.certificate
    assert events_of(world, "signed")[0]["certificate"] == dossier.state.fact("certificate")


def test_what_waits_for_the_signature_has_no_certificate_and_another_process_goes_on(world, sim, channel):
    sim.starts.append(PENDING)
    sim.asks.append(Killed())
    with pytest.raises(Killed):
        registered(world)
    waiting = run_blocking(Dossier.opened(world, "k"))
    prepared = xml.PreparedSignature.from_bytes(run_blocking(waiting.kept("prepared")))
    assert prepared.certificate is None
    assert b"KeyInfo" not in prepared.document
    assert run_blocking(waiting.certificate()) is None
    assert run_blocking(resume(world, "k")).state.state is State.SUBMITTED
    assert (len(sim.rings), channel.count("submit")) == (1, 1)


def weak():
    """Make a signer whose key is too short."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  # that is what is tested
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "CÔNG TY TNHH VÍ DỤ"),
            x509.NameAttribute(NameOID.USER_ID, f"MST:{TAX_CODE}"),
        ]
    )
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
    signed = builder.not_valid_after(NOW + timedelta(days=365)).sign(key, hashes.SHA256())
    return SoftKeySigner.from_key(key, [signed])


WRONG = {
    "nobody's": ({"tax_code": ""}, "signing.late_certificate_unnamed"),
    "other_tax_code": ({"tax_code": "0312345674"}, "signing.certificate_other_tax_code"),
    "expired": ({"not_after": NOW - timedelta(days=1)}, "signing.certificate_expired"),
    "not_yet_valid": ({"not_before": NOW + timedelta(days=1)}, "signing.certificate_not_yet_valid"),
    "not_for_signing": (
        {"usage": key_usage(signing=False)},
        "signing.certificate_not_for_signing",
    ),
}


def refused(world, kind, code, channel):
    with pytest.raises(kind) as caught:
        registered(world)
    assert caught.value.code == code
    assert channel.calls == []
    dossier = run_blocking(Dossier.opened(world, "k"))
    assert (dossier.state.state, dossier.state.fact("reason")) == (State.BUILT, code)
    assert run_blocking(dossier.certificate()) is None


@pytest.mark.parametrize("which", list(WRONG))
def test_a_wrong_certificate_submits_nothing(world, sim, channel, pki, which):
    facts, code = WRONG[which]
    issued = pki.issue("CÔNG TY TNHH VÍ DỤ", **{"tax_code": TAX_CODE, **facts})
    refused(
        evolve(world, signer=Handset(issued.signer(), lists=False, shows=issued.der)),
        CertificateUnusableError,
        code,
        channel,
    )
    assert run_blocking(resume(world, "k")).state.state is State.SUBMITTED  # with the right SIM
    assert channel.count("submit") == 1


def test_who_makes_a_certificate_without_a_tax_code_is_not_taken_for_the_organisation(world, channel):
    stranger = throwaway(tax_code="", common_name="ATTACKER", now=NOW)
    (own,) = run_blocking(stranger.certificates())
    sim = Handset(stranger, lists=False, shows=own.certificate.der)
    refused(evolve(world, signer=sim), CertificateUnusableError, "signing.late_certificate_unnamed", channel)
    error = CertificateUnusableError("signing.late_certificate_unnamed", name="N", serial="1", expected="2")
    texts = {error.message("vi"), error.message("en"), error.hint("vi"), error.hint("en")}
    assert len(texts) == 4


def test_warnings_about_it_are_counted_with_the_others(world, pki):
    issued = pki.issue("TÊN KHÁC", TAX_CODE)
    world = evolve(world, signer=Handset(issued.signer(), lists=False, shows=issued.der))
    assert registered(world).state.state is State.SUBMITTED
    (checked,), (signed,) = events_of(world, "checked"), events_of(world, "signed")
    assert signed["warnings"] == checked["warnings"] + 1


def test_a_certificate_that_the_rules_refuse_submits_nothing(world, channel):
    signer = weak()
    (own,) = run_blocking(signer.certificates())
    sim = Handset(signer, lists=False, shows=own.certificate.der)
    refused(evolve(world, signer=sim), InputError, "input.report", channel)


@pytest.mark.parametrize("shows", [b"", b"no certificate"])
def test_a_signature_without_a_certificate_submits_nothing(world, sim, channel, shows):
    sim.shows = shows
    code = "document.certificate_unreadable" if shows else "signing.no_certificate_came"
    refused(world, CertificateUnusableError, code, channel)


def test_a_certificate_of_another_key_submits_nothing(world, sim, channel, pki):
    sim.shows = pki.issue("CÔNG TY TNHH VÍ DỤ", TAX_CODE, own_key=True).der
    refused(world, SignatureMismatchError, "signing.mismatch", channel)


def test_who_declines_is_named_before_the_certificate_is_missed(world, sim, channel):
    sim.starts.append(SigningState.DECLINED)
    refused(world, SigningDeclinedError, "signing.declined", channel)


def test_a_signer_that_lists_its_certificate_is_treated_as_every_other(world, soft_key):
    class Listing(Handset):
        async def certificates(self):
            return await self.key.certificates()

    sim = Listing(soft_key, lists=False)
    dossier = registered(evolve(world, signer=sim))
    assert "comes_later" not in events_of(world, "certificate_chosen")[0]
    assert "certificate" not in events_of(world, "signed")[0]
    assert dossier.state.fact("certificate")


def test_a_signer_that_ought_to_list_one_and_does_not_is_refused(world, soft_key):
    class Empty(Handset):
        async def certificates(self):
            return ()

    with pytest.raises(KeyNotFoundError) as caught:
        registered(evolve(world, signer=Empty(soft_key)))
    assert caught.value.code == "signing.none_listed"


def test_a_form_is_checked_without_the_certificate(world):
    assert run_blocking(Desk(world).check(a_form())).ok


def test_documents_alone_are_not_signed_so(sim, soft_key):
    with pytest.raises(CertificateUnusableError) as caught:
        asyncio.run(SigningBatch.opened(sim, None, Person(), StillClock()))
    assert (caught.value.code, caught.value.parameters["name"]) == (
        "signing.certificate_comes_later",
        "handset",
    )
    with (
        DocumentSigner(sim, certificate=SigningCertificate.to_come(), clock=StillClock()) as signing,
        pytest.raises(BhxhError) as caught,
    ):
        signing.sign(forms(1)[0])
    assert caught.value.code == "signing.certificate_comes_later"
    given = run_blocking(soft_key.certificates())[0]
    with DocumentSigner(sim, certificate=given, clock=StillClock()) as signing:
        assert signing.sign(forms(1)[0]).certificate == given.certificate


def test_the_one_to_come_says_nothing():
    waiting = SigningCertificate.to_come("84900000001")
    assert (waiting.key_id, waiting.certificate.der) == ("84900000001", b"")
    assert not waiting.certificate.valid_at(NOW)
    assert not waiting.certificate.signing_allowed
