from __future__ import annotations

import contextlib
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk import trust
from bhxh_sdk.errors import InputError, MissingExtraError, VerificationError, WrongTypeError
from bhxh_sdk.trust.engine import _finished

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def states(report):
    return [each.revocation.value for each in report.path]


# The path.


def test_a_certificate_below_a_root_is_trusted_and_the_report_says_that_revocation_was_not_checked(
    signer, issuing, root, policy
):
    report = trust.judge(signer.info, policy(), NOON)
    assert [each.certificate.der for each in report.path] == [signer.der, issuing.der, root.der]
    assert states(report) == ["not-checked", "not-checked", "trusted"]
    assert not report.revocation_proven
    assert {warning.code for warning in report.warnings} == {"trust.revocation_not_checked"}
    assert report.moment == NOON


def test_an_issuing_authority_may_be_the_trusted_one(signer, issuing, policy):
    report = trust.judge(signer.der, policy(roots=[issuing.der], intermediates=[]), NOON)
    assert states(report) == ["not-checked", "trusted"]


def test_a_certificate_that_is_trusted_itself_needs_no_issuer(signer, policy):
    report = trust.judge(signer.info, policy(roots=[signer.der], revocation="require"), NOON)
    assert states(report) == ["trusted"]
    assert report.revocation_proven
    assert report.warnings == ()


@pytest.mark.parametrize(
    "keys", [("digital_signature",), ("content_commitment",), ("content_commitment", "key_encipherment"), ()]
)
def test_either_signing_usage_is_enough(issuing, policy, keys):
    assert trust.judge(issuing.signer(keys=keys).info, policy(), NOON)


def test_a_certificate_for_encryption_may_not_sign(issuing, policy, refused):
    with refused("trust.key_usage"):
        trust.judge(issuing.signer(keys=("key_encipherment",)).info, policy(), NOON)


def test_validity_is_judged_at_the_moment_asked_for(signer, policy, refused):
    with refused("trust.not_yet_valid"):
        trust.judge(signer.info, policy(), NOON - 301 * DAY)
    with refused("trust.expired"):
        trust.judge(signer.info, policy(), NOON + 301 * DAY)
    local = signer.info.not_after.astimezone(timezone(timedelta(hours=7)))
    assert trust.judge(signer.info, policy(), local).moment == signer.info.not_after


def test_validity_alone_needs_no_roots(signer, refused):
    trust.check_validity(signer.info, NOON)
    with refused("trust.expired"):
        trust.check_validity(signer.info, NOON + 301 * DAY)
    with refused("trust.no_zone"):
        trust.check_validity(signer.info, NOON.replace(tzinfo=None))


def test_without_the_authority_between_there_is_no_path(signer, policy, refused):
    with refused("trust.untrusted"):
        trust.judge(signer.info, policy(intermediates=[]), NOON)
    with refused("trust.untrusted"):
        trust.judge(signer.info, policy(roots=[]), NOON)


def test_an_authority_that_had_expired_may_not_have_issued(root, policy, refused):
    old = root.authority(end=NOON - DAY)
    with refused("trust.issuer_expired"):
        trust.judge(old.signer().info, policy(intermediates=[old.der]), NOON)


def test_a_root_that_had_expired_is_no_root(root, issuing, signer, policy, refused):
    old = type(root).root(end=NOON - DAY)
    with refused("trust.issuer_expired"):
        trust.judge(signer.info, policy(roots=[old.der]), NOON)


def test_the_second_of_two_cross_signed_authorities_is_tried(root, issuing, signer, policy):
    old = root.authority(end=NOON - DAY)
    for order in ([old.der, issuing.der], [issuing.der, old.der]):
        assert trust.judge(signer.info, policy(intermediates=order), NOON)


def test_the_path_of_a_crowd_of_authorities_is_still_found(root, signer, policy, refused):
    crowd = [root.authority(end=NOON - DAY).der for _ in range(20)]
    with refused("trust.issuer_expired"):
        trust.judge(signer.info, policy(intermediates=crowd), NOON)


def test_an_impostor_of_the_same_name_is_found_out(root, policy, refused):
    class Thief(type(root)):
        pass

    thief = Thief(root.signer(role="thief").key, root.certificate)  # the root's name, another key
    stolen = thief.authority(role="stolen")
    with refused("trust.untrusted"):  # the key's identifier does not fit
        trust.judge(stolen.signer().info, policy(intermediates=[stolen.der]), NOON)


def changed(der):
    """Change the last byte: that of the signature."""
    return der[:-1] + bytes([der[-1] ^ 1])


def test_a_changed_certificate_is_found_out(signer, policy, refused):
    with refused("trust.certificate_signature"):
        trust.judge(changed(signer.der), policy(), NOON)


@pytest.mark.parametrize(
    "options", [{"ca": False}, {"keys": ("digital_signature",)}, {"basic": False, "keys": ("key_cert_sign",)}]
)
def test_who_is_no_authority_issues_nothing(root, policy, refused, options):
    false = root.authority(**options)
    with refused("trust.not_a_ca"):
        trust.judge(false.signer().info, policy(intermediates=[false.der]), NOON)
    with refused("trust.not_a_ca"):
        trust.judge(false.signer().info, policy(roots=[false.der], intermediates=[]), NOON)


def test_a_path_longer_than_allowed_is_refused(root, policy, refused):
    short = root.authority(length=0)
    below = short.authority("CA CON VÍ DỤ", "below")
    with refused("trust.path_length"):
        trust.judge(below.signer().info, policy(intermediates=[short.der, below.der]), NOON)
    assert trust.judge(short.signer().info, policy(intermediates=[short.der]), NOON)


def test_a_root_limits_the_length_too(root, policy, refused):
    short = type(root).root(length=0)
    assert trust.judge(short.signer().info, policy(roots=[short.der], intermediates=[]), NOON)
    between = short.authority()
    with refused("trust.path_length"):
        trust.judge(between.signer().info, policy(roots=[short.der], intermediates=[between.der]), NOON)


def directory(name):
    return x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, name)]))


@pytest.mark.parametrize(
    ("constraints", "fits"),
    [
        (x509.NameConstraints([directory("VN")], None), True),
        (x509.NameConstraints([directory("LA")], None), False),
        (x509.NameConstraints(None, [directory("VN")]), False),
    ],
)
@pytest.mark.parametrize("who", ["root", "issuing"])
def test_names_outside_an_authority_s_realm_are_refused(root, policy, refused, constraints, fits, who):
    extensions = [(constraints, True)]
    top = type(root).root(extensions=extensions) if who == "root" else root
    between = top.authority(extensions=extensions if who == "issuing" else ())
    ours = policy(roots=[top.der], intermediates=[between.der])
    if fits:
        assert trust.judge(between.signer().info, ours, NOON)
        return
    with refused("trust.name_constraints"):
        trust.judge(between.signer().info, ours, NOON)


def test_a_critical_extension_that_nobody_understands_is_refused(issuing, policy, refused):
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    assert trust.judge(issuing.signer(extensions=[(odd, False)]).info, policy(), NOON)
    with refused("trust.critical_extension"):
        trust.judge(issuing.signer(extensions=[(odd, True)]).info, policy(), NOON)


def test_policies_of_authorities_must_fit_where_they_are_demanded(root, policy, refused):
    demanded = root.authority(extensions=[(x509.PolicyConstraints(0, None), True)])
    with refused("trust.certificate_policies"):
        trust.judge(demanded.signer().info, policy(intermediates=[demanded.der]), NOON)


def test_the_policies_of_a_root_demand_nothing(root, policy):
    named = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.4"), None)])
    top = type(root).root(extensions=[(named, False)])
    assert trust.judge(top.signer().info, policy(roots=[top.der], intermediates=[]), NOON)


def test_weak_keys_are_refused_wherever_they_stand(root, issuing, policy, refused):
    with refused("trust.weak_key", bits=1024, smallest=2048):
        trust.judge(issuing.signer(role="weak", bits=1024).info, policy(), NOON)
    weak = root.authority(role="weak", bits=1024)
    with refused("trust.weak_key"):
        trust.judge(weak.signer().info, policy(intermediates=[weak.der]), NOON)
    assert trust.judge(weak.signer().info, policy(intermediates=[weak.der], smallest_key=1024), NOON)
    with refused("trust.weak_key", smallest=4096):
        trust.judge(issuing.signer().info, policy(smallest_key=4096), NOON)


SHA256 = bytes.fromhex("06092a864886f70d01010b")
SHA1 = bytes.fromhex("06092a864886f70d010105")


def with_sha1(der, key):
    """Sign a certificate or list again, with SHA-1: cryptography verifies such signatures, and makes none."""
    old, length = der.replace(SHA256, SHA1), int.from_bytes(der[6:8], "big")
    signed = old[4 : 8 + length]
    return old[:-256] + key.sign(signed, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303  # the weak hash under test


def test_sha1_counts_only_where_the_policy_says_so(issuing, policy, refused):
    old = with_sha1(issuing.signer().der, issuing.key)
    with refused("trust.weak_algorithm"):
        trust.judge(old, policy(), NOON)
    assert trust.judge(old, policy(allow_sha1=True), NOON)


def test_odd_names_are_no_hindrance(issuing, policy):
    odd = [
        x509.NameAttribute(NameOID.USER_ID, "MST:0100109106"),
        x509.NameAttribute(NameOID.LOCALITY_NAME, "Hà Nội", _type=x509.name._ASN1Type.BMPString),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Vi du", _type=x509.name._ASN1Type.T61String),
    ]
    report = trust.judge(issuing.signer(more=odd).info, policy(), NOON)
    assert [code.value for code in report.path[0].certificate.tax_codes] == ["0100109106"]


# Revocation.


@pytest.fixture(scope="module")
def require(policy):
    return policy(revocation="require")


@pytest.fixture(scope="module")
def root_list(root):
    return root.crl()


def test_lists_that_name_nobody_prove_that_nobody_was_revoked(signer, issuing, require, root_list, evidence):
    report = trust.judge(signer.info, require, NOON, evidence(lists=[issuing.crl(), root_list]))
    assert states(report) == ["good", "good", "trusted"]
    assert report.revocation_proven
    assert report.warnings == ()


def test_an_answer_proves_it_too(signer, issuing, root, require, evidence):
    kept = evidence(answers=[issuing.answer(signer), root.answer(issuing)])
    assert trust.judge(signer.info, require, NOON, kept).revocation_proven


@pytest.mark.parametrize("checked", [False, True])
def test_a_responder_may_act_for_the_authority(signer, issuing, require, root_list, evidence, checked):
    answer = issuing.answer(signer, by=issuing.responder(checked=checked))
    assert trust.judge(signer.info, require, NOON, evidence(answers=[answer], lists=[root_list]))


def test_a_responder_that_names_lists_must_be_on_none(signer, issuing, policy, root_list, evidence, refused):
    responder = issuing.responder(checked=True, crls=("http://crl.example.com/a.crl",))
    answer = issuing.answer(signer, by=responder)
    with refused("trust.revocation_signature"):
        trust.judge(
            signer.info, policy(revocation="require"), NOON, evidence(answers=[answer], lists=[root_list])
        )
    revoked = issuing.crl([responder])
    kept = evidence(answers=[answer], lists=[revoked, root_list])
    assert trust.judge(signer.info, policy(revocation="require"), NOON, kept)  # the list itself proves it


@pytest.mark.parametrize("options", [{"extended": False}, {"end": NOON - DAY}])
def test_who_may_not_answer_proves_nothing(signer, issuing, require, root_list, evidence, refused, options):
    answer = issuing.answer(signer, by=issuing.responder(**options))
    with refused("trust.revocation_signature"):
        trust.judge(signer.info, require, NOON, evidence(answers=[answer], lists=[root_list]))


def test_a_responder_of_another_authority_proves_nothing(
    signer, root, issuing, require, root_list, evidence, refused
):
    other = root.authority("CA KHÁC VÍ DỤ", "other").responder()
    answer = issuing.answer(signer, by=other)
    with refused("trust.revocation_signature"):
        trust.judge(signer.info, require, NOON, evidence(answers=[answer], lists=[root_list]))


def test_no_evidence_is_not_good(signer, require, policy, evidence, refused):
    for kept in (None, evidence()):
        with refused("trust.revocation_unknown"):
            trust.judge(signer.info, require, NOON, kept)
        report = trust.judge(signer.info, policy(revocation="soft"), NOON, kept)
        assert states(report) == ["unknown", "unknown", "trusted"]
        assert not report.revocation_proven
        assert [warning.code for warning in report.warnings] == ["trust.revocation_unknown"] * 2


@pytest.mark.parametrize("mode", ["require", "soft"])
@pytest.mark.parametrize("by", ["list", "answer"])
def test_a_revoked_certificate_is_refused_with_its_date(
    signer, issuing, policy, root_list, evidence, refused, mode, by
):
    if by == "list":
        kept = evidence(lists=[issuing.crl([signer]), root_list], answers=[issuing.answer(signer)])
    else:
        kept = evidence(
            lists=[issuing.crl(), root_list], answers=[issuing.answer(signer, revoked=NOON - DAY)]
        )
    with refused("trust.revoked", date="2026-05-31 12:00:00 UTC"):
        trust.judge(signer.info, policy(revocation=mode), NOON, kept)


def test_a_revoked_authority_takes_all_its_certificates_along(
    signer, issuing, root, require, evidence, refused
):
    with refused("trust.revoked", name="CA VÍ DỤ"):
        trust.judge(signer.info, require, NOON, evidence(lists=[issuing.crl(), root.crl([issuing])]))


@pytest.mark.parametrize("by", ["list", "answer"])
def test_what_was_revoked_later_was_good_then_and_the_report_says_so(
    signer, issuing, require, root_list, evidence, refused, by
):
    lists, answers = (
        ([issuing.crl([signer])], []) if by == "list" else ([], [issuing.answer(signer, revoked=NOON - DAY)])
    )
    kept = evidence(lists=[*lists, root_list], answers=answers)
    report = trust.judge(signer.info, require, NOON - 2 * DAY, kept)
    assert report.path[0].revoked_at == NOON - DAY
    assert [warning.code for warning in report.warnings] == ["trust.revoked_later"]
    with refused("trust.revoked"):
        trust.judge(signer.info, require, NOON - DAY, kept)


def test_a_list_past_its_time_proves_nothing(signer, issuing, require, root_list, evidence, refused):
    stale = issuing.crl(at=NOON - 9 * DAY, until=NOON - DAY)
    with refused("trust.revocation_stale"):
        trust.judge(signer.info, require, NOON, evidence(lists=[stale, root_list]))
    fresh_then = evidence(lists=[stale, issuing.crl(), root_list], at=NOON)
    assert trust.judge(signer.info, require, NOON, fresh_then)


def test_an_answer_past_its_time_proves_nothing(signer, issuing, require, root_list, evidence, refused):
    stale = issuing.answer(signer, at=NOON - 2 * DAY, until=NOON - DAY)
    with refused("trust.revocation_stale"):
        trust.judge(signer.info, require, NOON, evidence(answers=[stale], lists=[root_list]))


@pytest.mark.parametrize("mode", ["require", "soft"])
@pytest.mark.parametrize("by", ["list", "answer"])
def test_a_revocation_does_not_grow_old(signer, issuing, policy, root_list, evidence, refused, by, mode):
    old = {"at": NOON - 9 * DAY, "until": NOON - 8 * DAY}
    if by == "list":
        kept = evidence(lists=[issuing.crl([signer], when=NOON - 10 * DAY, **old), root_list])
    else:
        answer = issuing.answer(signer, revoked=NOON - 10 * DAY, **old)
        kept = evidence(answers=[answer], lists=[root_list])
    with refused("trust.revoked"):
        trust.judge(signer.info, policy(revocation=mode), NOON, kept)


def test_a_list_of_tomorrow_proves_nothing_but_clocks_may_differ_a_little(
    signer, issuing, require, root_list, evidence, refused
):
    with refused("trust.revocation_stale"):
        trust.judge(signer.info, require, NOON, evidence(lists=[issuing.crl(at=NOON + DAY), root_list]))
    little = timedelta(minutes=4)
    kept = evidence(lists=[issuing.crl(at=NOON + little), root_list])
    assert trust.judge(signer.info, require, NOON, kept)
    ended = evidence(lists=[issuing.crl(at=NOON - DAY, until=NOON - little), root_list])
    assert trust.judge(signer.info, require, NOON, ended)


def test_kept_evidence_answers_for_the_past_but_not_for_the_future(
    signer, issuing, require, root_list, evidence, refused
):
    kept = evidence(lists=[issuing.crl(), root_list])
    assert trust.judge(signer.info, require, NOON - 100 * DAY, kept).revocation_proven
    with refused("trust.revocation_stale"):
        trust.judge(signer.info, require, NOON + 100 * DAY, kept)


def test_what_is_gathered_after_expiry_proves_nothing(issuing, require, evidence, refused, policy):
    short = issuing.signer(end=NOON - DAY)
    kept = evidence(answers=[issuing.answer(short)], lists=[issuing.above.crl(), issuing.crl()])
    with refused("trust.revocation_after_expiry"):
        trust.judge(short.info, require, NOON - 2 * DAY, kept)
    report = trust.judge(short.info, policy(revocation="soft"), NOON - 2 * DAY, kept)
    assert states(report) == ["unknown", "good", "trusted"]


@pytest.mark.parametrize("what", ["list", "answer"])
def test_a_wrong_signature_proves_nothing(signer, issuing, require, root_list, evidence, refused, what):
    lists = [changed(issuing.crl())] if what == "list" else []
    answers = [changed(issuing.answer(signer))] if what == "answer" else []
    with refused("trust.revocation_signature"):
        trust.judge(signer.info, require, NOON, evidence(lists=[*lists, root_list], answers=answers))


def test_a_list_signed_with_sha1_counts_only_where_the_policy_says_so(
    signer, issuing, policy, root_list, evidence, refused
):
    revoked = [issuing.signer() for _ in range(6)]  # enough for lengths of two bytes
    kept = evidence(lists=[with_sha1(issuing.crl(revoked), issuing.key), root_list])
    with refused("trust.revocation_signature"):
        trust.judge(signer.info, policy(revocation="require"), NOON, kept)
    assert trust.judge(signer.info, policy(revocation="require", allow_sha1=True), NOON, kept)


def test_an_answer_about_another_certificate_proves_nothing(
    signer, issuing, require, root_list, evidence, refused
):
    other = issuing.answer(issuing.signer("NGƯỜI KHÁC"))
    kept = evidence(answers=[other], lists=[root_list], about=signer.info.fingerprint)
    with refused("trust.revocation_mismatch"):
        trust.judge(signer.info, require, NOON, kept)


def test_an_answer_that_does_not_know_is_not_good(signer, issuing, require, root_list, evidence, refused):
    kept = evidence(answers=[issuing.answer(signer, unknown=True)], lists=[root_list])
    with refused("trust.revocation_unknown"):
        trust.judge(signer.info, require, NOON, kept)


def test_the_list_of_another_authority_says_nothing(signer, root, require, root_list, evidence, refused):
    other = root.authority("CA KHÁC VÍ DỤ", "other")
    with refused("trust.revocation_unknown"):
        trust.judge(signer.info, require, NOON, evidence(lists=[other.crl(), root_list]))


@pytest.mark.parametrize("content", [b"", b"\x30\x00", b"<html>", b"\x30\x80" * 50])
def test_evidence_that_cannot_be_read_is_refused(signer, policy, content, evidence):
    for mode in ("require", "soft"):
        for kept in (evidence(lists=[content]), evidence(answers=[content])):
            with contextlib.suppress(VerificationError):
                report = trust.judge(signer.info, policy(revocation=mode), NOON, kept)
                assert mode == "soft"
                assert not report.revocation_proven


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_changed_bit_makes_a_list_prove_anything_else(signer, issuing, policy, root, evidence, at, bit):
    content = bytearray(issuing.crl([signer]))
    content[at % len(content)] ^= 1 << bit
    kept = evidence(lists=[bytes(content), root.crl()])
    with pytest.raises(VerificationError):
        trust.judge(signer.info, policy(revocation="require"), NOON, kept)


# Parameters.


def test_wrong_parameters_are_named(signer, policy, refused):
    for wrong in ("2026-06-01", None):
        with pytest.raises(WrongTypeError) as caught:
            trust.judge(signer.info, policy(), wrong)
        assert caught.value.field == "moment"
    for wrong in (datetime(2026, 6, 1), datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=7)))):  # noqa: DTZ001  # the zone that is missing
        with refused("trust.no_zone", InputError, field="moment"):
            trust.judge(signer.info, policy(), wrong)
    with pytest.raises(WrongTypeError):
        trust.judge(signer.info, [signer.der], NOON)
    with pytest.raises(InputError):
        trust.judge(b"nonsense", policy(), NOON)


def test_without_the_extra_the_error_names_it(signer, policy, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "pyhanko_certvalidator"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyhanko_certvalidator", None)
    with pytest.raises(MissingExtraError) as caught:
        trust.judge(signer.info, policy(), NOON)
    assert "bhxh-sdk[trust]" in caught.value.hint()


def test_the_library_is_imported_when_a_certificate_is_judged_and_its_http_client_never(signer, root):
    code = """
import sys
from datetime import UTC, datetime
from bhxh_sdk import trust
assert "pyhanko_certvalidator" not in sys.modules
root, issuing, signer = (bytes.fromhex(text) for text in sys.stdin.read().split())
policy = trust.TrustPolicy(roots=[root], intermediates=[issuing], revocation="off")
trust.judge(signer, policy, datetime(2026, 6, 1, tzinfo=UTC))
assert "pyhanko_certvalidator" in sys.modules
assert not {"aiohttp", "oscrypto", "requests"} & sys.modules.keys()
"""
    given = " ".join(each.der.hex() for each in (root, signer.above, signer))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_library_that_waits_is_not_waited_for():
    class Forever:
        def __await__(self):
            yield

    async def wait():
        await Forever()

    with pytest.raises(TypeError):
        _finished(wait())
