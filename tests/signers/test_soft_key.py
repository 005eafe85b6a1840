from __future__ import annotations

import copy
import pickle
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bhxh_sdk.errors import (
    CertificateUnusableError,
    InputError,
    KeyNotFoundError,
    KeyPasswordError,
    PersonNeededError,
    SigningError,
)
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers import HashName, SigningState, SoftKeySigner
from bhxh_sdk.signers.rsa import public_key, signature_fits

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
    key = public_key(certificate.certificate)
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
    assert signature_fits(public_key(certificate.certificate), work, done.signatures["one"])


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


def test_a_key_that_is_not_rsa_does_not_sign(run, now, person, clock, job):
    key = ec.generate_private_key(ec.SECP256R1())
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
    signer = SoftKeySigner.from_key(key, [certificate])
    (listed,) = run(signer.certificates())
    assert listed.certificate.key_kind == "ec"
    with pytest.raises(CertificateUnusableError) as caught:
        run(signer.start([job()], listed, person(), clock))
    assert caught.value.code == "signing.certificate_not_rsa"


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
