"""Version 1 against a service written by others, over HTTP on this machine."""

from __future__ import annotations

import hashlib

import pytest
from attrs import evolve
from csc_peer import NAME, peer

from bhxh_sdk import open_signer
from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import UnexpectedReplyError
from bhxh_sdk.models import SignatureScheme
from bhxh_sdk.remote_errors import ProviderRequestError
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers import SigningJob, SigningState, sign
from bhxh_sdk.signers.flow import started
from bhxh_sdk.signers.remote import RemoteProfile, open_profile
from bhxh_sdk.signers.verdicts import failure_of
from bhxh_sdk.system import SystemClock
from bhxh_sdk.transport import HttpSender


@pytest.fixture(scope="module", params=["2", "1"])
def address(request, tmp_path_factory):
    with peer(tmp_path_factory.mktemp("peer"), request.param) as url:
        yield f"{url}/csc/v1"


@pytest.fixture
def opened(address):
    """Open a signer of the service, by its address or with changes of the dialect."""
    signers = []

    def make(credential="", **settings):
        if settings:
            table = {"kind": "csc", "base_url": address, "credential": credential, **settings}
            profile = RemoteProfile.from_table(table)
            signers.append(open_profile(profile, clock=SystemClock(), senders=HttpSender))
        else:
            named = f"?credential={credential}" if credential else ""
            signers.append(open_signer(f"csc:{address}{named}"))
        return signers[-1]

    yield make
    for signer in signers:
        signer.close()


def jobs(count, **changes):
    digests = [hashlib.sha256(str(number).encode()).digest() for number in range(count)]
    return [
        SigningJob(document_id=str(number), digest=digest, document_name="Tờ khai", **changes)
        for number, digest in enumerate(digests)
    ]


def signed(signer, wanted):
    own = run_blocking(signer.certificates())[0]
    return run_blocking(sign(signer, wanted, own, None, SystemClock()))


def test_every_credential_is_listed(opened):
    found = run_blocking(opened().certificates())
    assert {item.key_id for item in found} == {"lab/ca", "lab/unit", "lab/curve", "lab/unit-expired"}
    assert all(item.has_private_key for item in found)


def test_a_certificate_says_whose_it_is(opened):
    [own] = run_blocking(opened("lab/unit").certificates())
    assert own.certificate.common_name == NAME
    assert [str(code) for code in own.certificate.tax_codes] == ["0100109106"]


def test_a_batch_beyond_multisign_is_signed(opened):
    signer = opened("lab/unit")
    assert len(signed(signer, jobs(23))) == 23
    assert signer.capabilities.largest_batch == 10


@pytest.mark.parametrize("credential", ["lab/unit", "lab/unit-expired", "lab/ca"])
def test_rsa_values_fit(opened, credential):
    assert set(signed(opened(credential), jobs(3))) == {"0", "1", "2"}


def test_plain_rsa_with_its_hash_named_fits(opened):
    signer = opened("lab/unit")
    own = run_blocking(signer.certificates())[0]
    known = signer._protocol._credentials
    known["lab/unit"] = evolve(known["lab/unit"], algorithms=frozenset({"1.2.840.113549.1.1.1"}))
    assert len(run_blocking(sign(signer, jobs(2), own, None, SystemClock()))) == 2


def test_values_of_a_curve_come_in_der_and_fit(opened):
    values = signed(opened("lab/curve"), jobs(4, scheme=SignatureScheme.ECDSA))
    assert {len(value) for value in values.values()} == {64}


def test_an_unknown_credential_is_refused_in_plain_text(opened):
    with pytest.raises(ProviderRequestError) as caught:
        run_blocking(opened("lab/nobody").certificates())
    assert caught.value.provider_code == "404"
    assert caught.value.provider_text == "404: Not Found"


def test_a_dialect_that_does_not_fit_is_refused_and_nothing_is_signed(opened):
    signer = opened("lab/unit", dialect_changes={"hashes_member": "hashes"})
    own = run_blocking(signer.certificates())[0]
    ended = run_blocking(started(signer, jobs(1), own, None, SystemClock()))
    # Without SCAL 2 the authorisation needs no hashes; signing without them is what breaks the service.
    assert ended.state in {SigningState.FAILED, SigningState.AMBIGUOUS}
    assert not ended.signatures
    assert failure_of(ended) is not None


def test_a_log_in_that_the_service_does_not_have_is_told(opened, address):
    table = {"kind": "csc", "base_url": address, "login": "basic", "user_name": "nobody"}
    profile = RemoteProfile.from_table(table)
    secrets = {"password": Secret("nothing")}
    signer = open_profile(profile, clock=SystemClock(), senders=HttpSender, secrets=secrets)
    with pytest.raises(ProviderRequestError) as caught:
        run_blocking(signer.certificates())
    assert caught.value.provider_code == "404"
    signer.close()


def test_a_wrong_address_is_no_service(address):
    signer = open_signer(f"csc:{address.replace('/csc/v1', '')}")
    with pytest.raises((ProviderRequestError, UnexpectedReplyError)):
        run_blocking(signer.certificates())
    signer.close()
