from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from signers.pkcs11.fakes import PIN, token_of

from bhxh_sdk.errors import SigningError
from bhxh_sdk.models import CertificateInfo, SignatureScheme
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers import HashName, SigningJob
from bhxh_sdk.signers.pkcs11.contract import CkrError
from bhxh_sdk.signers.pkcs11.opened import OpenedToken
from bhxh_sdk.signers.pkcs11.opened_key import OpenedKey
from bhxh_sdk.signers.values import public_key, signature_fits
from bhxh_sdk.token_errors import DriverCrashedError, PinError, TokenError

RSA = SignatureScheme.RSA_PKCS1


pytestmark = pytest.mark.usefixtures("fresh_memory")


@pytest.fixture
def token(shelf):
    return token_of(shelf.a1, login_required=False)


@pytest.fixture
def make(module, token, shelf):
    def key(pin=None):
        opened = OpenedToken(module, token.info)
        (found,) = opened.keys()
        info = CertificateInfo.from_der(shelf.a1.certificate)
        return OpenedKey(opened, info, found, lambda: opened.keys()[0], pin=pin)

    return key


def signs(key, name="one"):
    return key(hashlib.sha256(name.encode()).digest(), HashName.SHA256, RSA)


def test_threads_share_a_key(make, shelf):
    key = make()
    with ThreadPoolExecutor(4) as threads:
        values = list(threads.map(lambda name: (name, signs(key, name)), map(str, range(64))))
    public = public_key(CertificateInfo.from_der(shelf.a1.certificate), [RSA])
    for name, value in values:
        job = SigningJob(document_id=name, digest=hashlib.sha256(name.encode()).digest())
        assert signature_fits(public, job, value)


def test_threads_that_lose_a_session_together_open_one(make, module):
    key = make()
    signs(key)
    meeting = Barrier(2, timeout=5)
    called = module.called

    def lost_together(name):
        called(name)
        if name == "C_Sign" and module.calls[name] in {2, 3}:
            meeting.wait()
            raise CkrError(0xB3, name)

    module.called = lost_together
    with ThreadPoolExecutor(2) as threads:
        assert all(threads.map(lambda _: signs(key), range(2)))
    assert module.calls["C_OpenSession"] == 2


def test_a_wrong_pin_for_each_signature_is_sent_once_by_all_threads(make, module, token):
    token.always, token.pin = True, "something else"
    key = make(pin=Secret(PIN))

    def attempt(_):
        with pytest.raises(PinError):
            signs(key)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(attempt, range(8)))
    assert module.logins == [(PIN, 2)]


def test_a_driver_that_crashes_may_have_counted_the_pin(make, module, token, fresh_memory):
    token.always = True
    key = make(pin=Secret(PIN))
    module.failures["C_Sign"] = [DriverCrashedError(name="x")]
    for kind in (DriverCrashedError, PinError):
        with pytest.raises(kind):
            signs(key)
    assert fresh_memory.wrong(token.info) == 1


def test_after_the_token_was_closed_nothing_is_signed(make):
    key = make()
    key._token.close()
    with pytest.raises(SigningError) as caught:
        signs(key)
    assert caught.value.code == "signing.closed"


def test_a_key_that_is_gone_with_the_session_is_an_error(make, module):
    key = make()
    key._find = lambda: None
    module.failures["C_Sign"] = [0xB3]
    with pytest.raises(TokenError) as caught:
        signs(key)
    assert caught.value.ckr == 0xB3


def test_a_forked_process_cannot_go_on(make, module, monkeypatch):
    key = make()
    monkeypatch.setattr("bhxh_sdk.signers.pkcs11.locks.os.getpid", lambda: -1)
    module.failures["C_Sign"] = [CkrError(0x190, "C_Sign", "forked")]
    with pytest.raises(TokenError) as caught:
        signs(key)
    assert caught.value.code == "token.forked"


def test_forgetting_twice_is_as_good_as_once(make):
    key = make(pin=Secret(PIN))
    key.forget()
    key.forget()
    assert signs(key)  # this key wants no PIN
