"""The I-VAN channel over real HTTP, against the sandbox's I-VAN, and against answers told beforehand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve
from workflow_world import a_form

from bhxh_sdk import xml
from bhxh_sdk.blocking import run_blocking as run
from bhxh_sdk.errors import (
    AlreadyActivatedError,
    AlreadyRegisteredError,
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
from bhxh_sdk.messages import LANGUAGES
from bhxh_sdk.models import (
    Action,
    Attachment,
    Certainty,
    CertificateInfo,
    Credentials,
    Ivan,
    Organisation,
    Outcome,
    Portal,
    SignedDocument,
    Stop,
    StopReason,
)
from bhxh_sdk.ports import Reply, Request
from bhxh_sdk.sandbox import Fault, Phone, Sandbox, VirtualClock
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers import SigningJob, choose_certificate, sign
from bhxh_sdk.transport import EndpointProfile, Filing, Operation, SignatureBy
from bhxh_sdk.transport.ivan import IvanChannel
from bhxh_sdk.transport.mailbox import activation_code_in, credentials_in
from bhxh_sdk.transport.retrying import NO_RETRY

IVAN = Ivan("00040", "I-VAN VÍ DỤ")
LICENCE = Attachment(file_name="giay-phep.pdf", content=b"%PDF-")
ACCOUNT = Credentials(user_name="sandbox", password=Secret("sandbox-ivan"))


def filing(sandbox: Sandbox, key: str = "key-1", **changes: Any) -> Filing:
    """Return a filing with its document, built and signed by the package itself."""
    form = a_form(**{"transact_at": IVAN, **changes}).dated(sandbox.clock.now().date())
    signer = sandbox.signer(form.organisation)
    certificate = choose_certificate(run(signer.certificates()), form.organisation, sandbox.clock.now())
    document = xml.build(form, certificate=certificate.certificate)
    prepared = xml.prepare(document.content, certificate.certificate, signing_time=sandbox.clock.now())
    job = SigningJob(document_id="1", digest=prepared.digest, signed_info=prepared.signed_info)
    value = run(sign(signer, [job], certificate, sandbox.ask, sandbox.clock))["1"]
    content = xml.complete(prepared, value)
    signed = SignedDocument(file_name=document.file_name, content=content, profile=document.profile)
    return Filing(key=key, form=form, document=signed, certificate=certificate.certificate)


def unsigned(sandbox: Sandbox, key: str = "key-1", **changes: Any) -> Filing:
    form = a_form(**{"transact_at": IVAN, **changes}).dated(sandbox.clock.now().date())
    return Filing(key=key, form=form, key_id="remote-1")


def code_of(sandbox: Sandbox) -> Secret:
    return activation_code_in(sandbox.outbox.latest("hr@example.com", "activation").as_bytes()).code


def account_of(sandbox: Sandbox) -> Credentials:
    return credentials_in(sandbox.outbox.latest("hr@example.com", "credentials").as_bytes())


def registered(sandbox: Sandbox, channel: IvanChannel) -> Credentials:
    sent = filing(sandbox)
    receipt = run(channel.submit(sent))
    run(channel.activate(sent, receipt.sending_key, code_of(sandbox)))
    return account_of(sandbox)


@pytest.fixture
def service(bhxh_sandbox: Sandbox) -> IvanChannel:
    return bhxh_sandbox.ivan_channel(profile="ivan-vbhxh")


# The client signs


def test_a_signed_declaration_is_filed_and_followed(bhxh_sandbox, bhxh_ivan):
    sent = filing(bhxh_sandbox)
    receipt = run(bhxh_ivan.submit(sent))
    assert receipt.sending_key
    assert receipt.dossier_number == ""
    assert receipt.received_at == bhxh_sandbox.clock.now().replace(microsecond=0)
    assert receipt.activation_by_mail
    progress = run(bhxh_ivan.progress(receipt.sending_key))
    assert progress.outcome is Outcome.ACCEPTED
    assert progress.dossier_number.endswith("/07906")
    assert progress.activated is False
    assert [step.number for step in progress.steps] == [1, 2, 3]
    assert progress.steps[0].at == receipt.received_at
    assert bhxh_sandbox.agency.submissions == 1


def test_a_filing_is_found_by_its_key_and_by_its_document(bhxh_sandbox, bhxh_ivan):
    sent = filing(bhxh_sandbox)
    assert run(bhxh_ivan.find(sent)) is None
    receipt = run(bhxh_ivan.submit(sent))
    for known in (sent, evolve(sent, key="forgotten"), evolve(sent, document=None)):
        assert run(bhxh_ivan.find(known)).sending_key == receipt.sending_key


def test_activation_leads_to_an_account_and_a_session(bhxh_sandbox, bhxh_ivan):
    account = registered(bhxh_sandbox, bhxh_ivan)
    session = run(bhxh_ivan.log_in(account, bhxh_sandbox.ask))
    assert session.unit.unit_code == "TZ0001Z"
    assert session.unit.agency_code == "07906"
    (past,) = run(bhxh_ivan.history(session))
    assert past.outcome is Outcome.ACCEPTED
    assert past.dossier_number
    assert [step.number for step in past.steps] == [1, 2, 3]
    run(bhxh_ivan.change_password(session, account.password, Secret("new-password")))
    with pytest.raises(LogInRefusedError):
        run(bhxh_ivan.log_in(account, bhxh_sandbox.ask))


def test_a_new_password_comes_by_mail(bhxh_sandbox, bhxh_ivan):
    registered(bhxh_sandbox, bhxh_ivan)
    run(bhxh_ivan.request_password_reset("TZ0001Z", "0100109106"))
    mail = bhxh_sandbox.outbox.latest("hr@example.com", "password_reset")
    assert run(bhxh_ivan.log_in(credentials_in(mail.as_bytes()), bhxh_sandbox.ask, "tz0001z")).token


def test_wrong_and_used_codes_are_told_apart(bhxh_sandbox, bhxh_ivan):
    sent = filing(bhxh_sandbox)
    receipt = run(bhxh_ivan.submit(sent))
    with pytest.raises(WrongCodeError):
        run(bhxh_ivan.activate(sent, receipt.sending_key, Secret("WRONG123")))
    run(bhxh_ivan.activate(sent, receipt.sending_key, code_of(bhxh_sandbox)))
    with pytest.raises(AlreadyActivatedError):
        run(bhxh_ivan.activate(sent, receipt.sending_key, code_of(bhxh_sandbox)))


def test_what_the_agency_refuses_is_typed(bhxh_sandbox, bhxh_ivan):
    stop = Stop(from_date=bhxh_sandbox.clock.now().date(), reason=StopReason.OTHER)
    with pytest.raises(NotRegisteredError) as caught:
        run(bhxh_ivan.submit(filing(bhxh_sandbox, action=Action.STOP, stop=stop)))
    assert caught.value.agency_code == "3021"
    registered(bhxh_sandbox, bhxh_ivan)
    with pytest.raises(AlreadyRegisteredError):
        run(bhxh_ivan.submit(filing(bhxh_sandbox, "key-2")))


def test_adjust_and_stop_reach_their_end(bhxh_sandbox, bhxh_ivan):
    registered(bhxh_sandbox, bhxh_ivan)
    stop = Stop(from_date=bhxh_sandbox.clock.now().date(), reason=StopReason.OTHER)
    for changes in ({"action": Action.ADJUST, "changes": "Đổi email"}, {"action": Action.STOP, "stop": stop}):
        receipt = run(bhxh_ivan.submit(filing(bhxh_sandbox, **changes)))
        assert not receipt.activation_by_mail
        assert run(bhxh_ivan.progress(receipt.sending_key)).outcome is Outcome.ACCEPTED


def test_a_first_registration_is_filed(bhxh_sandbox, bhxh_ivan):
    organisation = Organisation(name="CÔNG TY TNHH VÍ DỤ", tax_code="0100109106", address="1 Phố Ví Dụ")
    receipt = run(bhxh_ivan.submit(filing(bhxh_sandbox, organisation=organisation, attachments=(LICENCE,))))
    assert receipt.activation_by_mail
    assert run(bhxh_ivan.progress(receipt.sending_key)).outcome is Outcome.PROCESSING


def test_a_document_is_needed_where_the_client_signs(bhxh_sandbox, bhxh_ivan):
    with pytest.raises(InputError, match="no_document"):
        run(bhxh_ivan.submit(unsigned(bhxh_sandbox)))


def test_a_lost_answer_leaves_the_outcome_unknown(bhxh_sandbox, bhxh_ivan):
    sent = filing(bhxh_sandbox)
    bhxh_sandbox.ivan.faults.next("register", Fault.HTML_AFTER)
    with pytest.raises(UnknownOutcomeError) as caught:
        run(bhxh_ivan.submit(sent))
    assert caught.value.reference == "key-1"
    assert run(bhxh_ivan.find(sent)).sending_key
    assert bhxh_sandbox.agency.submissions == 1


def test_agencies_of_a_province_are_listed(bhxh_ivan):
    agencies = run(bhxh_ivan.agencies("79"))
    assert "07906" in {str(agency.code) for agency in agencies}
    assert {agency.certainty for agency in agencies} == {Certainty.SEEN}


def test_a_session_that_has_ended_is_opened_again(bhxh_sandbox, bhxh_ivan):
    receipt = run(bhxh_ivan.submit(filing(bhxh_sandbox)))
    bhxh_sandbox.ivan.end_sessions()
    assert run(bhxh_ivan.progress(receipt.sending_key)).sending_key == receipt.sending_key
    bhxh_sandbox.ivan.end_sessions()
    assert run(bhxh_ivan.submit(filing(bhxh_sandbox, "key-2"))).sending_key != receipt.sending_key
    assert bhxh_sandbox.agency.submissions == 2


# The service signs


def test_the_service_signs_after_the_phone_and_the_history_tells_the_key(bhxh_sandbox, service):
    assert service.capabilities.signature_by is SignatureBy.SERVICE
    receipt = run(service.submit(unsigned(bhxh_sandbox)))
    assert receipt.sending_key == bhxh_sandbox.agency.cases("00040")[-1].sending_key
    assert run(service.progress(receipt.sending_key)).outcome is Outcome.ACCEPTED


def test_a_first_registration_travels_with_its_files(bhxh_sandbox, service):
    organisation = Organisation(name="CÔNG TY TNHH VÍ DỤ", tax_code="0100109106", address="1 Phố Ví Dụ")
    receipt = run(service.submit(unsigned(bhxh_sandbox, organisation=organisation, attachments=(LICENCE,))))
    case = bhxh_sandbox.agency.case(receipt.sending_key)
    assert case.is_first
    assert case.form.attachments[0].content == b"%PDF-"
    assert case.form.contact.email == a_form().contact.email


def test_an_unconfirmed_signature_has_sent_nothing(bhxh_sandbox, service):
    bhxh_sandbox.ivan.phone = Phone.IS_SILENT
    with pytest.raises(NotSentError) as caught:
        run(service.submit(unsigned(bhxh_sandbox)))
    assert caught.value.code == "not_sent.not_confirmed"
    for language in LANGUAGES:
        assert "58061" in caught.value.message(language)
    assert bhxh_sandbox.agency.submissions == 0
    bhxh_sandbox.ivan.phone = Phone.CONFIRMS
    assert run(service.submit(unsigned(bhxh_sandbox))).sending_key


def test_a_declined_signature_is_a_refusal(bhxh_sandbox, service):
    bhxh_sandbox.ivan.phone = Phone.DECLINES
    with pytest.raises(RefusedError) as caught:
        run(service.submit(unsigned(bhxh_sandbox)))
    assert caught.value.agency_code == "SBX-401"


def test_the_only_remote_certificate_is_taken(bhxh_sandbox, service):
    assert run(service.submit(evolve(unsigned(bhxh_sandbox), key_id=""))).sending_key


def test_several_remote_certificates_are_not_chosen_from(bhxh_sandbox, service):
    bhxh_sandbox.ivan.credentials = ("remote-1", "remote-2")
    with pytest.raises(SetupError) as caught:
        run(service.submit(evolve(unsigned(bhxh_sandbox), key_id="")))
    assert caught.value.code == "setup.ivan_credential"


def test_find_goes_by_kind_and_day_and_never_guesses(bhxh_sandbox, service):
    sent = unsigned(bhxh_sandbox)
    assert run(service.find(sent)) is None
    receipt = run(service.submit(sent))
    assert run(service.find(sent)).sending_key == receipt.sending_key
    later = evolve(sent, form=evolve(sent.form, made_on=sent.form.made_on.replace(year=2100)))
    assert run(service.find(later)) is None
    other = evolve(sent, form=evolve(sent.form, action=Action.ADJUST))
    assert run(service.find(other)) is None
    run(service.submit(unsigned(bhxh_sandbox, "key-2")))
    assert run(service.find(sent)) is None


def test_a_filing_whose_key_cannot_be_told_has_still_arrived(bhxh_sandbox):
    two = [{"messId": "1", "toKhai": "D101"}, {"messId": "2", "toKhai": "D101"}]
    assert run(told_with_history([], two).submit(unsigned(bhxh_sandbox))).sending_key == ""


def test_activation_has_no_place_at_this_ivan(bhxh_sandbox, service):
    with pytest.raises(UnsupportedOperationError) as caught:
        run(service.activate(unsigned(bhxh_sandbox), "S-1", Secret("ABCD1234")))
    for language in LANGUAGES:
        assert "operations.activate.path" in caught.value.message(language) + caught.value.hint(language)


# Answers told beforehand


class ToldSender:
    """Answers by path: the next of the replies told for it."""

    def __init__(self, **replies: list[Any]) -> None:
        self.replies = replies
        self.requests: list[Request] = []

    async def send(self, request: Request) -> Reply:
        self.requests.append(request)
        name = request.url.partition("?")[0].rsplit("/", 1)[1].replace("-", "_")
        told = self.replies[name].pop(0)
        if isinstance(told, Exception):
            raise told
        return told if isinstance(told, Reply) else Reply(status=200, body=json.dumps(told).encode())


def done(result: Any) -> dict[str, Any]:
    return {"code": "00", "errorMessage": None, "result": result}


def told(
    profile: str = "ivan-vbhxh", *, with_token: bool = True, account: Any = None, **replies: list[Any]
) -> IvanChannel:
    described = EndpointProfile.shipped(profile).with_overrides({"base_url": "http://127.0.0.1:1"})
    sender = ToldSender(**replies)
    token = Secret("token") if with_token else None
    given = {"token": token, "account": account, "credential_id": "c1", "retry": NO_RETRY}
    channel = IvanChannel(described, sender, VirtualClock(), **given)
    channel.told = sender
    return channel


def told_with_history(before: Any, after: Any) -> IvanChannel:
    answers = [done(before), after if isinstance(after, Reply) else done(after)]
    return told(get_histories_register=answers, register_new_service=[done(True)])


@pytest.mark.parametrize("after", [[], None, Reply(status=500), Reply(status=200, body=b"<html>")])
def test_no_new_row_in_the_history_is_no_key(bhxh_sandbox, after):
    assert run(told_with_history([], after).submit(unsigned(bhxh_sandbox))).sending_key == ""


def test_the_settings_of_the_profile_name_user_and_certificate(bhxh_sandbox):
    described = EndpointProfile.shipped("ivan-vbhxh").with_overrides(
        {"base_url": "http://127.0.0.1:1", "settings": {"user_id": "u 1", "credential_id": "c/1"}}
    )
    sender = ToldSender(get_histories_register=[done([]), done([])], register_new_service=[done(True)])
    channel = IvanChannel(described, sender, VirtualClock(), token=Secret("token"))
    run(channel.submit(evolve(unsigned(bhxh_sandbox), key_id="")))
    request = sender.requests[1]
    assert request.url.endswith("?userId=u+1&credentialID=c%2F1")
    assert request.deadline_seconds == 180
    assert ("Authorization", "Bearer token") in request.headers
    assert json.loads(request.body)["maDonVi"] == "TZ0001Z"


def test_a_certificate_is_described_where_the_profile_wants_it(bhxh_sandbox):
    channel = told_with_history([], [])
    certificate: CertificateInfo = bhxh_sandbox.pki.issue().info
    run(channel.submit(evolve(unsigned(bhxh_sandbox), certificate=certificate)))
    assert json.loads(channel.told.requests[1].body)["soSerialCTS"] == certificate.serial_text


@pytest.mark.parametrize(
    "answer", [done(False), {"code": "00"}, Reply(status=502), Reply(status=200, body=b"{")]
)
def test_an_answer_that_says_nothing_leaves_the_outcome_unknown(bhxh_sandbox, answer):
    channel = told(get_histories_register=[done([]), done([])], register_new_service=[answer])
    if answer == {"code": "00"}:
        assert run(channel.submit(unsigned(bhxh_sandbox))).sending_key == ""
        return
    with pytest.raises(UnknownOutcomeError):
        run(channel.submit(unsigned(bhxh_sandbox)))


def test_a_refusal_while_preparing_is_no_refusal_of_the_filing(bhxh_sandbox):
    refused = {"code": "2001", "errorMessage": "Sai mật khẩu"}
    with pytest.raises(SetupError) as caught:
        run(told(get_histories_register=[refused]).submit(unsigned(bhxh_sandbox)))
    assert caught.value.code == "setup.ivan_refused"


def test_an_answer_lost_while_preparing_has_sent_nothing(bhxh_sandbox):
    with pytest.raises(NotSentError):
        run(told(get_histories_register=[Reply(status=500)]).submit(unsigned(bhxh_sandbox)))


ENDED = Reply(status=401, body=b"")


def test_a_token_of_the_callers_own_is_not_renewed(bhxh_sandbox):
    with pytest.raises(SessionExpiredError):
        run(told(tien_do_dang_ky=[ENDED]).progress("S-1"))
    channel = told("ivan-sandbox", register_new_service=[ENDED])
    with pytest.raises(NotSentError) as caught:
        run(channel.submit(filing(bhxh_sandbox)))
    assert caught.value.code == "not_sent.token"
    assert "token" in caught.value.hint("en")
    assert len(channel.told.requests) == 1


def told_with_account(**replies: list[Any]) -> IvanChannel:
    return told("ivan-sandbox", with_token=False, account=ACCOUNT, **replies)


def test_a_filing_is_sent_once_more_with_a_new_session(bhxh_sandbox):
    taken = done({"messId": "S-1"})
    channel = told_with_account(auth=[done("old"), done("new")], register_new_service=[ENDED, taken])
    assert run(channel.submit(filing(bhxh_sandbox))).sending_key == "S-1"
    sent = [request for request in channel.told.requests if request.url.endswith("register-new-service")]
    assert [dict(request.headers)["Authorization"] for request in sent] == ["Bearer old", "Bearer new"]
    assert sent[0].body == sent[1].body


def test_a_token_beside_an_account_is_followed_by_the_accounts_session(bhxh_sandbox):
    taken = done({"messId": "S-1"})
    channel = told("ivan-sandbox", account=ACCOUNT, auth=[done("new")], register_new_service=[ENDED, taken])
    assert run(channel.submit(filing(bhxh_sandbox))).sending_key == "S-1"


def test_a_filing_is_never_sent_a_third_time(bhxh_sandbox):
    tokens = [done("first"), done("second"), done("third")]
    taken = done({"messId": "S-1"})
    channel = told_with_account(auth=tokens, register_new_service=[ENDED, ENDED, taken])
    with pytest.raises(NotSentError) as caught:
        run(channel.submit(filing(bhxh_sandbox)))
    assert caught.value.code == "not_sent.session"
    assert len(channel.told.requests) == 4
    assert run(channel.submit(filing(bhxh_sandbox))).sending_key == "S-1"


def test_a_doubt_after_the_new_session_is_a_doubt(bhxh_sandbox):
    tokens = [done("old"), done("new")]
    channel = told_with_account(auth=tokens, register_new_service=[ENDED, Reply(status=502)])
    with pytest.raises(UnknownOutcomeError) as caught:
        run(channel.submit(filing(bhxh_sandbox)))
    assert caught.value.reference == "key-1"


@pytest.mark.parametrize("good", [0, 1])
def test_a_log_in_that_fails_before_a_filing_is_no_answer_to_the_filing(bhxh_sandbox, good):
    refused = {"code": "2001", "errorMessage": "Sai mật khẩu"}
    for answer, error, code in (
        (refused, SetupError, "setup.ivan_refused"),
        (Reply(status=500), NotSentError, "not_sent.preparation"),
    ):
        channel = told_with_account(auth=[done("t")] * good + [answer], register_new_service=[ENDED])
        with pytest.raises(error) as caught:
            run(channel.submit(filing(bhxh_sandbox)))
        assert caught.value.code == code


def test_a_session_that_another_call_has_renewed_is_kept(bhxh_sandbox):
    renewed = Secret("renewed")

    class Renewing(ToldSender):
        async def send(self, request: Request) -> Reply:
            reply = await super().send(request)
            if reply.status == ENDED.status:
                channel._access._token = renewed
            return reply

    sender = Renewing(auth=[done("old")], register_new_service=[ENDED, done({"messId": "S-1"})])
    channel = IvanChannel(EndpointProfile.shipped("ivan-sandbox"), sender, VirtualClock(), account=ACCOUNT)
    assert run(channel.submit(filing(bhxh_sandbox))).sending_key == "S-1"
    assert ("Authorization", "Bearer renewed") in sender.requests[-1].headers


def test_a_call_without_token_and_account_says_what_to_supply():
    with pytest.raises(SetupError) as caught:
        run(told(with_token=False).progress("S-1"))
    assert caught.value.code == "setup.ivan_account"


def test_progress_reads_what_is_there():
    answer = {
        "trangThai": "Đang chờ",
        "soHoSo": None,
        "BUOC_1": {
            "ngay_ketqua": "02/03/2026 10:00",
            "ma_ketqua": 1.0,
            "mota_ketqua": "Tiếp nhận",
            "isFail": False,
        },
        "buoc_2": {"ma_ketqua": "3017", "mota_ketqua": "Sai", "isFail": "True"},
        "buoc_3": None,
        "buoc_4": {"ma_ketqua": "4"},
    }
    progress = run(told(tien_do_dang_ky=[done(answer)]).progress("S-1"))
    assert progress.outcome is Outcome.UNKNOWN
    assert progress.raw_state == "Đang chờ"
    assert progress.activated is None
    assert progress.reason == ("3017", "Sai")
    assert [step.number for step in progress.steps] == [1, 2, 4]


def test_a_refused_row_of_the_history_ends_in_failure(bhxh_sandbox):
    bare = {"messId": 7.0, "toKhai": "D101", "trangThaiTK": "Thất bại"}
    row = {**bare, "kqBuoc1": "Đã nhận", "kqBuoc2": "Sai mã"}
    channel = told(get_histories_register=[done([row]), done([bare])])
    found = run(channel.find(unsigned(bhxh_sandbox)))
    assert found.sending_key == "7"
    assert found.reason == ("", "Sai mã")
    assert run(channel.find(unsigned(bhxh_sandbox))).steps == ()


def test_a_log_in_may_hold_no_unit_or_several(bhxh_sandbox):
    two = [{"maDonVi": "TZ0001Z"}, {"maDonVi": "TZ0002Z"}, {"maDonVi": None}]
    tokens = [done("t1"), done("t2"), done("t3")]
    channel = told(auth=tokens, get_registration_info=[done(two), done(None), done(two)])
    assert run(channel.log_in(ACCOUNT, bhxh_sandbox.ask)).unit.unit_code == "TZ0001Z"
    assert run(channel.log_in(ACCOUNT, bhxh_sandbox.ask)).unit is None
    with pytest.raises(InputError):
        run(channel.log_in(ACCOUNT, bhxh_sandbox.ask, "TZ0009Z"))


def test_a_profile_without_registration_info_knows_no_units(bhxh_sandbox):
    data = dict(EndpointProfile.shipped("ivan-sandbox").source)
    data["operations"] = {name: one for name, one in data["operations"].items() if name == "log_in"}
    channel = IvanChannel(EndpointProfile.from_data(data), ToldSender(auth=[done("t")]), VirtualClock())
    assert run(channel.log_in(ACCOUNT, bhxh_sandbox.ask)).units == ()
    assert channel.capabilities.operations == {Operation.LOG_IN}


def test_a_lost_log_in_is_no_unknown_outcome(bhxh_sandbox):
    with pytest.raises(UnexpectedReplyError):
        run(told(auth=[done("")]).log_in(ACCOUNT, bhxh_sandbox.ask))
    with pytest.raises(UnexpectedReplyError):
        run(told(auth=[UnknownOutcomeError()]).log_in(ACCOUNT, bhxh_sandbox.ask))


@pytest.mark.parametrize("call", ["notices", "ivans", "provinces", "wards"])
def test_what_no_ivan_shows_is_refused_in_words(call):
    arguments = {"notices": (None, "1"), "wards": ("79",)}.get(call, ())
    with pytest.raises(UnsupportedOperationError) as caught:
        run(getattr(told(), call)(*arguments))
    assert call in caught.value.message("vi")


def test_an_ivan_without_an_address_is_refused_at_once():
    with pytest.raises(SetupError) as caught:
        IvanChannel(EndpointProfile.shipped("ivan-vbhxh"), ToldSender(), VirtualClock())
    assert caught.value.field == "base_url"
    assert "allowed_hosts" in caught.value.hint("vi")


def test_capabilities_are_what_the_profiles_have():
    sandbox, live = told("ivan-sandbox").capabilities, told().capabilities
    assert sandbox.signature_by is SignatureBy.CLIENT
    assert Operation.ACTIVATE in sandbox.operations
    assert Operation.FIND in live.operations
    assert Operation.ACTIVATE not in live.operations
    assert not live.proven
    run(told().close())


def test_a_password_never_shows(bhxh_sandbox, bhxh_ivan):
    with pytest.raises(LogInRefusedError) as caught:
        run(bhxh_ivan.log_in(Credentials(user_name="a", password=Secret("very-secret")), bhxh_sandbox.ask))
    assert "very-secret" not in str(caught.value) + repr(caught.value.__dict__) + repr(bhxh_ivan.__dict__)


def test_a_portal_form_is_not_an_ivans_business(bhxh_sandbox, bhxh_ivan):
    with pytest.raises(RefusedError) as caught:
        run(bhxh_ivan.submit(filing(bhxh_sandbox, transact_at=Portal())))
    assert caught.value.agency_code == "SBX-102"
