"""Viettel MySign v1: conversations with the sandbox in this process, and with answers written by hand."""

from __future__ import annotations

import base64
import json
import re
import traceback
from collections import Counter, deque
from contextlib import suppress
from datetime import timedelta

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bhxh_sdk.errors import (
    BhxhError,
    CertificateUnusableError,
    InputError,
    PersonNeededError,
    Retry,
    SetupError,
    SignatureMismatchError,
    SigningDeclinedError,
    SigningExpiredError,
    StillWaitingError,
    UnexpectedReplyError,
    UnknownOutcomeError,
)
from bhxh_sdk.ports import Reply, Request
from bhxh_sdk.remote_errors import (
    ConfirmationSecretError,
    ProviderError,
    ProviderFailedError,
    ProviderLoginError,
    ProviderRequestError,
    QuotaExhaustedError,
)
from bhxh_sdk.sandbox.remote import Answer, Mischief, SandboxPhone, SigningDesk
from bhxh_sdk.sandbox.remote.mysign import SandboxMySign
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers import SigningState, resume, sign, started, transaction_from_dict, transaction_to_dict
from bhxh_sdk.signers.remote import RemoteProfile, open_profile, protocol_of
from bhxh_sdk.signers.remote.conversation import Call

URL = "https://mysign.example"
SIGN, STATUS, LOGIN = "signHash", "requests/status", "ras/v1/login"


@attrs.define
class World:
    """A provider, a signer with an account there, and the sender between them."""

    provider: SandboxMySign
    sender: object
    clock: object
    run: object
    person: object
    table: dict
    credential: str

    def signer(self, **changes):
        """Open a signer, as another process would."""
        secrets = changes.pop("secrets", self.provider.secrets)
        return open_profile(
            RemoteProfile.from_table({**self.table, **changes}),
            clock=self.clock,
            senders=lambda clock, **options: self.sender,
            secrets=secrets,
            environment={},
        )

    def certificate(self, signer):
        return self.run(signer.certificates())[0]

    def signed(self, jobs, on_pending=None, **changes):
        signer = self.signer(**changes)
        return self.run(sign(signer, jobs, self.certificate(signer), self.person(), self.clock, on_pending))

    def begun(self, jobs, signer=None, **changes):
        """Start a transaction; the signer comes along."""
        signer = signer or self.signer(**changes)
        certificate = self.certificate(signer)
        return self.run(started(signer, jobs, certificate, self.person(), self.clock)), signer

    def calls(self, path=""):
        return [request for request in self.sender.requests if request.url.endswith(path)]

    def sent(self, path):
        return [json.loads(request.body) for request in self.calls(path)]

    @property
    def most_sent(self):
        """How often the digest that was accepted most was accepted."""
        return max(Counter(self.provider.desk.accepted).values(), default=0)


@pytest.fixture
def world(pki, clock, direct, run, person):
    def passes(by):
        clock.seconds += by.total_seconds()

    desk = SigningDesk(clock, SandboxPhone(), life=timedelta(seconds=120))
    provider = SandboxMySign(desk=desk, passes=passes)
    credential = provider.add(pki.issue())
    table = provider.profile_table(URL)
    return World(
        provider=provider,
        sender=direct(provider),
        clock=clock,
        run=run,
        person=person,
        table=table,
        credential=credential,
    )


class Canned:
    """Answers a log-in, and everything else from a script of (status, value or bytes)."""

    def __init__(self, *answers, **login):
        self.answers = list(answers)
        self.login = {"access_token": "token-0123", "expires_in": "3600", **login}

    def answer(self, request):
        status, value = (200, self.login) if request.url.endswith(LOGIN) else self.answers.pop(0)
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return Reply(status=status, body=body)


@pytest.fixture
def canned(world, direct):
    """Put written answers in the provider's place."""

    def put(*answers, **login):
        world.sender = direct(Canned(*answers, **login))
        return world

    return put


@pytest.fixture
def listed(pki):
    """An entry of the list of certificates."""

    def entry(name="KEY-1", **changes):
        chain = [base64.b64encode(der).decode() for der in (pki.issue().der, *pki.intermediates)]
        item = {"credential_id": name, "cert": {"certificates": chain}, "multisign": "2147483647"}
        return {**item, **changes}

    return entry


CODES = st.sampled_from(["0", "1", "4000", "6000", "4002", "13004", "50000", "59033", "60110", 1, 4001.0])


def shown_both(error):
    """Every error has texts in both languages."""
    assert all(error.message(language) and error.hint(language) for language in ("vi", "en"))
    assert error.message("vi") != error.message("en")


# The whole way


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
def test_every_mode_signs_once(world, job, mode):
    jobs = [job("một.xml"), job("hai.xml")]
    values = world.signed(jobs, async_mode=mode)
    assert set(values) == {"một.xml", "hai.xml"}
    assert [sent["async"] for sent in world.sent(SIGN)] == [mode]
    assert bool(world.calls(STATUS)) is (mode != 0)
    assert world.most_sent == 1
    assert len(world.provider.desk.phone.rings) == 1


def test_what_is_asked_for(world, job):
    jobs = [job(f"d{number}", document_name="Tờ khai Đăng ký.xml") for number in range(3)]
    world.signed(jobs)
    (sent,) = world.sent(SIGN)
    assert (sent["hashAlgo"], sent["signAlgo"]) == ("2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.1.1")
    assert (sent["client_id"], sent["async"]) == ("example-client", 1)
    assert [document["document_id"] for document in sent["documents"]] == ["d0", "d1", "d2"]
    (login,) = world.sent(LOGIN)
    assert sorted(login) == ["client_id", "client_secret", "profile_id", "user_id"]
    assert login["profile_id"] == "adss:ras:profile:001"


def test_the_webhook_mode_is_asked_after_like_the_others(world, job):
    transaction, signer = world.begun([job()], async_mode=3)
    assert transaction.state is SigningState.PENDING
    assert world.run(signer.result(transaction, world.clock)).state is SigningState.DONE


def test_five_hundred_documents_take_one_confirmation(world, job):
    jobs = [job(f"document {number}") for number in range(500)]
    assert len(world.signed(jobs)) == 500
    assert len(world.provider.desk.phone.rings) == 1
    assert world.provider.desk.phone.rings[0].shown.startswith("500 tai lieu")


# Traps of the interface


def test_the_list_says_credential_id_and_the_sign_call_credentialID(world, job):  # noqa: N802  # the member's spelling
    signer = world.signer()
    assert world.certificate(signer).key_id == world.credential
    world.begun([job()], signer)
    (sent,) = world.sent(SIGN)
    assert sent["credentialID"] == world.credential
    assert "credential_id" not in sent


def test_the_digest_goes_as_base64_and_as_hex_only_where_the_profile_says_so(world, job):
    one = job()
    world.begun([one])
    changes = {"hash_encoding": "hex"}
    world.begun([job("two")], dialect_changes=changes)
    assert world.provider.desk.accepted == (one.digest,)  # the sandbox holds with the vendor's document
    first, second = world.sent(SIGN)
    assert first["hash"] == [base64.b64encode(one.digest).decode()]
    assert second["hash"] == [job("two").digest.hex()]


@pytest.mark.parametrize("name", ["Tờ khai Đăng ký.xml", "文件", "đ" * 500, "a/b\\c\r\nd", "x" * 500])
def test_texts_are_base64_of_plain_letters_under_100_characters(world, job, name):
    world.begun([job(document_name=name)])
    (sent,) = world.sent(SIGN)
    texts = [sent["description"], sent["documents"][0]["document_name"]]
    for text in texts:
        assert len(text) < 100
        assert re.fullmatch(r"[a-zA-Z0-9_\- ]+", base64.b64decode(text).decode())


def test_a_description_of_the_profile_is_shown(world, job):
    world.begun([job()], description="Nộp tờ khai BHXH")
    assert world.provider.desk.phone.rings[0].shown.splitlines()[0] == "nop to khai bhxh"


@pytest.mark.parametrize("count", [1, 2, 7])
def test_the_three_counts_agree(world, job, count):
    world.begun([job(f"d{number}") for number in range(count)])
    (sent,) = world.sent(SIGN)
    assert sent["numSignatures"] == len(sent["hash"]) == len(sent["documents"]) == count


def test_line_ends_inside_a_signature_are_taken(world, job):
    world.provider.desk.misbehave(Mischief.LINE_ENDS)
    assert len(world.signed([job()])["one"]) == 256


def test_the_life_of_a_token_comes_as_text(world, job):
    world.provider.token_seconds = 300
    signer = world.signer()
    world.certificate(signer)
    world.clock.seconds += 239
    world.certificate(signer)
    assert world.provider.logins == 1
    world.clock.seconds += 2  # within the margin
    world.certificate(signer)
    assert world.provider.logins == 2


@pytest.mark.parametrize(
    ("told", "seconds", "again"),
    [
        (None, 3539, False),
        ("soon", 3539, False),
        ("soon", 3541, True),
        ("20", 9, False),
        ("20", 11, True),
        ("-5", 0, True),
        ("1e300", 86_000, False),
    ],
)
def test_any_life_of_a_token_is_lived_with(canned, listed, told, seconds, again):
    world = canned((200, [listed()]), (200, [listed()]), expires_in=told)
    signer = world.signer()
    world.certificate(signer)
    world.clock.seconds += seconds
    world.certificate(signer)
    assert len(world.calls(LOGIN)) == 1 + again


def test_the_list_is_an_array_with_numbers_as_texts(world):
    listing = json.loads(world.run(_reply_of(world, "certificates/info", certificates="chain")))
    assert isinstance(listing, list)
    entry = listing[0]
    assert (entry["multisign"], entry["key"]["len"]) == ("2147483647", "2048")
    assert re.fullmatch(r"\d{14}\+0000", entry["cert"]["validFrom"])
    signer = world.signer()
    found = world.certificate(signer)
    assert found.has_private_key
    assert found.certificate.der == base64.b64decode(entry["cert"]["certificates"][0])
    assert found.certificate.serial == int(entry["cert"]["serialNumber"], 16)


async def _reply_of(world, path, **more):
    """Ask the provider as the client does."""
    signer = world.signer()
    await signer.certificates()
    request = world.calls(path)[-1]
    return world.provider.answer(request).body


@pytest.mark.parametrize(
    ("multisign", "setting", "largest"),
    [
        ("2147483647", 500, 500),
        ("2147483647", 2000, 2000),
        ("20", 500, 20),
        (20, 500, 20),
        ("0", 500, 500),
        ("many", 500, 500),
    ],
)
def test_the_largest_batch_is_the_smaller_of_setting_and_certificate(
    canned, listed, multisign, setting, largest
):
    world = canned((200, [listed(multisign=multisign)]))
    signer = world.signer(largest_batch=setting)
    assert signer.capabilities.largest_batch == setting
    world.certificate(signer)
    assert signer.capabilities.largest_batch == largest


def test_a_larger_batch_is_signed_in_several_calls(world, job):
    world.provider.multisign = 2
    world.signed([job(f"d{number}") for number in range(5)])
    assert [sent["numSignatures"] for sent in world.sent(SIGN)] == [2, 2, 1]
    assert world.most_sent == 1
    assert world.provider.logins == 1


# Certificates


def test_one_unreadable_certificate_does_not_hide_the_others(canned, listed):
    odd = [
        listed("A", cert={"certificates": ["AAAA"]}),
        listed("B", cert={"certificates": []}),
        listed("C", cert={}),
        listed("D", cert=None),
        listed(""),
        listed(None),
        "text",
    ]
    world = canned((200, [*odd, listed("GOOD")]))
    assert [item.key_id for item in world.run(world.signer().certificates())] == ["GOOD"]


def test_a_list_of_nothing_but_odd_ones_cannot_be_understood(canned, listed):
    world = canned((200, [listed(cert={})]))
    with pytest.raises(UnexpectedReplyError):
        world.run(world.signer().certificates())


def test_only_the_credential_of_the_profile_is_listed(canned, listed):
    world = canned(*[(200, [listed("A"), listed("B", multisign="3")])] * 2, (200, []))
    signer = world.signer(credential_id="A")
    assert [item.key_id for item in world.run(signer.certificates())] == ["A"]
    assert signer.capabilities.largest_batch == 500
    assert world.run(world.signer(credential_id="C").certificates()) == ()
    assert world.run(world.signer().certificates()) == ()


@pytest.mark.parametrize("body", [b"<html>", b"[", {"items": 7}, {}])
def test_a_list_that_is_none_cannot_be_understood(canned, body):
    world = canned((200, body))
    with pytest.raises(UnexpectedReplyError):
        world.run(world.signer().certificates())


# Every status


def outcome_of(world, job, **changes):
    """Sign one document, and return the error that it ends in."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  # the caller looks at its kind
        world.signed([job()], **changes)
    return caught.value


ENDS = {
    "4001": (lambda world: world.provider.desk.phone.next(Answer.IGNORES), SigningExpiredError),
    "4002": (lambda world: world.provider.desk.phone.next(Answer.DECLINES), SigningDeclinedError),
    "4004": (lambda world: world.provider.desk.misbehave(Mischief.FAILS), ProviderFailedError),
    "4005": (lambda world: world.provider.desk.misbehave(Mischief.QUOTA), QuotaExhaustedError),
    "13004": (lambda world: world.provider.desk.misbehave(Mischief.REVOKED), CertificateUnusableError),
    "50000": (lambda world: world.provider.desk.misbehave(Mischief.INTERNAL), ProviderFailedError),
}


@pytest.mark.parametrize("mode", [0, 1])
@pytest.mark.parametrize("status", ENDS)
def test_every_status_that_ends_a_transaction_is_its_error(world, job, status, mode):
    planned, kind = ENDS[status]
    planned(world)
    error = outcome_of(world, job, async_mode=mode)
    assert type(error) is kind
    assert error.parameters["provider_code"] == status
    assert error.parameters["provider_text"]
    assert error.retry is Retry.NEVER
    assert error.reference
    shown_both(error)
    assert world.most_sent == 1


@pytest.mark.parametrize(
    "answer", [Answer.IS_UNREACHABLE, Answer.CONFIRMS_LATE], ids=lambda answer: answer.value
)
@pytest.mark.parametrize("mode", [0, 2])
def test_who_does_not_answer_in_time_is_asked_no_second_time(world, job, mode, answer):
    world.provider.desk.phone.next(answer)
    error = outcome_of(world, job, async_mode=mode)
    assert (type(error), error.parameters["provider_code"]) == (SigningExpiredError, "4001")
    assert len(world.provider.desk.phone.rings) == 1


def test_a_locked_phone_is_a_failure(world, job):
    world.provider.desk.phone.next(Answer.HAS_LOCKED_PIN)
    assert type(outcome_of(world, job)) is ProviderFailedError


@pytest.mark.parametrize("waiting", ["4000", "0"])
def test_a_transaction_that_waits_is_asked_again_every_two_seconds(world, job, waiting):
    world.provider.waiting = waiting
    world.provider.desk.phone.takes = timedelta(seconds=9)
    states = []

    async def keep(transaction):
        states.append(transaction.state)

    world.signed([job()], keep)
    assert states == [SigningState.INTENDED, SigningState.PENDING]
    assert world.clock.naps == [2] * 5


def test_6000_is_confirmed_and_still_being_signed(world, job):
    world.provider.desk.signing = timedelta(seconds=5)
    states = []

    async def keep(transaction):
        states.append(transaction.state)

    world.signed([job()], keep)
    assert states == [SigningState.INTENDED, SigningState.PENDING, SigningState.CONFIRMED]


def test_a_status_may_come_as_a_number(canned, listed, job):
    world = canned((200, [listed()]), (200, {"transactionId": "T"}), (200, {"status": 4000.0}))
    transaction, signer = world.begun([job()])
    assert world.run(signer.result(transaction, world.clock)) == transaction


@pytest.mark.parametrize("answer", [{"status": "777"}, {}, {"status": None, "signatures": []}, b"<html>"])
def test_an_odd_answer_to_a_question_ends_nothing(canned, listed, job, answer):
    world = canned((200, [listed()]), (200, {"transactionId": "T"}), (200, answer), (200, {"status": "4000"}))
    transaction, signer = world.begun([job()])
    with pytest.raises(UnexpectedReplyError):
        world.run(signer.result(transaction, world.clock))
    assert world.run(signer.result(transaction, world.clock)).state is SigningState.PENDING


def test_done_without_signatures_is_a_wrong_count(canned, listed, job):
    world = canned(
        (200, [listed()]), (200, {"transactionId": "T"}), (200, {"status": "1", "signatures": None})
    )
    transaction, signer = world.begun([job()])
    with pytest.raises(SignatureMismatchError) as caught:
        world.run(signer.result(transaction, world.clock))
    assert caught.value.code == "remote.count"


# Every error


ERRORS = {
    "58007": (ProviderLoginError, {"client_id": "nobody"}),
    "58008": (ProviderLoginError, {"user_id": "MST_0100109106-9"}),
    "59033": (ProviderLoginError, {}),
    "86024": (ProviderLoginError, {"secrets": {"client_secret": Secret("another-secret")}}),
    "86002": (ProviderLoginError, {}),
    "60110": (ProviderRequestError, {}),
}


@pytest.mark.parametrize("code", ERRORS)
def test_every_error_of_a_login_is_typed(world, code):
    kind, changes = ERRORS[code]
    world.provider.refuses = "" if changes else code
    signer = world.signer(**changes)
    with pytest.raises(kind) as caught:
        world.run(signer.certificates())
    error = caught.value
    assert (type(error), error.provider_code) == (kind, code)
    assert error.provider_text
    assert error.retry is Retry.NEVER
    shown_both(error)


@pytest.mark.parametrize("code", [code for code, (kind, _) in ERRORS.items() if kind is ProviderLoginError])
def test_a_refused_login_never_sends_the_same_secret_again(world, job, code):
    world.provider.refuses = code
    signer = world.signer()
    with pytest.raises(ProviderLoginError):
        world.run(signer.certificates())
    world.provider.refuses = ""
    with pytest.raises(ConfirmationSecretError) as caught:
        world.run(signer.certificates())
    assert caught.value.code == "remote.secret_refused_before"
    assert world.provider.logins == 1


def test_a_refused_login_while_waiting_is_one_login(world, job):
    world.provider.desk.phone.takes = timedelta(seconds=60)
    transaction, signer = world.begun([job()])
    certificate = world.run(signer.certificates())[0]
    world.provider.end_tokens()
    world.provider.refuses = "59033"
    with pytest.raises(ProviderLoginError) as caught:
        world.run(resume(signer, transaction, [job()], certificate, world.clock))
    assert caught.value.provider_code == "59033"
    assert caught.value.retry is Retry.NEVER
    assert world.provider.logins == 2
    world.provider.refuses = ""
    again = world.signer()  # set right at the provider
    assert world.run(resume(again, transaction, [job()], certificate, world.clock))
    assert world.most_sent == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((401, b"<html>"), ProviderLoginError),
        ((401, {"error": "odd"}), ProviderLoginError),
        ((400, {"error": "odd"}), ProviderRequestError),
        ((200, {"error": "odd"}), ProviderRequestError),
        ((403, b"<html>"), ProviderLoginError),
        ((400, b"<html>"), ProviderError),
        ((500, {"error": "odd"}), ProviderError),
        ((500, {"error": "60110"}), ProviderRequestError),
        ((503, b""), ProviderError),
        ((200, {"token": "x"}), ProviderError),
        ((200, {"access_token": ""}), ProviderError),
        ((200, {"access_token": 7}), ProviderError),
        ((200, {"access_token": "a\ud800"}), ProviderError),
        ((200, {"access_token": "a\r\nHost: other.example"}), ProviderError),
    ],
)
def test_a_login_that_is_answered_oddly(world, direct, answer, kind):
    class Odd:
        def answer(self, request):
            status, value = answer
            return Reply(
                status=status, body=value if isinstance(value, bytes) else json.dumps(value).encode()
            )

    world.sender = direct(Odd())
    signer = world.signer()
    with pytest.raises(kind) as caught:
        world.run(signer.certificates())
    assert (caught.value.code == "remote.login_unclear") is (kind is ProviderError)
    if answer[0] == 401:
        with pytest.raises(ConfirmationSecretError):
            world.run(signer.certificates())
        assert len(world.calls()) == 1


@pytest.mark.parametrize("answer", [(401, b"<html>"), (403, b"<html>"), (200, b"<html>"), (502, b"<html>")])
def test_a_wait_with_odd_answers_to_log_ins_is_one_log_in(world, job, answer):
    transaction, signer = world.begun([job()])
    certificate = world.certificate(signer)
    world.provider.end_tokens()
    status, body = answer
    provider, logins = world.provider, []

    class Gateway:
        def answer(self, request):
            if not request.url.endswith(LOGIN):
                return provider.answer(request)
            logins.append(request)
            return Reply(status=status, body=body)

    signer._sender.provider = Gateway()
    with pytest.raises(ProviderError):
        world.run(resume(signer, transaction, [job()], certificate, world.clock))
    assert len(logins) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_wait_with_pages_for_answers_is_one_more_log_in(world, job, status):
    transaction, signer = world.begun([job()])
    certificate = world.certificate(signer)
    provider = world.provider

    class Gateway:
        def answer(self, request):
            return Reply(status=status) if request.url.endswith(STATUS) else provider.answer(request)

    signer._sender.provider = Gateway()
    with suppress(ProviderError, StillWaitingError):
        world.run(resume(signer, transaction, [job()], certificate, world.clock))
    assert provider.logins <= 2
    assert len(world.calls(SIGN)) == 1


def test_an_unknown_code_is_kept_as_it_was_received(canned):
    world = canned((400, {"error": "invalid_thing", "error_description": "no such\r\nthing"}))
    with pytest.raises(ProviderRequestError) as caught:
        world.run(world.signer().certificates())
    assert (caught.value.provider_code, caught.value.provider_text) == ("invalid_thing", "no such thing")


# Tokens


def test_a_token_that_ended_while_waiting_is_one_more_login_and_no_more_signature(world, job):
    world.provider.desk.phone.takes = timedelta(seconds=5)
    transaction, signer = world.begun([job()])
    world.provider.end_tokens()
    certificate = world.certificate(signer)  # logs in anew
    world.provider.end_tokens()
    assert world.run(resume(signer, transaction, [job()], certificate, world.clock))
    assert world.provider.logins == 3
    assert len(world.calls(SIGN)) == 1
    assert world.most_sent == 1


def test_a_fresh_token_that_is_not_taken_is_no_loop(world, job):
    transaction, signer = world.begun([job()])
    world.provider.token_seconds = 0
    world.provider.end_tokens()
    with pytest.raises(ProviderLoginError) as caught:
        world.run(signer.result(transaction, world.clock))
    assert caught.value.provider_code == "invalid_token"
    assert world.provider.logins == 2
    with pytest.raises(ProviderLoginError):
        world.run(world.signer().certificates())
    assert world.provider.logins == 3


def test_a_token_that_ended_before_sign_hash_is_an_error_and_nothing_is_repeated(world, job):
    signer = world.signer()
    certificate = world.certificate(signer)
    world.provider.end_tokens()
    with pytest.raises(ProviderLoginError) as caught:
        world.run(started(signer, [job()], certificate, world.person(), world.clock))
    assert caught.value.reference
    assert len(world.calls(SIGN)) == 1
    assert world.provider.desk.accepted == ()
    transaction = world.run(started(signer, [job()], certificate, world.person(), world.clock))
    assert transaction.state is SigningState.PENDING  # the person's decision, with a new token


def test_a_token_belongs_to_one_signer(world, pki, job):
    other = world.provider.add(pki.of_another(), owner="CMT_001099000001")
    signer = world.signer()
    certificate = attrs.evolve(world.certificate(signer), key_id=other)
    world.run(started(signer, [job()], certificate, world.person(), world.clock))
    assert world.provider.desk.accepted == ()
    mine, theirs = world.signer(), world.signer(user_id="CMT_001099000001")
    assert world.certificate(mine).key_id == world.credential
    assert world.certificate(theirs).key_id == other
    assert world.provider.logins == 3


def test_a_provider_that_wants_no_bearer_gets_none(canned, listed):
    world = canned((200, [listed()]))
    world.run(world.signer(dialect_changes={"bearer": False}).certificates())
    assert all(name != "authorization" for name, _ in world.calls("info")[0].headers)


# Lost answers


@pytest.mark.parametrize("mode", [0, 1])
@pytest.mark.parametrize("odd", [Mischief.ERROR_AFTER, Mischief.PAGE_AFTER, "lost"])
def test_a_lost_answer_to_sign_hash_is_ambiguous(world, job, odd, mode):
    signer = world.signer(async_mode=mode)
    certificate = world.certificate(signer)
    if odd == "lost":
        world.sender.plan.append("lost")
    else:
        world.provider.desk.misbehave(odd)
    transaction = world.run(started(signer, [job()], certificate, world.person(), world.clock))
    assert transaction.state is SigningState.AMBIGUOUS
    with pytest.raises(UnknownOutcomeError) as caught:
        world.run(resume(signer, transaction, [job()], certificate, world.clock))
    assert caught.value.retry is Retry.AFTER_RECONCILE
    assert len(world.calls(SIGN)) == 1
    assert world.most_sent == 1


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ((200, {}), "ambiguous"),
        ((200, {"status": "4000"}), "ambiguous"),
        ((200, {"status": "777"}), "ambiguous"),
        ((500, {"error": "50000"}), "ambiguous"),
        ((502, b"<html>"), "ambiguous"),
        ((404, b"<html>"), "ambiguous"),
        *(((code, {"error": "timeout"}), "ambiguous") for code in (200, 400, 408, 409, 425, 429, 499)),
        ((408, {"message": "Request Timeout"}), "ambiguous"),
        ((400, {"error": "4000"}), "ambiguous"),
        ((400, {"error": "6000"}), "ambiguous"),
        ((400, {"error": "1"}), "ambiguous"),
        ((400, {"error": "50000"}), "ambiguous"),
        ((200, {"status": "4002", "description": "no"}), "declined"),
        ((200, {"transactionId": 77, "status": "4000"}), "pending"),
    ],
)
def test_only_a_clear_answer_to_sign_hash_is_believed(canned, listed, job, answer, state):
    world = canned((200, [listed()]), answer)
    transaction, _ = world.begun([job()])
    assert transaction.state.value == state


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("4002", SigningDeclinedError),
        ("4001", SigningExpiredError),
        ("13004", CertificateUnusableError),
        ("60110", ProviderRequestError),
        ("58007", ProviderLoginError),
    ],
)
def test_a_known_code_in_place_of_an_answer_keeps_its_meaning(canned, listed, job, code, kind):
    world = canned((200, [listed()]), (400, {"error": code, "error_description": "no"}))
    with pytest.raises(kind) as caught:
        world.begun([job()], async_mode=0)
    assert caught.value.parameters["provider_code"] == code
    assert caught.value.reference


def test_signatures_without_a_status_are_taken_and_verified(world, job):
    transaction, _ = world.begun([job()], async_mode=0)
    assert transaction.state is SigningState.DONE
    answer = world.provider.answer

    def bare(request):
        reply = answer(request)
        value = json.loads(reply.body)
        if isinstance(value, dict):
            value.pop("status", None)
        return attrs.evolve(reply, body=json.dumps(value).encode())

    world.sender.provider = type("Bare", (), {"answer": staticmethod(bare)})()
    assert world.signed([job()], async_mode=0)
    assert world.signed([job()], async_mode=1)


def test_a_request_that_never_left_is_sent_again(world, job):
    signer = world.signer()
    certificate = world.certificate(signer)
    world.sender.plan.append("not_sent")
    transaction = world.run(started(signer, [job()], certificate, world.person(), world.clock))
    assert transaction.state is SigningState.PENDING
    assert world.most_sent == 1


def test_a_lost_question_is_asked_again(world, job):
    transaction, signer = world.begun([job()])
    certificate = world.certificate(signer)
    world.sender.plan.extend(["lost", None, "lost", "not_sent"])
    world.provider.desk.misbehave(Mischief.LINE_ENDS)
    assert world.run(resume(signer, transaction, [job()], certificate, world.clock))


def test_odd_answers_to_questions_are_asked_again(world, job):
    world.provider.desk.phone.takes = timedelta(seconds=30)
    transaction, signer = world.begun([job()])
    certificate = world.certificate(signer)
    world.provider.desk.misbehave(Mischief.PAGE, Mischief.ERROR_BEFORE)
    assert world.run(resume(signer, transaction, [job()], certificate, world.clock))
    assert world.most_sent == 1


def test_nobody_knows_an_unknown_transaction(world, job):
    transaction, signer = world.begun([job()])
    other = attrs.evolve(transaction, provider_id="0" * 32)
    with pytest.raises(ProviderRequestError):
        world.run(signer.result(other, world.clock))


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text(st.characters(exclude_categories=()), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
MEMBERS = (
    *("error", "error_description", "status", "signatures", "description", "transactionId"),
    *("credential_id", "cert", "multisign", "certificates", "access_token", "expires_in"),
)
OBJECTS = st.dictionaries(st.sampled_from(MEMBERS), ODD | CODES, max_size=6)
BODIES = st.binary(max_size=50) | ODD | OBJECTS | st.lists(OBJECTS, max_size=2)


@given(
    answers=st.lists(
        st.tuples(st.sampled_from([200, 400, 401, 500]), BODIES),
        min_size=6,
        max_size=6,
    ),
    mode=st.sampled_from([0, 1]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_answer_whatever_is_a_fault_of_ours(world, direct, job, listed, answers, mode):
    script = deque(
        Reply(status=status, body=value if isinstance(value, bytes) else json.dumps(value).encode())
        for status, value in answers
    )
    good = Canned((200, [listed()]))
    good_ones = deque(good.answer(Request(method="POST", url=URL + path)) for path in (LOGIN, "info"))

    class Odd:
        def answer(self, request):
            return good_ones.popleft() if good_ones else script.popleft()

    world.sender = direct(Odd())
    signer = world.signer(async_mode=mode)
    certificate = world.certificate(signer)
    with suppress(BhxhError):
        transaction = world.run(started(signer, [job()], certificate, world.person(), world.clock))
        transaction_to_dict(transaction)
        world.run(signer.result(transaction, world.clock))
    with suppress(BhxhError):
        world.run(world.signer().certificates())


# Wrong values


@pytest.mark.parametrize(
    ("mischief", "code"),
    [
        (Mischief.WRONG_SIGNATURE, "signing.mismatch"),
        (Mischief.WRONG_ORDER, "signing.mismatch"),
        (Mischief.MISSING, "remote.count"),
        (Mischief.DOUBLED, "remote.count"),
        (Mischief.FOREIGN_ID, None),  # values come in order, without ids
        (Mischief.NOT_BASE64, "remote.not_base64"),
    ],
)
@pytest.mark.parametrize("mode", [0, 1])
def test_a_wrong_value_is_never_used(world, job, mischief, code, mode):
    world.provider.desk.misbehave(mischief)
    jobs = [job("a"), job("b")]
    if code is None:
        assert len(world.signed(jobs, async_mode=mode)) == 2
        return
    with pytest.raises(SignatureMismatchError) as caught:
        world.signed(jobs, async_mode=mode)
    assert caught.value.code == code
    shown_both(caught.value)
    assert world.most_sent == 1


# Times, and other processes


def test_the_blocking_call_may_take_as_long_as_the_dialect_says(world, job):
    world.provider.desk.phone.takes = timedelta(seconds=100)
    world.signed([job()], async_mode=0)
    assert world.calls(SIGN)[0].deadline_seconds == 150
    world.signed([job("two")], async_mode=0, dialect_changes={"blocking_seconds": 200})
    assert world.calls(SIGN)[1].deadline_seconds == 200
    world.provider.desk.phone.takes = timedelta()
    world.signed([job("three")])
    assert world.calls(SIGN)[2].deadline_seconds == 30


def test_the_time_to_confirm_counts_from_the_request(world, job):
    class Slow:
        async def secret(self, question):
            world.clock.seconds += 100
            return Secret("example-client-secret")

    table = {name: value for name, value in world.table.items() if name != "client_secret_env"}
    signer = attrs.evolve(world, table=table).signer(secrets={})
    assert signer.capabilities.needs_secret
    certificate = world.run(signer.certificates_with(Slow()))[0]
    assert world.clock.seconds == 100
    signer.close()
    signer = attrs.evolve(world, table=table).signer(secrets={})
    transaction = world.run(started(signer, [job()], certificate, Slow(), world.clock))
    assert transaction.deadline == world.clock.now() + timedelta(seconds=120)


def test_nobody_confirms_in_the_time_that_the_profile_gives(world, job):
    world.provider.desk.life = timedelta(hours=1)
    world.provider.desk.phone.next(Answer.IGNORES)
    with pytest.raises(StillWaitingError) as caught:
        world.signed([job()], dialect_changes={"life_seconds": 10})
    assert caught.value.reference
    assert world.most_sent == 1


def test_another_process_goes_on_without_a_second_confirmation(world, job):
    world.provider.desk.phone.takes = timedelta(seconds=20)
    transaction, first = world.begun([job()])
    kept = json.dumps(transaction_to_dict(transaction))
    assert "example-client-secret" not in kept
    certificate = world.certificate(first)
    first.close()
    again = transaction_from_dict(json.loads(kept))
    assert world.run(resume(world.signer(), again, [job()], certificate, world.clock))
    assert world.most_sent == 1


@pytest.mark.parametrize("mode", [0, 1])
def test_a_process_that_died_in_the_call_leaves_a_doubt(world, job, mode):
    signer = world.signer(async_mode=mode)
    certificate, notes = world.certificate(signer), []

    async def keep(transaction):
        notes.append(transaction)

    world.run(started(signer, [job()], certificate, world.person(), world.clock, keep))
    assert [note.state for note in notes] == [SigningState.INTENDED]
    found = world.run(world.signer(async_mode=mode).result(notes[0], world.clock))
    assert found.state is SigningState.AMBIGUOUS
    assert signer.capabilities.resumable is (mode != 0)


# The profile


def test_capabilities_say_what_it_can(world):
    found = world.signer().capabilities
    assert (found.name, found.largest_batch) == ("mysign", 500)
    assert found.confirms_elsewhere
    assert found.resumable
    assert found.knows_certificate_first
    assert not found.needs_secret


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"async_mode": 4}, "async_mode"),
        ({"async_mode": "1"}, "async_mode"),
        ({"client_idd": "x"}, "client_idd"),
        ({"dialect_changes": {"hash_encoding": "binary"}}, "dialect_changes.hash_encoding"),
        ({"dialect_changes": {"statuses": {"1": "perhaps"}}}, "dialect_changes.statuses.1"),
        ({"dialect_changes": {"errors": {"59033": "log-in"}}}, "dialect_changes.errors.59033"),
        ({"dialect": "v9"}, "dialect"),
    ],
)
def test_a_wrong_member_of_the_profile_is_named(world, changes, field):
    with pytest.raises(InputError) as caught:
        world.signer(**changes)
    assert caught.value.field == field
    shown_both(caught.value)


@pytest.mark.parametrize("missing", ["base_url", "client_id", "user_id"])
def test_a_missing_member_of_the_profile_is_named(world, missing):
    table = {name: value for name, value in world.table.items() if name != missing}
    with pytest.raises(InputError) as caught:
        protocol_of(RemoteProfile.from_table(table))
    assert caught.value.field == missing


def test_the_codes_of_another_service_are_a_change_of_the_dialect(canned, listed, job):
    world = canned((200, [listed()]), (200, {"transactionId": "T"}), (200, {"status": "busy"}))
    changes = {"statuses": {"BUSY": "busy"}, "errors": {}}
    transaction, signer = world.begun([job()], dialect_changes=changes)
    found = world.run(signer.result(transaction, world.clock))
    assert (found.state, found.failure) == (SigningState.FAILED, "busy")


# Secrets


def test_no_secret_is_in_an_address_a_repr_or_a_text(world, job):
    signer = world.signer()
    world.begun([job()], signer)
    (token,) = signer._protocol.hidden()
    hidden = [token.reveal(), "example-client-secret"]
    for request in world.sender.requests:
        assert all(secret not in request.url + repr(request) for secret in hidden)
    assert all(secret not in repr(signer._protocol.__dict__) for secret in hidden)
    signer.close()
    assert tuple(signer._protocol.hidden()) == ()


def test_a_provider_that_repeats_our_secret_is_masked(canned):
    world = canned((400, {"error": "86024", "error_description": "bad example-client-secret of token-0123"}))
    with pytest.raises(ProviderLoginError) as caught:
        world.run(world.signer().certificates())
    assert "example-client-secret" not in str(caught.value.parameters)


@pytest.mark.parametrize("status", [400, 401])
def test_a_provider_that_repeats_a_token_is_masked_though_it_has_ended(canned, listed, job, status):
    refusal = (status, {"error": "odd", "error_description": "what is token-0123"})
    world = canned((200, [listed()]), (200, {"transactionId": "T"}), refusal, refusal)
    transaction, signer = world.begun([job()])
    with pytest.raises(ProviderError) as caught:
        world.run(signer.result(transaction, world.clock))
    assert caught.value.provider_text == "what is ***"


def led(conversation, provider):
    """Lead a conversation without the driver."""
    step = next(conversation)
    while True:
        if isinstance(step, Call):
            step = conversation.send(provider.answer(step.request))
        else:
            step = conversation.send(Secret("example-client-secret"))


@pytest.mark.parametrize("members", [{"access_token": "access-secret\n"}, {"access_token": 7}])
def test_no_local_variable_of_a_traceback_shows_a_token(canned, members):
    world = canned(refresh_token="refresh-secret", **members)
    protocol = protocol_of(RemoteProfile.from_table(world.table))
    with pytest.raises(UnexpectedReplyError) as caught:
        led(protocol.certificates(world.clock.now()), world.sender.provider)
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    shown = "".join(line for line in told.format() if "test_mysign.py" not in line)
    assert "_logged_in" in shown
    assert not any(text in shown for text in ("access-secret", "refresh-secret", "example-client-secret"))


def test_the_secret_comes_from_the_environment_or_a_person(world):
    with pytest.raises(SetupError):
        world.run(world.signer(secrets={}).certificates())
    table = {name: value for name, value in world.table.items() if name != "client_secret_env"}
    with pytest.raises(PersonNeededError):
        world.run(attrs.evolve(world, table=table).signer(secrets={}).certificates())
