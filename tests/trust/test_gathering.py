from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from bhxh_sdk import trust
from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import NotSentError, UnknownOutcomeError, VerificationError
from bhxh_sdk.ports import Reply
from bhxh_sdk.system import SystemClock
from bhxh_sdk.transport import HttpSender

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
OCSP = "http://ocsp.example.com/"
OCSP_ABOVE = "http://ocsp.root.example.com/"
LIST = "https://crl.example.com/ca.crl"
LIST_ABOVE = "http://crl.root.example.com/root.crl"
NONCE = b"\x07" * 16


@pytest.fixture(scope="module")
def below(root):
    return root.authority(ocsp=(OCSP_ABOVE,), crls=(LIST_ABOVE,))


@pytest.fixture(scope="module")
def leaf(below):
    return below.signer(ocsp=(OCSP,), crls=(LIST,))


@pytest.fixture(scope="module")
def strict(root, below):
    return trust.TrustPolicy(roots=[root.der], intermediates=[below.der])


@pytest.fixture
def world(root, below, leaf):
    """What every authority answers when all is well."""
    return {
        OCSP: below.answer(leaf, nonce=NONCE),
        OCSP_ABOVE: root.answer(below),
        LIST: below.crl(),
        LIST_ABOVE: x509.load_der_x509_crl(root.crl()).public_bytes(Encoding.PEM),
    }


@pytest.fixture
def gathered(leaf, strict, mailman, still_clock):
    def gathered(answers, who=leaf, policy=strict, **options):
        sender = mailman(answers)
        evidence = run_blocking(trust.gather(who.info, policy, sender, still_clock(), **options))
        return evidence, sender.asked

    return gathered


def test_the_responders_are_asked_and_the_answers_kept(gathered, world, leaf, below, strict):
    evidence, asked = gathered(world, deadline_seconds=3.0)
    assert [(each.method, each.url) for each in asked] == [("POST", OCSP), ("POST", OCSP_ABOVE)]
    assert {each.deadline_seconds for each in asked} == {3.0}
    assert asked[0].headers[0] == ("Content-Type", "application/ocsp-request")
    question = ocsp.load_der_ocsp_request(asked[0].body)
    assert question.serial_number == leaf.certificate.serial_number
    assert question.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == NONCE
    assert evidence.certificates == (below.der,)
    assert evidence.gathered_at == NOON
    report = trust.judge(leaf.info, strict, NOON, evidence)
    assert report.revocation_proven
    assert [each.source for each in report.path] == [OCSP, OCSP_ABOVE, ""]


def test_kept_evidence_gives_the_same_verdict_without_network_and_intermediates(
    gathered, world, leaf, root, strict
):
    evidence, _ = gathered(world)
    kept = trust.Evidence.from_bytes(evidence.to_bytes())
    alone = trust.TrustPolicy(roots=[root.der])
    assert trust.judge(leaf.info, alone, NOON, kept) == trust.judge(leaf.info, strict, NOON, evidence)


FAILURES = {
    "down": (NotSentError(), "not_sent"),
    "no answer": (UnknownOutcomeError("unknown_outcome.too_large"), "unknown_outcome.too_large"),
    "a page": (b"<html>Down for maintenance</html>", "trust.not_an_answer"),
    "nothing": (b"", "trust.not_an_answer"),
    "an error page": (Reply(status=503, body=b"<html>"), "trust.answer_status"),
    "moved": (Reply(status=302, headers=(("location", "http://elsewhere.example/"),)), "trust.answer_status"),
    "a refusal": (
        ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(
            Encoding.DER
        ),
        "trust.answer_refused",
    ),
    "a certificate list": (b"\x30\x03\x02\x01\x01", "trust.not_an_answer"),
}


@pytest.mark.parametrize(("answer", "code"), FAILURES.values(), ids=FAILURES)
def test_where_a_responder_fails_the_list_is_fetched(gathered, world, leaf, strict, answer, code):
    evidence, asked = gathered(world | {OCSP: answer})
    assert [(each.method, each.url) for each in asked][:2] == [("POST", OCSP), ("GET", LIST)]
    assert [(each.source, each.code) for each in evidence.failures] == [(OCSP, code)]
    report = trust.judge(leaf.info, strict, NOON, evidence)
    assert report.revocation_proven
    assert report.path[0].source == LIST


LISTS = {
    "down": NotSentError(),
    "a page": b"<html>Down for maintenance</html>",
    "gone": Reply(status=404),
}


@pytest.mark.parametrize("answer", LISTS.values(), ids=LISTS)
def test_where_everything_fails_nothing_is_proven(gathered, world, leaf, strict, refused, answer):
    evidence, asked = gathered(world | {OCSP: NotSentError(), LIST: answer})
    assert len(asked) == 3
    assert len(evidence.failures) == 2
    for kept in (evidence, trust.Evidence.from_bytes(evidence.to_bytes())):
        with refused("trust.revocation_unavailable", source=OCSP):
            trust.judge(leaf.info, strict, NOON, kept)


def test_the_answer_to_another_question_is_no_answer(gathered, world, leaf, below, strict, refused):
    replayed = below.answer(leaf, nonce=b"\x01" * 16)
    evidence, _ = gathered(world | {OCSP: replayed, LIST: NotSentError()})
    assert evidence.failures[0].code == "trust.revocation_mismatch"
    with refused("trust.revocation_mismatch"):
        trust.judge(leaf.info, strict, NOON, evidence)


def test_the_answer_about_another_certificate_sends_us_to_the_list(gathered, world, below, leaf, strict):
    evidence, asked = gathered(world | {OCSP: below.answer(below.signer("NGƯỜI KHÁC"))})
    assert asked[1].url == LIST
    assert trust.judge(leaf.info, strict, NOON, evidence).path[0].source == LIST


def test_a_revoked_certificate_needs_no_second_opinion(gathered, world, below, leaf, strict, refused):
    evidence, asked = gathered(world | {OCSP: below.answer(leaf, revoked=NOON - DAY)})
    assert [each.url for each in asked] == [OCSP, OCSP_ABOVE]
    with refused("trust.revoked"):
        trust.judge(leaf.info, strict, NOON, evidence)


def test_a_list_named_twice_is_fetched_once(gathered, world, root, below):
    same = below.signer(ocsp=(), crls=(LIST_ABOVE,))
    _, asked = gathered(world, who=same)
    assert [each.url for each in asked] == [LIST_ABOVE]  # it settles the authority above as well
    stale = root.crl(at=NOON - 9 * DAY, until=NOON - 8 * DAY)
    evidence, asked = gathered(world | {LIST_ABOVE: stale, OCSP_ABOVE: NotSentError()}, who=same)
    assert [each.url for each in asked] == [LIST_ABOVE, OCSP_ABOVE]
    assert [each.source for each in evidence.lists] == [LIST_ABOVE]


def test_a_certificate_of_no_valid_path_sends_nobody_anywhere(
    root, below, strict, mailman, still_clock, refused
):
    stranger = type(root).root("KẺ LẠ", "stranger").signer(ocsp=("http://inside.example/",))
    sender = mailman({})
    for certificate, at in ((stranger.der, None), (below.signer().der, NOON - 900 * DAY)):
        with pytest.raises(VerificationError):
            run_blocking(trust.gather(certificate, strict, sender, still_clock(), moment=at))
        with pytest.raises(VerificationError):
            trust.addresses(certificate, strict, at or NOON)
    assert sender.asked == []


def test_a_certificate_trusted_itself_needs_no_evidence(gathered, leaf):
    pinned = trust.TrustPolicy(roots=[leaf.der])
    evidence, asked = gathered({}, policy=pinned)
    assert (asked, evidence.lists, evidence.answers) == ([], (), ())
    assert trust.addresses(leaf.info, pinned, NOON) == ()


def test_only_web_addresses_are_called_and_not_many(below, strict):
    odd = (
        "ldap://ldap.example.com/cn=ca?certificateRevocationList",
        "file:///etc/passwd",
        "http://user@crl.example.com/",
        "http://[crl.example.com/",
        "http:///crl",
        "http://crl.example.com/" + "a" * 1024,
    )
    many = tuple(f"http://crl{number}.example.com/" for number in range(9))
    directory = x509.DirectoryName(x509.Name([]))
    relative = x509.RelativeDistinguishedName([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "ca")])
    points = x509.CRLDistributionPoints(
        [
            x509.DistributionPoint([directory], None, None, None),
            x509.DistributionPoint(None, relative, None, None),
            *(
                x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
                for url in (*odd, many[0], *many)
            ),
        ]
    )
    issuers = x509.AccessDescription(
        AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier("http://ca.example.com/")
    )
    access = x509.AuthorityInformationAccess([issuers])
    who = below.signer(ocsp=(), crls=(), extensions=[(points, False), (access, False)])
    assert trust.addresses(who.der, strict, NOON) == (*many[:4], OCSP_ABOVE, LIST_ABOVE)


# Over real HTTP, on this machine.


@pytest.fixture
def online(authorities_online, root):
    address, answers = authorities_online
    now = datetime.now(UTC).replace(microsecond=0)
    times = {"start": now - 300 * DAY, "end": now + 300 * DAY}
    top = type(root).root(**times)
    between = top.authority(ocsp=(f"{address}/above",), crls=(f"{address}/above.crl",), **times)
    who = between.signer(ocsp=(f"{address}/ocsp",), crls=(f"{address}/list.crl",), **times)
    valid = {"at": now - DAY, "until": now + DAY}
    answers |= {
        "/above": top.answer(between, **valid),
        "/above.crl": top.crl(**valid),
        "/ocsp": between.answer(who, **valid),
        "/list.crl": between.crl(**valid),
    }
    policy = trust.TrustPolicy(roots=[top.der], intermediates=[between.der])
    host = address.removeprefix("http://")
    return answers, who, policy, host, between


def asked_online(online, **options):
    _, who, policy, host, _ = online
    sender = HttpSender(SystemClock(), allowed_hosts=[host], **options)
    evidence = run_blocking(trust.gather(who.info, policy, sender, SystemClock(), deadline_seconds=5.0))
    return evidence, trust.judge(who.info, policy, datetime.now(UTC), evidence)


def test_authorities_are_asked_over_http(online):
    evidence, report = asked_online(online)
    assert report.revocation_proven
    assert len(evidence.answers) == 2


def test_a_huge_answer_is_cut_off_and_proves_nothing(online, refused):
    answers = online[0]
    answers["/ocsp"] = answers["/list.crl"] = b"0" * 6_000_000
    with refused("trust.revocation_unavailable"):
        asked_online(online)


def test_a_host_that_the_sender_does_not_allow_is_not_called(online, refused):
    _, who, policy, _, _ = online
    sender = HttpSender(SystemClock(), allowed_hosts=["example.com"])
    evidence = run_blocking(trust.gather(who.info, policy, sender, SystemClock()))
    assert {each.code for each in evidence.failures} == {"setup.host_not_allowed"}
    with refused("trust.revocation_unavailable"):
        trust.judge(who.info, policy, datetime.now(UTC), evidence)


# OpenSSL as an independent judge.


@pytest.fixture
def files(online, tmp_path):
    _, who, policy, _, between = online
    top = between.above
    now = datetime.now(UTC).replace(microsecond=0)
    valid = {"at": now - DAY, "until": now + DAY}
    other = between.signer("NGƯỜI KHÁC", start=now - DAY, end=now + DAY)
    lists = {
        "good": between.crl([other], when=now - DAY, **valid),
        "bad": between.crl([who], when=now - DAY, **valid),
    }
    for name, each in {"root": top, "ca": between, "who": who}.items():
        (tmp_path / f"{name}.pem").write_bytes(each.certificate.public_bytes(Encoding.PEM))
    above = x509.load_der_x509_crl(top.crl(**valid)).public_bytes(Encoding.PEM)
    for name, der in lists.items():
        listed = x509.load_der_x509_crl(der).public_bytes(Encoding.PEM)
        (tmp_path / f"{name}.crl").write_bytes(listed + above)
    return tmp_path, lists, top.crl(**valid), who, policy, between


@pytest.mark.needs_tool("openssl")
@pytest.mark.parametrize("kind", ["good", "bad"])
def test_openssl_judges_lists_alike(files, kind, refused):
    folder, lists, above, who, policy, _ = files
    command = ["openssl", "verify", "-crl_check_all", "-CAfile", "root.pem", "-untrusted", "ca.pem"]
    done = subprocess.run([*command, "-CRLfile", f"{kind}.crl", "who.pem"], cwd=folder, check=False)
    now = datetime.now(UTC)
    kept = tuple(trust.RevocationList(content=each) for each in (lists[kind], above))
    evidence = trust.Evidence(gathered_at=now, lists=kept)
    assert (done.returncode == 0) is (kind == "good")
    if kind == "good":
        assert trust.judge(who.info, policy, now, evidence).revocation_proven
        return
    with refused("trust.revoked"):
        trust.judge(who.info, policy, now, evidence)


@pytest.mark.needs_tool("openssl")
def test_openssl_reads_our_question_and_its_answer_convinces_us(files, mailman, still_clock):
    folder, _, above, who, policy, between = files
    key = between.key.private_bytes(Encoding.PEM, *_plain_key())
    (folder / "ca.key").write_bytes(key)
    serial = f"{who.certificate.serial_number:X}"
    serial = serial.zfill(len(serial) + len(serial) % 2)
    (folder / "index.txt").write_text(f"V\t301231000000Z\t\t{serial}\tunknown\t/CN=x\n")

    def openssl(request):
        (folder / "question.der").write_bytes(request.body)
        command = ["openssl", "ocsp", "-index", "index.txt", "-CA", "ca.pem", "-rsigner", "ca.pem"]
        more = ["-rkey", "ca.key", "-reqin", "question.der", "-respout", "answer.der", "-ndays", "1"]
        subprocess.run([*command, *more], cwd=folder, check=True, capture_output=True)
        return (folder / "answer.der").read_bytes()

    ours, theirs, *rest = trust.addresses(who.info, policy, datetime.now(UTC))
    sender = mailman({ours: openssl, theirs: NotSentError()} | dict.fromkeys(rest, above))
    clock = still_clock(datetime.now(UTC))
    evidence = run_blocking(trust.gather(who.info, policy, sender, clock))
    report = trust.judge(who.info, policy, clock.now(), evidence)
    assert report.path[0].source == ours


def _plain_key():
    from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat

    return PrivateFormat.PKCS8, NoEncryption()
