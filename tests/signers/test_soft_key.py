from __future__ import annotations

import copy
import hashlib
import pickle
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.x509.oid import NameOID

from bhxh_sdk.errors import (
    CertificateUnusableError,
    InputError,
    KeyNotFoundError,
    KeyPasswordError,
    PersonNeededError,
    SigningError,
    UnreadableFileError,
    UnsupportedOperationError,
    WrongTypeError,
)
from bhxh_sdk.models import SignatureScheme
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers import Capabilities, HashName, LocalSigner, SigningState, SoftKeySigner, sign
from bhxh_sdk.signers.jobs import check_jobs
from bhxh_sdk.signers.values import public_key, signature_fits, signed

PASSWORD = "bí mật 123"


@pytest.fixture(scope="module")
def issued(pki):
    return pki.issue()


@pytest.fixture
def pem_path(tmp_path, issued):
    path = tmp_path / "khóa.pem"
    path.write_bytes(issued.key_pem(PASSWORD) + issued.certificates_pem())
    return path


@pytest.fixture
def p12_path(tmp_path, issued):
    path = tmp_path / "khóa.p12"
    path.write_bytes(issued.p12(PASSWORD))
    return path


def own(certificates):
    return next(item for item in certificates if item.has_private_key is not False)


def test_a_signature_is_finished_at_once_and_fits(run, issued, person, clock, job):
    signer = issued.signer()
    certificate = own(run(signer.certificates()))
    done = run(signer.start([job("a"), job("b")], certificate, person(), clock))
    assert (done.state, done.backend, done.key_id) == (SigningState.DONE, "softkey", certificate.key_id)
    assert done.transaction_id == f"{1:032x}"
    key = public_key(certificate.certificate, [SignatureScheme.RSA_PKCS1])
    assert all(signature_fits(key, job(name), done.signatures[name]) for name in ("a", "b"))
    assert not signature_fits(key, job("a"), done.signatures["b"])
    assert run(signer.result(done, clock)) is done


@pytest.mark.parametrize(
    ("hash_name", "size"), [(HashName.SHA256, 32), (HashName.SHA384, 48), (HashName.SHA512, 64)]
)
def test_every_hash_function_is_signed(run, issued, person, clock, job, hash_name, size):
    signer = issued.signer()
    certificate = own(run(signer.certificates()))
    work = job(digest=bytes(size), hash_name=hash_name)
    done = run(signer.start([work], certificate, person(), clock))
    assert signature_fits(
        public_key(certificate.certificate, [SignatureScheme.RSA_PKCS1]), work, done.signatures["one"]
    )


def test_the_certificates_of_a_pem_file_are_listed_without_the_password(run, pem_path, person, clock, job):
    signer = SoftKeySigner.from_file(pem_path)
    listed = run(signer.certificates())
    assert {item.has_private_key for item in listed} == {None}
    answer = person(PASSWORD)
    run(signer.start([job()], listed[0], answer, clock))
    assert [(question.purpose, question.subject) for question in answer.asked] == [
        ("key_password", "khóa.pem")
    ]
    assert [item.has_private_key for item in run(signer.certificates())] == [True, False, False]
    run(signer.start([job()], listed[0], person(), clock))


def test_listing_an_encrypted_pkcs12_file_asks_once(run, p12_path, person, clock, job):
    answer = person(PASSWORD)
    signer = SoftKeySigner.from_file(p12_path, ask=answer)
    assert signer.capabilities.needs_secret
    listed = run(signer.certificates())
    assert run(signer.certificates()) == listed
    run(signer.start([job()], own(listed), person(), clock))
    assert len(answer.asked) == 1


def test_an_encrypted_pkcs12_file_with_nobody_to_ask_says_what_to_do(
    run, p12_path, person, clock, issued, job
):
    signer = SoftKeySigner.from_file(p12_path)
    with pytest.raises(KeyPasswordError) as caught:
        run(signer.certificates())
    assert caught.value.code == "signing.password_needed"
    assert "password-env" in caught.value.hint("vi")
    certificate = own(run(issued.signer().certificates()))
    with pytest.raises(PersonNeededError):
        run(signer.start([job()], certificate, person(), clock))


@pytest.mark.parametrize("form", ["pem", "p12"])
def test_a_wrong_password_is_never_tried_again(run, pem_path, p12_path, issued, person, clock, job, form):
    signer = SoftKeySigner.from_file(pem_path if form == "pem" else p12_path)
    certificate = own(run(issued.signer().certificates()))
    answer = person("sai", PASSWORD)
    with pytest.raises(KeyPasswordError) as caught:
        run(signer.start([job()], certificate, answer, clock))
    assert len(answer.asked) == 1
    assert "khóa" in str(caught.value)
    assert "sai" not in repr(caught.value.parameters)
    run(signer.start([job()], certificate, answer, clock))


def test_the_password_may_be_given_or_stand_in_the_environment(
    run, p12_path, monkeypatch, person, clock, job
):
    given = SoftKeySigner.from_file(p12_path, password=Secret(PASSWORD))
    monkeypatch.setenv("KEY_PASSWORD", PASSWORD)
    named = SoftKeySigner.from_file(p12_path, password_env="KEY_PASSWORD")
    for signer in (given, named):
        assert not signer.capabilities.needs_secret
        run(signer.start([job()], own(run(signer.certificates())), person(), clock))


def test_an_environment_variable_that_is_not_set_is_named(run, p12_path):
    with pytest.raises(KeyPasswordError) as caught:
        run(SoftKeySigner.from_file(p12_path, password_env="KEY_PASSWORD").certificates())
    assert caught.value.code == "signing.password_env_missing"
    assert "KEY_PASSWORD" in caught.value.message("vi")


def test_an_open_key_asks_for_nothing(run, issued, tmp_path, person, clock, job):
    path = tmp_path / "k.p12"
    path.write_bytes(issued.p12())
    signer = SoftKeySigner.from_file(path, password_env="NOT_SET")
    run(signer.start([job()], own(run(signer.certificates())), person(), clock))


def test_bad_jobs_are_refused_before_anybody_is_asked(run, p12_path, issued, person, clock, job):
    answer = person(PASSWORD)
    with pytest.raises(InputError):
        run(
            SoftKeySigner.from_file(p12_path).start(
                [job(digest=b"short")], own(run(issued.signer().certificates())), answer, clock
            )
        )
    assert not answer.asked


def test_a_certificate_without_its_key_here_is_refused(run, issued, pki, person, clock, job):
    signer = issued.signer()
    for certificate in (
        run(signer.certificates())[1],
        own(run(pki.issue(own_key=True).signer().certificates())),
    ):
        with pytest.raises(KeyNotFoundError) as caught:
            run(signer.start([job()], certificate, person(), clock))
        assert caught.value.code == "signing.not_this_key"


@pytest.fixture(scope="module")
def curve_signer(now):
    return on_curve(ec.SECP256R1(), now)


def on_curve(curve, now):
    key = ec.generate_private_key(curve)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "VÍ DỤ")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return SoftKeySigner.from_key(key, [certificate])


def test_a_key_that_is_not_rsa_does_not_sign_as_one(run, curve_signer, person, clock, job):
    (listed,) = run(curve_signer.certificates())
    assert listed.certificate.key_kind == "ec"
    with pytest.raises(CertificateUnusableError) as caught:
        run(curve_signer.start([job()], listed, person(), clock))
    assert caught.value.code == "signing.certificate_not_rsa"


@pytest.mark.parametrize("kind", ["rsa", "another curve"])
def test_ecdsa_needs_a_key_on_p256(run, issued, now, person, clock, job, kind):
    signer = issued.signer() if kind == "rsa" else on_curve(ec.SECP384R1(), now)
    certificate = own(run(signer.certificates()))
    with pytest.raises(CertificateUnusableError) as caught:
        run(signer.start([job(scheme=SignatureScheme.ECDSA)], certificate, person(), clock))
    assert caught.value.code == "signing.certificate_not_p256"
    for language in ("vi", "en"):
        assert "P-256" in caught.value.message(language)


@pytest.mark.parametrize("hash_name", HashName)
@pytest.mark.parametrize("scheme", SignatureScheme)
def test_every_scheme_signs_when_asked(run, issued, curve_signer, person, clock, job, scheme, hash_name):
    signer = curve_signer if scheme is SignatureScheme.ECDSA else issued.signer()
    assert scheme in signer.capabilities.schemes
    certificate = own(run(signer.certificates()))
    digest = hashlib.new(hash_name.value, b"form").digest()
    work = job(scheme=scheme, digest=digest, hash_name=hash_name)
    values = run(sign(signer, [work], certificate, person(), clock))
    key = public_key(certificate.certificate, [scheme])
    assert signature_fits(key, work, values["one"])
    assert not signature_fits(key, job(scheme=scheme), values["one"])
    assert not signature_fits(key, work, values["one"] + b"\0")


def test_an_ecdsa_value_is_r_and_s(run, curve_signer, person, clock, job):
    (certificate,) = run(curve_signer.certificates())
    done = run(curve_signer.start([job(scheme=SignatureScheme.ECDSA)], certificate, person(), clock))
    assert len(done.signatures["one"]) == 64


def test_a_pss_value_has_the_digests_length_of_salt(run, issued, person, clock, job):
    signer = issued.signer()
    certificate = own(run(signer.certificates()))
    work = job(scheme=SignatureScheme.RSA_PSS)
    done = run(signer.start([work], certificate, person(), clock))
    salted = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    key = public_key(certificate.certificate, [work.scheme])
    key.verify(done.signatures["one"], work.digest, salted, Prehashed(hashes.SHA256()))


def test_a_signer_that_has_only_one_scheme_is_asked_for_no_other(job):
    with pytest.raises(UnsupportedOperationError) as caught:
        check_jobs([job(scheme=SignatureScheme.RSA_PSS)], Capabilities(name="token"))
    assert caught.value.code == "signing.algorithm_unsupported"
    assert "rsa-pss" in caught.value.message("vi")


def test_a_key_at_hand_signs_without_a_transaction(run, pem_path, person, clock, job):
    signer = SoftKeySigner.from_file(pem_path)
    assert isinstance(signer, LocalSigner)
    certificate, answer = run(signer.certificates())[0], person(PASSWORD)
    key = run(signer.local_key(certificate, answer))
    works = [job(str(number)) for number in range(3)]
    values = [key(work.digest, work.hash_name, work.scheme) for work in works]
    public = public_key(certificate.certificate, [SignatureScheme.RSA_PKCS1])
    assert all(signature_fits(public, work, value) for work, value in zip(works, values, strict=True))
    assert len(answer.asked) == 1


def test_a_key_at_hand_refuses_what_it_cannot_sign(run, issued, person):
    signer = issued.signer()
    key = run(signer.local_key(own(run(signer.certificates())), person()))
    with pytest.raises(InputError) as caught:
        key(b"short", HashName.SHA256, SignatureScheme.RSA_PKCS1)
    assert caught.value.code == "signing.digest_length"
    with pytest.raises(CertificateUnusableError):
        key(bytes(32), HashName.SHA256, SignatureScheme.ECDSA)
    signer.close()
    with pytest.raises(SigningError) as closed:
        key(bytes(32), HashName.SHA256, SignatureScheme.RSA_PKCS1)
    assert closed.value.code == "signing.closed"


def test_a_key_too_short_for_the_padding_is_a_typed_error():
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  # the point
    with pytest.raises(SigningError) as caught:
        signed(small, bytes(64), HashName.SHA512, SignatureScheme.RSA_PSS)
    assert caught.value.code == "signing.failed"


def test_a_certificate_with_a_key_of_an_unknown_kind_is_unreadable(run, issued, monkeypatch):
    certificate = own(run(issued.signer().certificates())).certificate

    def unreadable(_der):
        raise UnsupportedAlgorithm("of tomorrow")

    monkeypatch.setattr(x509, "load_der_x509_certificate", unreadable)
    with pytest.raises(UnreadableFileError):
        public_key(certificate, [SignatureScheme.RSA_PKCS1])


def test_closing_forgets_the_key(run, issued, p12_path, person, clock, job):
    signer, certificate = issued.signer(), own(run(issued.signer().certificates()))
    with_password = SoftKeySigner.from_file(p12_path, password=Secret(PASSWORD))
    for closed in (signer, with_password):
        closed.close()
        closed.close()
        with pytest.raises(SigningError) as caught:
            run(closed.start([job()], certificate, person(), clock))
        assert caught.value.code == "signing.closed"
        with pytest.raises(SigningError):
            run(closed.certificates())


def test_the_callers_password_is_not_wiped_with_the_signer(p12_path):
    password = Secret(PASSWORD)
    SoftKeySigner.from_file(p12_path, password=password).close()
    assert password.reveal() == PASSWORD


def test_a_signer_shows_and_gives_away_nothing(p12_path):
    signer = SoftKeySigner.from_file(p12_path, password=Secret(PASSWORD))
    assert repr(signer) == "SoftKeySigner('khóa.p12')"
    for spread in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            spread(signer)


def test_paths_and_password_are_taken_as_texts(run, pem_path, issued, tmp_path):
    other = tmp_path / "c.pem"
    other.write_bytes(issued.certificates_pem())
    signer = SoftKeySigner.from_file(str(pem_path), certificates=str(other), password=PASSWORD)
    assert own(run(signer.certificates())).certificate
    assert PASSWORD not in repr(signer)


@pytest.mark.parametrize("field", ["path", "certificates", "password"])
@pytest.mark.parametrize("wrong", [5, b"k.pem", ["k"]])
def test_a_path_or_password_of_another_type_is_refused(pem_path, field, wrong):
    given = {"path": pem_path, field: wrong}
    with pytest.raises(WrongTypeError) as caught:
        SoftKeySigner.from_file(given.pop("path"), **given)
    assert caught.value.field == field
