"""The portal channel against the sandbox's portal, over real loopback HTTP."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from attrs import evolve
from portal_world import NOW, PortalWorld, run, served

from bhxh_sdk import models
from bhxh_sdk.errors import (
    AlreadyActivatedError,
    AlreadyRegisteredError,
    CodeExpiredError,
    InputError,
    LogInRefusedError,
    NotRegisteredError,
    NotSentError,
    RefusedError,
    SessionExpiredError,
    SetupError,
    UnexpectedReplyError,
    UnknownOutcomeError,
    UnsupportedOperationError,
    WrongCodeError,
)
from bhxh_sdk.models import Action, Outcome
from bhxh_sdk.ports import Reply
from bhxh_sdk.sandbox.clock import VirtualClock
from bhxh_sdk.sandbox.faults import Fault
from bhxh_sdk.sandbox.settings import AgencySettings
from bhxh_sdk.secret import Secret
from bhxh_sdk.system import SystemClock
from bhxh_sdk.transport import (
    AsyncHttpSender,
    EndpointProfile,
    Filing,
    HttpSender,
    Operation,
    PortalChannel,
    RetryPolicy,
    SignatureBy,
)


@pytest.fixture
def world():
    world = PortalWorld()
    with served(world.portal.app) as world.base_url:
        yield world


@pytest.fixture
def slow_world():
    """An agency that decides later, by hand."""
    world = PortalWorld(AgencySettings(decided_after=None, numbered_after=timedelta(hours=1)))
    with served(world.portal.app) as world.base_url:
        yield world


def test_a_unit_registers_activates_and_logs_in(world):
    channel, filing = world.channel(), world.filing()
    receipt = run(channel.submit(filing))
    assert receipt.dossier_number == ""
    assert receipt.received_at == NOW
    assert receipt.activation_by_mail
    account = run(channel.activate(filing, receipt.sending_key, world.code()))
    assert (account.user_name, account.credentials_by_mail) == ("", True)
    session = run(channel.log_in(world.credentials(), world.person))
    assert session.unit.unit_code == "TZ0001Z"
    assert session.unit.agency_code == "07906"
    assert session.unit.internal_id == "1000"
    assert session.expires_at == NOW + timedelta(minutes=63)
    assert not session.must_change_password
    run(channel.check(session))
    run(channel.close())
    assert len(world.person.captchas) == 1
    assert world.agency.submissions == 1


def test_the_same_way_without_blocking(world):
    profile = world.profile()
    sender = AsyncHttpSender(world.clock, allowed_hosts=profile.allowed_hosts)
    channel = PortalChannel(profile, sender, world.clock, passphrase=world.portal.passphrase)
    filing = world.filing()

    async def way():
        receipt = await channel.submit(filing)
        await channel.activate(filing, receipt.sending_key, world.code())
        return await channel.log_in(world.credentials(), world.person)

    assert asyncio.run(way()).unit.unit_code == "TZ0001Z"


def test_progress_is_slow_numbers_come_later(slow_world):
    world, channel = slow_world, slow_world.channel()
    key = run(channel.submit(world.filing())).sending_key
    progress = run(channel.progress(key))
    assert (progress.outcome, progress.dossier_number, progress.raw_state) == (
        Outcome.PROCESSING,
        "",
        "Đang xử lý",
    )
    assert [step.number for step in progress.steps] == [1, 2, 3]
    assert progress.steps[0].at == NOW
    assert progress.steps[1].at is None
    world.clock.advance(timedelta(hours=1))
    assert run(channel.progress(key)).dossier_number == "00001/2026/07906"
    world.agency.decide(key, accept=False, text="sai tên")
    refused = run(channel.progress(key))
    assert refused.outcome is Outcome.REFUSED
    assert refused.reason[0] == "SBX-139"
    with pytest.raises(RefusedError):
        run(channel.progress("nobody"))


def test_a_filing_is_found_by_key_or_by_document(world):
    channel, filing = world.channel(), world.filing()
    assert run(channel.find(filing)) is None
    key = run(channel.submit(filing)).sending_key
    assert run(channel.find(filing)).sending_key == key
    assert run(channel.find(evolve(filing, key="other"))).sending_key == key
    assert run(channel.find(Filing(key="key-1", form=filing.form))).sending_key == key
    assert run(channel.find(Filing(key="other", form=filing.form))) is None


def test_adjusting_stopping_and_first_registering_have_their_own_calls(world):
    channel = world.channel()
    with pytest.raises(NotRegisteredError):
        run(
            channel.submit(
                world.filing(action=Action.STOP, stop=models.Stop(from_date=NOW.date(), text="giải thể"))
            )
        )
    with pytest.raises(NotRegisteredError):
        run(channel.submit(world.filing(action=Action.ADJUST, changes="email")))
    world.registered(channel)
    assert run(channel.submit(world.filing("key-2", action=Action.ADJUST, changes="email"))).sending_key
    with pytest.raises(AlreadyRegisteredError) as caught:
        run(channel.submit(world.filing("key-3")))
    assert caught.value.agency_code == "3020"


def test_a_first_registration_goes_to_its_own_call(world):
    licence = models.Attachment(file_name="gpkd.pdf", content=b"%PDF-", description="Giấy phép kinh doanh")
    form = world.filing().form
    first = evolve(form, organisation=evolve(form.organisation, unit_code=None), attachments=(licence,))
    sender = Recording({"status": "success", "data": {"maGiaoDich": "1"}})
    channel = recorded_channel(sender)
    document = models.Document(file_name="a.xml", content=b"<a/>")
    run(channel.submit(Filing(key="k", form=first, document=document)))
    assert sender.requests[-1].url.endswith("/sandbox/first-register")


def test_the_code_is_judged_in_every_way(slow_world):
    world, channel = slow_world, slow_world.channel()
    filing = world.filing()
    key = run(channel.submit(filing)).sending_key
    with pytest.raises(WrongCodeError):
        run(channel.activate(filing, key, Secret("WRONG")))
    code = world.code()
    run(channel.activate(filing, key, code))
    with pytest.raises(AlreadyActivatedError):
        run(channel.activate(filing, key, code))


def test_a_code_expires(slow_world):
    world, channel = slow_world, slow_world.channel()
    filing = world.filing()
    key = run(channel.submit(filing)).sending_key
    world.clock.advance(timedelta(days=2))
    with pytest.raises(CodeExpiredError):
        run(channel.activate(filing, key, world.code()))


def test_paper_is_not_sent(world):
    with pytest.raises(InputError) as caught:
        run(world.channel().submit(evolve(world.filing(), document=None)))
    assert caught.value.code == "input.no_document"


@pytest.mark.parametrize("fault", [one for one in Fault if one is not Fault.HOLD_REPLY])
def test_an_answer_that_says_nothing_leaves_the_filing_in_doubt(world, fault):
    channel, filing = world.channel(), world.filing()
    run(channel.ivans())  # the client id is fetched before
    world.portal.faults.next("register", fault)
    with pytest.raises(UnknownOutcomeError) as caught:
        run(channel.submit(filing))
    assert caught.value.reference == "key-1"
    executed = fault in {Fault.HTML_AFTER, Fault.LOSE_REPLY, Fault.CUT_REPLY}
    assert world.agency.submissions == executed
    assert (run(channel.find(filing)) is not None) == executed


def test_an_answer_that_never_comes_ends_with_the_deadline(world):
    profile = world.profile(operations={"register": {"deadline_seconds": 0.3}})
    sender = HttpSender(SystemClock(), allowed_hosts=profile.allowed_hosts)
    channel = PortalChannel(profile, sender, world.clock, passphrase=world.portal.passphrase)
    world.portal.faults.next("register", Fault.HOLD_REPLY)
    with pytest.raises(UnknownOutcomeError) as caught:
        run(channel.submit(world.filing()))
    assert caught.value.code == "unknown_outcome.deadline"
    assert world.agency.submissions == 1


def test_what_fails_before_a_filing_sends_nothing(world):
    channel, filing = world.channel(), world.filing()
    world.portal.faults.next("client_id", Fault.HTML_PAGE)
    with pytest.raises(NotSentError) as caught:
        run(channel.submit(filing))
    assert caught.value.code == "not_sent.preparation"
    assert run(channel.submit(filing)).sending_key


class Refusing:
    """A sender whose other side lets nobody in."""

    async def send(self, request):
        return Reply(status=403, body=b'{"message": "no entry"}')


def test_a_no_before_a_filing_is_not_the_agencys_no():
    profile = EndpointProfile.shipped("portal-sandbox")
    channel = PortalChannel(profile, Refusing(), VirtualClock(NOW), passphrase=Secret("p"))
    with pytest.raises(NotSentError):
        run(channel.submit(PortalWorld().filing()))


def test_a_lost_activation_is_in_doubt_and_may_be_asked_after(world):
    channel, filing = world.channel(), world.filing()
    key = run(channel.submit(filing)).sending_key
    world.portal.faults.next("activate", Fault.LOSE_REPLY)
    with pytest.raises(UnknownOutcomeError) as caught:
        run(channel.activate(filing, key, world.code()))
    assert caught.value.reference == key
    assert run(channel.progress(key)).activated is True


def test_reading_sits_a_passing_trouble_out(world):
    channel = world.channel()
    key = run(channel.submit(world.filing())).sending_key
    for fault in (Fault.UNAVAILABLE, Fault.LOSE_REPLY):
        world.portal.faults.next("progress", fault, times=2)
        assert run(channel.progress(key)).sending_key == key
    world.portal.faults.next("progress", Fault.LOSE_REPLY, times=3)
    with pytest.raises(UnexpectedReplyError) as caught:
        run(channel.progress(key))
    assert caught.value.code == "unexpected_reply.lost"


@pytest.mark.parametrize("fault", [Fault.HTML_PAGE, Fault.CUT_REPLY, Fault.SERVER_ERROR, Fault.REDIRECT])
def test_reading_says_what_it_could_not_understand(world, fault):
    channel = world.channel(retry=RetryPolicy(tries=1))
    world.portal.faults.next("ivans", fault)
    with pytest.raises(UnexpectedReplyError) as caught:
        run(channel.ivans())
    assert "TS24" not in str(caught.value)


def test_logging_in_is_refused_once_and_not_repeated(world):
    channel = world.channel()
    credentials = world.registered(channel)
    wrong = evolve(credentials, password=Secret("wrong"))
    with pytest.raises(LogInRefusedError) as caught:
        run(channel.log_in(wrong, world.person))
    assert caught.value.agency_code == "invalid_grant"
    world.person.types = "0000x"
    with pytest.raises(LogInRefusedError) as caught:
        run(channel.log_in(credentials, world.person))
    assert caught.value.agency_code == "invalid_captcha"
    assert len(world.person.captchas) == 2


def test_an_empty_captcha_is_not_sent(world):
    world.person.types = "  "
    with pytest.raises(InputError) as caught:
        run(world.channel().log_in(models.Credentials(user_name="u", password=Secret("p")), world.person))
    assert caught.value.code == "input.captcha_empty"


def test_a_lost_log_in_is_nobodys_doubt(world):
    channel = world.channel()
    credentials = world.registered(channel)
    world.portal.faults.next("log_in", Fault.LOSE_REPLY)
    with pytest.raises(UnexpectedReplyError):
        run(channel.log_in(credentials, world.person))


def test_the_session_reads_history_notices_trace_and_files(world):
    channel = world.channel()
    session = run(channel.log_in(world.registered(channel), world.person))
    (past,) = run(channel.history(session))
    assert (past.dossier_number, past.raw_state, past.outcome) == (
        "00001/2026/07906",
        "2",
        Outcome.PROCESSING,
    )
    assert run(channel.progress(past.sending_key)).dossier_number == past.dossier_number
    notices = run(channel.notices(session, past.dossier_number))
    assert [notice.number for notice in notices][:1] == ["01/TB-SANDBOX"]
    assert notices[0].issued_at == NOW
    assert run(channel.notices(session, "00009/2026/07906")) == ()
    trace = run(channel.trace(session, past.dossier_number))
    assert trace.steps[0].at == NOW
    assert trace.steps[0].text.startswith("Phòng tiếp nhận (sandbox): ")
    assert trace.dossier_number == past.dossier_number
    (file,) = run(channel.files(session, past.dossier_number))
    assert file.internal_id.startswith("MINIO#2#:")


def test_procedures_and_their_forms_are_listed(world):
    channel = world.channel(world.profile("portal-vss"))
    session = run(channel.log_in(world.registered(world.channel()), world.person))
    procedures = run(channel.procedures(session))
    assert [(one.code, one.internal_id) for one in procedures] == [
        ("SBX01", "1"),
        ("SBX02", "2"),
        ("SBX03", "3"),
    ]
    required, optional = run(channel.forms_of(session, procedures[0].code))
    assert (required.code, required.required, optional.required) == ("SBX01-DS", True, False)
    assert (required.parent_code, required.internal_id) == ("SBX01", "101")
    assert required.name
    assert run(channel.forms_of(session, "NONE")) == ()
    world.clock.advance(timedelta(hours=2))
    for call in (channel.procedures(session), channel.forms_of(session, "SBX01")):
        with pytest.raises(SessionExpiredError):
            run(call)


def test_a_session_ends_with_its_time(world):
    channel = world.channel()
    session = run(channel.log_in(world.registered(channel), world.person))
    world.clock.advance(timedelta(hours=2))
    for call in (channel.check(session), channel.history(session)):
        with pytest.raises(SessionExpiredError):
            run(call)
    with pytest.raises(SessionExpiredError):
        run(channel.change_password(session, Secret("a"), Secret("b")))


def test_the_password_changes(world):
    channel = world.channel()
    credentials = world.registered(channel)
    session = run(channel.log_in(credentials, world.person))
    with pytest.raises(RefusedError) as caught:
        run(channel.change_password(session, Secret("wrong"), Secret("Another-1-password")))
    assert caught.value.agency_code.startswith("SBX-")
    new = Secret("Another-1-password")
    run(channel.change_password(session, credentials.password, new))
    assert run(channel.log_in(evolve(credentials, password=new), world.person)).unit
    world.portal.faults.next("change_password", Fault.HTML_AFTER)
    with pytest.raises(UnknownOutcomeError):
        run(channel.change_password(session, new, Secret("A-third-1-password")))


def test_a_new_password_comes_by_mail(world):
    channel = world.channel()
    world.registered(channel)
    run(channel.request_password_reset("TZ0001Z", "0100109106"))
    assert world.mailed("password_reset", "Mật khẩu")
    with pytest.raises(RefusedError):
        run(channel.request_password_reset("TZ0001Z", "0123456789"))


def test_lists_are_read(world):
    channel = world.channel()
    assert models.Ivan("00040", "").code in {ivan.code for ivan in run(channel.ivans())}
    assert "79" in {entry.code for entry in run(channel.provinces())}
    ward = run(channel.wards("01"))[0]
    assert (ward.code, ward.parent_code) == ("00004", "01")
    agency = next(one for one in run(channel.agencies("79")) if str(one.code) == "07906")
    assert agency.source == "portal-sandbox /sandbox/agencies"


def test_the_live_profile_offers_what_is_seen_and_no_more(world):
    channel = world.channel(world.profile("portal-vss"))
    capabilities = channel.capabilities
    assert not capabilities.proven
    assert capabilities.signature_by is SignatureBy.CLIENT
    assert Operation.LOG_IN in capabilities.operations
    assert Operation.REGISTER not in capabilities.operations
    filing = world.filing()
    for call in (
        channel.submit(filing),
        channel.progress("k"),
        channel.find(filing),
        channel.activate(filing, "k", Secret("c")),
        channel.request_password_reset("u", "t"),
        channel.agencies("01"),
    ):
        with pytest.raises(UnsupportedOperationError):
            run(call)


def test_a_needed_passphrase_is_asked_for(world):
    channel = world.channel(passphrase=None)
    with pytest.raises(SetupError) as caught:
        run(channel.submit(world.filing()))
    assert caught.value.code == "setup.passphrase_missing"


def test_a_wrong_passphrase_is_refused_by_the_portal(world):
    channel = world.channel(passphrase=Secret("stale"))
    with pytest.raises(RefusedError) as caught:
        run(channel.ivans())
    assert "X-CLIENT" in caught.value.agency_text


class Recording:
    """A sender that answers everything alike and remembers what it was asked."""

    def __init__(self, *values):
        self.values = list(values)
        self.requests = []

    async def send(self, request):
        self.requests.append(request)
        value = self.values.pop(0) if len(self.values) > 1 else self.values[0]
        return Reply(status=200, body=json.dumps(value).encode())


def recorded_channel(sender, **overrides):
    optional = {"client_header": {"required": False}, **overrides}
    profile = EndpointProfile.shipped("portal-sandbox").with_overrides(optional)
    return PortalChannel(profile, sender, VirtualClock(NOW))


def test_without_a_passphrase_an_optional_header_is_left_out():
    sender = Recording([])
    assert run(recorded_channel(sender).ivans()) == ()
    assert "X-CLIENT" not in dict(sender.requests[0].headers)


def test_a_portal_without_a_client_id_is_not_understood():
    profile = EndpointProfile.shipped("portal-sandbox")
    channel = PortalChannel(profile, Recording(""), VirtualClock(NOW), passphrase=Secret("p"))
    with pytest.raises(UnexpectedReplyError) as caught:
        run(channel.ivans())
    assert caught.value.field == "client_id"


SESSION = models.Session(user_name="u", token=Secret("t"))


def test_a_token_from_elsewhere_needs_no_unit():
    sender = Recording({"DSThuTuc": None})
    assert run(recorded_channel(sender).history(SESSION)) == ()
    data = json.loads(sender.requests[0].body)["data"]
    assert (data["masobhxhuser"], data["loaidoituonguser"]) == ("", "1")


def test_procedures_are_asked_for_page_by_page_and_by_agency():
    row = {"ID": 7.0, "Ma": "600", "Ten": "Thủ tục"}
    sender = Recording({"dsDmthutuc": [row] * 100, "TotalRecords": 101.0}, {"dsDmthutuc": [row]})
    found = run(recorded_channel(sender).procedures(SESSION, agency_id="4455"))
    assert len(found) == 101
    assert (found[0].code, found[0].name, found[0].internal_id) == ("600", "Thủ tục", "7")
    asked = [json.loads(request.body)["data"] for request in sender.requests]
    assert [(data["pagenum"], data["pagesize"], data["coquanid"]) for data in asked] == [
        (1, 100, "4455"),
        (2, 100, "4455"),
    ]
    assert run(recorded_channel(Recording({"dsDmthutuc": None})).procedures(SESSION)) == ()


def test_forms_are_asked_for_as_the_units_agency_wants_them():
    unit = models.Unit(unit_code="TZ0001Z", agency_code="07906")
    sender = Recording([{"matokhai": "D02", "isbatbuoc": None}])
    channel = recorded_channel(sender)
    (form,) = run(channel.forms_of(evolve(SESSION, units=(unit,), unit=unit), "600"))
    assert (form.code, form.name, form.required) == ("D02", "", None)
    run(channel.forms_of(SESSION, "600"))
    asked = [json.loads(request.body) for request in sender.requests]
    assert [body["code"] for body in asked] == ["062", "062"]
    assert [body["data"]["maCoQuan"] for body in asked] == ["07906", ""]
    assert asked[0]["data"]["maQuyTrinh"] == "600"
    assert asked[0]["data"]["macoquanuser"] == "07906"


def test_history_is_read_page_by_page():
    page = {"DSThuTuc": [{"id": 1.0}] * 100, "totalRecords": 250.0}
    last = {"DSThuTuc": [{"id": 2.0}] * 50}
    sender = Recording(page, page, last)
    assert len(run(recorded_channel(sender).history(SESSION))) == 250
    pages = [json.loads(request.body)["data"]["PageIndex"] for request in sender.requests]
    assert pages == [1, 2, 3]


def test_history_stops_at_the_total():
    sender = Recording({"DSThuTuc": [{"id": 1.0}] * 100, "TotalRecords": 100.0})
    assert len(run(recorded_channel(sender).history(SESSION))) == 100
    assert len(sender.requests) == 1


def test_history_has_an_end_even_when_the_portal_has_none():
    sender = Recording({"DSThuTuc": [{"id": 1.0}] * 100, "TotalRecords": "many"})
    assert len(run(recorded_channel(sender).history(SESSION))) == 100
    endless = Recording({"DSThuTuc": [{"id": 1.0}] * 100, "TotalRecords": 999_999})
    assert len(run(recorded_channel(endless).history(SESSION))) == 10_000


def test_a_trace_without_acts_is_read():
    sender = Recording({"Quatrinh": [{"Buoc": 1.0, "Tenphongban": "A"}]})
    trace = run(recorded_channel(sender).trace(SESSION, "d"))
    assert (trace.steps[0].at, trace.steps[0].text, trace.dossier_number) == (None, "A", "d")
