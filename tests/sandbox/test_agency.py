"""What the sandbox's agency decides, without HTTP."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve
from workflow_world import Person, a_form

from bhxh_sdk import xml
from bhxh_sdk.blocking import run_blocking as run
from bhxh_sdk.models import Action, Attachment, Contact, Ivan, Outcome, Portal, Stop, StopReason, TaxCode
from bhxh_sdk.sandbox import (
    AgencySettings,
    KnownUnit,
    Outbox,
    Reason,
    Refusal,
    SandboxAgency,
    SandboxPki,
    Submission,
    VirtualClock,
)
from bhxh_sdk.signers import SigningJob, sign

START = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
EMAIL = "hr@example.com"
LICENCE = Attachment(file_name="giay-phep.pdf", content=b"%PDF-")
STOP = Stop(from_date=START.date(), reason=StopReason.OTHER)
IVAN = Ivan("00040", "I-VAN VÍ DỤ")


class World:
    """An agency with everything around it."""

    def __init__(self, **settings):
        self.clock = VirtualClock(START, seed=1)
        self.pki = SandboxPki(START)
        self.outbox = Outbox(self.clock)
        roots = (*self.pki.roots, *self.pki.intermediates)
        self.agency = SandboxAgency(self.clock, self.outbox, roots, AgencySettings(**settings))

    def signed(self, certificate=None, **changes):
        """Return the signed document of a form."""
        form = a_form(**changes).dated(START.date())
        issued = certificate or self.pki.issue()
        content = xml.build(form, certificate=issued.info).content
        prepared = xml.prepare(content, issued.info, signing_time=self.clock.now())
        job = SigningJob(document_id="1", digest=prepared.digest, signed_info=prepared.signed_info)
        signer = issued.signer()
        offered = next(one for one in run(signer.certificates()) if one.certificate.der == issued.der)
        value = run(sign(signer, [job], offered, Person(), self.clock))["1"]
        return xml.complete(prepared, value)

    def file(self, *, key="key-1", **changes):
        channel = changes.get("transact_at", Portal())
        name = "portal" if isinstance(channel, Portal) else channel.code
        return self.agency.receive(Submission(channel=name, key=key, document=self.signed(**changes)))

    def mailed(self, kind, label, email=EMAIL):
        text = self.outbox.latest(email, kind).get_body(("plain",)).get_content()
        return re.search(rf"^{label}: (\S+)", text, re.MULTILINE)[1]

    def code(self):
        return self.mailed("activation", "Mã kích hoạt")

    def registered(self, **changes):
        case = self.file(**changes)
        return self.agency.activate(case.sending_key, self.code())


def refused(call, *arguments, **named):
    with pytest.raises(Refusal) as caught:
        call(*arguments, **named)
    assert caught.value.code == caught.value.reason.value
    assert caught.value.text.startswith(caught.value.reason.text)
    return caught.value.reason


def test_a_registration_goes_from_receipt_to_log_in():
    world = World()
    case = world.file()
    assert (case.outcome, case.dossier_number, case.activated) == (Outcome.PROCESSING, "", False)
    assert world.agency.submissions == 1
    case = world.agency.case(case.sending_key)
    assert (case.outcome, case.dossier_number) == (Outcome.ACCEPTED, "00001/2026/07906")
    case = world.agency.activate(case.sending_key, world.code())
    assert case.activated
    password = world.mailed("credentials", "Mật khẩu")
    (unit,) = world.agency.log_in(world.mailed("credentials", "Tên đăng nhập"), password)
    assert unit.unit_code == "TZ0001Z"
    assert unit.progress.activated
    world.agency.change_password("0100109106", password, "a-new-password")
    assert refused(world.agency.log_in, "0100109106", password) is Reason.LOG_IN_REFUSED
    assert (
        refused(world.agency.change_password, "0100109106", "a-new-password", "short") is Reason.PASSWORD_WEAK
    )


def test_a_forgotten_password_is_replaced():
    world = World()
    world.registered()
    world.agency.reset_password("TZ0001Z", "0100109106")
    assert world.agency.log_in("0100109106", world.mailed("password_reset", "Mật khẩu"))
    assert refused(world.agency.reset_password, "TZ0001Z", "0123456789") is Reason.ACCOUNT_UNKNOWN
    assert refused(world.agency.reset_password, "TZ0009Z", "0100109106") is Reason.ACCOUNT_UNKNOWN


def test_a_filing_is_found_by_key_and_by_document():
    world = World()
    case = world.file()
    assert world.agency.find(key="key-1").sending_key == case.sending_key
    assert world.agency.find(sha256=case.document_sha256).sending_key == case.sending_key
    assert world.agency.find(key="", sha256="") is None
    assert [one.sending_key for one in world.agency.history("TZ0001Z")] == [case.sending_key]
    assert world.agency.history(tax_code="0100109106") == world.agency.cases("portal")
    assert refused(world.agency.case, "unknown") is Reason.CASE_UNKNOWN


# Documents


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        ("expired", Reason.CERTIFICATE_EXPIRED),
        ("not_yet_valid", Reason.CERTIFICATE_NOT_YET_VALID),
        ("of_another", Reason.CERTIFICATE_OF_ANOTHER),
        ("not_for_signing", Reason.CERTIFICATE_NOT_FOR_SIGNING),
        ("without_tax_code", Reason.CERTIFICATE_OF_ANOTHER),
    ],
)
def test_a_certificate_that_does_not_fit_is_refused(make, reason):
    world = World()
    document = world.signed(certificate=getattr(world.pki, make)())
    assert refused(world.agency.receive, Submission(channel="portal", document=document)) is reason
    assert world.agency.submissions == 0
    assert len(world.outbox) == 0


def test_an_authority_that_is_not_trusted_is_refused():
    world = World()
    agency = SandboxAgency(world.clock, world.outbox, ())
    filed = Submission(channel="portal", document=world.signed())
    assert refused(agency.receive, filed) is Reason.CERTIFICATE_UNTRUSTED


def test_documents_that_cannot_be_believed_are_refused():
    world = World()
    good = world.signed()
    envelope = b"<Hoso><NoiDung></NoiDung><CKy_Dvi></CKy_Dvi></Hoso>"
    for document, reason in {
        good.replace("VÍ DỤ".encode(), "VÍ DU".encode()): Reason.SIGNATURE_INVALID,
        xml.build(a_form().dated(START.date())).content: Reason.SIGNATURE_MISSING,
        b"not xml": Reason.DOCUMENT_UNREADABLE,
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>": Reason.DOCUMENT_UNREADABLE,
        envelope: Reason.SIGNATURE_MISSING,
    }.items():
        assert refused(world.agency.receive, Submission(channel="portal", document=document)) is reason


def test_a_signed_document_of_another_kind_is_unreadable():
    world = World()
    issued = world.pki.issue()
    content = b"<Hoso><NoiDung><X>1</X></NoiDung><CKy_Dvi></CKy_Dvi></Hoso>"
    prepared = xml.prepare(content, issued.info, signing_time=START)
    signer = issued.signer()
    offered = next(one for one in run(signer.certificates()) if one.certificate.der == issued.der)
    job = SigningJob(document_id="1", digest=prepared.digest, signed_info=prepared.signed_info)
    document = xml.complete(prepared, run(sign(signer, [job], offered, Person(), world.clock))["1"])
    filed = Submission(channel="portal", document=document)
    assert refused(world.agency.receive, filed) is Reason.DOCUMENT_UNREADABLE


def test_what_was_asked_and_what_was_signed_must_agree():
    world = World()
    document = world.signed()
    for channel, action in (("portal", Action.STOP), ("00040", Action.REGISTER)):
        filed = Submission(channel=channel, action=action, document=document)
        assert refused(world.agency.receive, filed) is Reason.WRONG_ACTION


def test_the_portal_takes_no_facts_without_a_signature():
    world = World()
    filed = Submission(channel="portal", facts=a_form())
    assert refused(world.agency.receive, filed) is Reason.SIGNATURE_MISSING
    facts = a_form(transact_at=IVAN)
    assert world.agency.receive(Submission(channel="00040", facts=facts)).document_sha256 == ""


def test_a_person_hands_in_the_printed_form():
    world = World()
    case = world.agency.take_paper(a_form(use_certificate=False), key="paper-1")
    assert world.agency.activate("", world.code()).sending_key == case.sending_key
    assert world.agency.find(key="paper-1").activated
    world = World()
    assert world.agency.take_paper(a_form(use_certificate=False, transact_at=IVAN)).channel == "00040"


# Facts


def changed(**changes):
    form = a_form()
    return evolve(form, organisation=evolve(form.organisation, **changes))


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        (changed(tax_code=TaxCode("0100109107")), Reason.TAX_CODE_INVALID),
        (evolve(a_form(), contact=Contact(name="A", email="nobody")), Reason.EMAIL_UNUSABLE),
        (evolve(a_form(), contact=Contact(name="A", email="full@example.com")), Reason.EMAIL_UNUSABLE),
        (changed(unit_code=None), Reason.ATTACHMENT_MISSING),
        (changed(unit_code="TZ0009Z"), Reason.UNIT_UNKNOWN),
        (changed(unit_code="TZ0002Z"), Reason.UNIT_OF_ANOTHER_AGENCY),
        (changed(unit_code="TZ0003Z"), Reason.TAX_CODE_OF_ANOTHER),
        (changed(name="CÔNG TY KHÁC"), Reason.NAME_DIFFERS),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_facts_that_do_not_fit_are_refused_at_once_or_later(form, reason, at_once):
    units = {
        "TZ0001Z": KnownUnit(agency_code="07906", tax_code="0100109106", name=a_form().organisation.name),
        "TZ0002Z": KnownUnit(agency_code="00101"),
        "TZ0003Z": KnownUnit(agency_code="07906", tax_code="0123456789"),
    }
    world = World(
        known_units=units,
        unusable_emails=frozenset({"full@example.com"}),
        refuse_at_once=at_once,
        first_decided_after=timedelta(),
    )
    if at_once:
        assert refused(world.agency.take_paper, form) is reason
        assert world.agency.submissions == 0
        return
    case = world.agency.case(world.agency.take_paper(form).sending_key)
    assert case.outcome is Outcome.REFUSED
    assert case.progress.reason == (reason.value, reason.text)
    if reason is not Reason.EMAIL_UNUSABLE:
        assert reason.text in world.outbox.latest(EMAIL, "refused").get_body(("plain",)).get_content()


def test_a_unit_that_the_agency_knows_is_taken():
    world = World(known_units={"TZ0001Z": KnownUnit(agency_code="07906")})
    assert world.registered().activated


def test_who_is_registered_cannot_register_again():
    world = World()
    world.registered()
    assert refused(world.file) is Reason.ALREADY_REGISTERED
    assert refused(world.file, transact_at=IVAN) is Reason.ALREADY_REGISTERED
    world.agency.settings = AgencySettings(exclusive=False)
    assert world.file(transact_at=IVAN).sending_key
    assert refused(world.file) is Reason.ALREADY_REGISTERED


def test_a_first_registration_needs_a_new_tax_code():
    world = World()
    world.registered()
    first = evolve(changed(unit_code=None), attachments=(LICENCE,))
    assert refused(world.agency.take_paper, first) is Reason.TAX_CODE_EXISTS


def test_an_address_may_serve_one_tax_code_only():
    world = World(one_unit_per_email=True)
    world.registered()
    other = changed(unit_code="TZ0002Z", tax_code=TaxCode("0101243150"))
    assert refused(world.agency.take_paper, other) is Reason.EMAIL_EXISTS


def test_one_account_holds_several_units():
    world = World()
    world.registered()
    case = world.agency.take_paper(changed(unit_code="TZ0002Z"))
    world.agency.activate(case.sending_key, world.code())
    units = world.agency.log_in("0100109106", world.mailed("credentials", "Mật khẩu"))
    assert [unit.unit_code for unit in units] == ["TZ0001Z", "TZ0002Z"]


# Activation


def test_codes_are_wrong_expired_replaced_and_used_up():
    world = World(tries=2)
    first = world.file()
    old = world.code()
    second = world.file(key="key-2")
    assert refused(world.agency.activate, second.sending_key, old) is Reason.CODE_REVOKED
    assert refused(world.agency.activate, first.sending_key, old) is Reason.CODE_REVOKED
    assert refused(world.agency.activate, "", "WRONG") is Reason.CODE_WRONG
    assert refused(world.agency.activate, second.sending_key, "WRONG") is Reason.CODE_WRONG
    assert refused(world.agency.activate, second.sending_key, "WRONG") is Reason.CODE_WRONG
    assert refused(world.agency.activate, second.sending_key, world.code()) is Reason.TOO_MANY_TRIES
    third = world.file(key="key-3")
    world.clock.advance(timedelta(hours=24, seconds=1))
    assert refused(world.agency.activate, third.sending_key, world.code()) is Reason.CODE_EXPIRED
    fourth = world.file(key="key-4")
    world.agency.activate(fourth.sending_key, world.code())
    assert refused(world.agency.activate, fourth.sending_key, world.code()) is Reason.ALREADY_ACTIVATED


def test_there_may_be_nothing_to_activate():
    world = World(activation_for_ivans=False)
    case = world.file(transact_at=IVAN)
    assert not case.activation_by_mail
    assert refused(world.agency.activate, case.sending_key, "ANY12345") is Reason.NOTHING_TO_ACTIVATE
    assert world.agency.log_in("0100109106", world.mailed("credentials", "Mật khẩu"))


def test_the_code_may_wait_for_the_decision():
    world = World(activation_before_decision=False, decided_after=timedelta(days=1))
    case = world.file()
    assert len(world.outbox) == 0
    world.clock.advance(timedelta(days=1))
    assert world.agency.activate(case.sending_key, world.code()).outcome is Outcome.ACCEPTED


def test_a_decision_after_the_activation_may_take_the_account_back():
    world = World(decided_after=None)
    case = world.registered()
    password = world.mailed("credentials", "Mật khẩu")
    assert case.outcome is Outcome.PROCESSING
    assert world.agency.log_in("0100109106", password)
    case = world.agency.decide(case.sending_key, accept=False, text="Sai tên đơn vị")
    assert case.progress.reason == ("SBX-139", "Cán bộ từ chối hồ sơ: Sai tên đơn vị")
    assert refused(world.agency.log_in, "0100109106", password) is Reason.LOG_IN_REFUSED
    with pytest.raises(ValueError, match="decided already"):
        world.agency.decide(case.sending_key)


def test_a_refused_case_is_not_activated():
    world = World(decided_after=None)
    case = world.file()
    world.agency.decide(case.sending_key, accept=False)
    assert refused(world.agency.activate, case.sending_key, world.code()) is Reason.CODE_REVOKED


@pytest.mark.parametrize("order", ["code first", "decision first"])
def test_a_first_registration_gets_code_unit_and_account(order):
    world = World()
    case = world.agency.take_paper(evolve(changed(unit_code=None), attachments=(LICENCE,)))
    if order == "code first":
        case = world.agency.activate(case.sending_key, world.code())
        assert (case.activated, case.unit_code, case.outcome) == (True, "", Outcome.PROCESSING)
    else:
        world.agency.settings = evolve(world.agency.settings, code_lifetime=timedelta(days=9))
        case = world.agency.take_paper(evolve(changed(unit_code=None), attachments=(LICENCE,)))
    world.clock.advance(timedelta(days=2))
    if order == "decision first":
        world.agency.activate(case.sending_key, world.code())
    case = world.agency.case(case.sending_key)
    assert case.outcome is Outcome.ACCEPTED
    assert case.unit_code in world.outbox.latest(EMAIL, "unit_code").get_body(("plain",)).get_content()
    (unit,) = world.agency.log_in("0100109106", world.mailed("credentials", "Mật khẩu"))
    assert unit.unit_code == case.unit_code


# Adjust and stop


@pytest.mark.parametrize("action", [Action.ADJUST, Action.STOP])
def test_who_is_not_registered_cannot_adjust_or_stop(action):
    stop = STOP if action is Action.STOP else None
    world = World()
    assert refused(world.file, action=action, stop=stop) is Reason.NOT_REGISTERED
    world.registered(transact_at=IVAN)
    assert refused(world.file, action=action, stop=stop) is Reason.NOT_REGISTERED


def test_an_adjustment_takes_the_place_of_what_held():
    world = World()
    world.registered()
    contact = evolve(a_form().contact, email="new@example.com")
    case = world.agency.case(world.file(action=Action.ADJUST, contact=contact).sending_key)
    assert (case.outcome, case.activated) == (Outcome.ACCEPTED, True)
    assert world.outbox.latest("new@example.com", "accepted")
    (unit,) = world.agency.log_in("0100109106", world.mailed("credentials", "Mật khẩu"))
    assert unit.email == "new@example.com"


def test_a_stop_ends_the_account_and_lets_the_unit_go_elsewhere():
    world = World()
    world.registered()
    password = world.mailed("credentials", "Mật khẩu")
    world.file(action=Action.STOP, stop=STOP)
    assert world.outbox.latest(EMAIL, "accepted")
    assert refused(world.agency.log_in, "0100109106", password) is Reason.LOG_IN_REFUSED
    assert world.registered(transact_at=IVAN).channel == "00040"


def test_an_adjustment_that_was_overtaken_by_a_stop_changes_nothing():
    world = World()
    world.registered()
    world.agency.settings = AgencySettings(decided_after=None)
    adjusted = world.file(action=Action.ADJUST)
    stopped = world.file(action=Action.STOP, stop=STOP)
    world.agency.decide(stopped.sending_key)
    world.agency.decide(adjusted.sending_key)
    assert world.agency.units("0100109106", "portal") == ()


def test_documents_of_2015_are_read_too():
    world = World()
    document = world.signed(transact_at=IVAN)
    assert b"<Hoso" in document
    issued = world.pki.issue()
    form = a_form(transact_at=IVAN).dated(START.date())
    content = xml.build(form, "2015-register", certificate=issued.info).content
    prepared = xml.prepare(content, issued.info, at="BHXH/CKYDTU_DVI", signing_time=START)
    signer = issued.signer()
    offered = next(one for one in run(signer.certificates()) if one.certificate.der == issued.der)
    job = SigningJob(document_id="1", digest=prepared.digest, signed_info=prepared.signed_info)
    signed = xml.complete(prepared, run(sign(signer, [job], offered, Person(), world.clock))["1"])
    form = world.agency._intake._read(signed)
    assert str(form.organisation.tax_code) == "0100109106"


def test_a_number_may_take_its_time():
    world = World(numbered_after=timedelta(hours=1), decided_after=None)
    case = world.file()
    assert world.agency.case(case.sending_key).dossier_number == ""
    world.clock.advance(timedelta(hours=1))
    assert world.agency.case(case.sending_key).dossier_number == "00001/2026/07906"


def test_one_more_certificate_can_be_trusted():
    world = World()
    agency = SandboxAgency(world.clock, world.outbox)
    agency.trust(world.pki.intermediates[0])
    assert agency.receive(Submission(channel="portal", document=world.signed())).sending_key
