"""Both bindings do the same, on SoftHSM2 and on the simulator of a USB token."""

from __future__ import annotations

import ctypes
import hashlib
import traceback

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from tokens.entries import PIN
from tokens.processes import run_python

from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.pkcs11.contract import CkrError, Mechanism, TokenFlag
from bhxh_sdk.signers.pkcs11.loading import load_module

pytestmark = pytest.mark.needs_tool("softhsm2-util", "cc")

INFO = bytes.fromhex("3031300d060960864801650304020105000420")
DIGEST = hashlib.sha256(b"document").digest()
WRONG = "87651234"


@pytest.fixture(params=["python-pkcs11", "pykcs11"])
def binding(request):
    return request.param


@pytest.fixture
def softhsm_module(softhsm_here, binding):
    return load_module(softhsm_here.module, binding)


@pytest.fixture
def token(simulator, binding):
    """The simulator's module and its one slot."""
    module = load_module(simulator.module, binding)
    return module, module.tokens()[0].slot


@pytest.fixture
def logged_in(token):
    module, slot = token
    session = module.open(slot)
    session.login(Secret(PIN))
    return session


def slot_of(module, label):
    return next(token.slot for token in module.tokens() if token.label == label)


def code_of(call, *arguments):
    with pytest.raises(CkrError) as caught:
        call(*arguments)
    return caught.value.code


def verify(entry, signature, digest=DIGEST):
    entry.key.public_key().verify(signature, digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))


# What a module says


def test_a_module_tells_what_it_is(softhsm_module, softhsm_here, binding):
    info = softhsm_module.info()
    assert (info.path, info.manufacturer, info.description) == (
        softhsm_here.module,
        "SoftHSM",
        "Implementation of PKCS11",
    )
    assert info.version.startswith("2.")
    assert (softhsm_module.path, softhsm_module.binding) == (softhsm_here.module, binding)


def test_tokens_are_listed_without_the_uninitialised_one(softhsm_module):
    tokens = softhsm_module.tokens()
    assert sorted(token.label for token in tokens) == [
        "elliptic",
        "empty",
        "expired",
        "pairs",
        "single",
        "two",
    ]
    assert softhsm_module.slot_count() == len(tokens) + 1
    one = tokens[0]
    assert (one.manufacturer, one.model, len(one.serial)) == ("SoftHSM project", "SoftHSM v2", 16)
    assert one.reader.startswith("SoftHSM slot")
    assert (one.shortest_pin, one.longest_pin) == (4, 255)
    assert TokenFlag.LOGIN_REQUIRED | TokenFlag.TOKEN_INITIALIZED in one.flags


def test_flags_are_read_anew(token, simulator):
    module, slot = token
    assert TokenFlag.USER_PIN_COUNT_LOW not in module.tokens()[0].flags
    session = module.open(slot)
    assert code_of(session.login, Secret(WRONG)) == 0xA0
    assert TokenFlag.USER_PIN_COUNT_LOW in module.tokens()[0].flags


def test_mechanisms_are_the_tokens_own(token, simulator):
    module, slot = token
    assert {0x1, 0x40, 0x1041} <= module.mechanisms(slot)
    simulator.set(mechanisms=[0x1, 0x80000001])
    assert module.mechanisms(slot) == {0x1, 0x80000001}


def test_a_slot_that_is_not_there_is_an_error(token):
    module, slot = token
    assert code_of(module.mechanisms, slot + 1) == 0x3
    assert code_of(module.open, slot + 1) == 0x3


def test_two_modules_in_one_process_keep_apart(make_simulator, token_alone, binding):
    first, second = make_simulator(), make_simulator(token_alone)
    one = load_module(first.module, binding)
    before = one.tokens()
    other = load_module(second.module, binding)
    assert one.tokens() == before
    assert [token.label for token in other.tokens()] == ["single"]
    session = one.open(slot_of(one, "two"))
    session.login(Secret(PIN))
    assert len(session.keys()) == 2
    assert second.calls("C_Login") == []


# Objects


def test_certificates_are_listed_without_login(softhsm_module, shelf):
    session = softhsm_module.open(slot_of(softhsm_module, "pairs"))
    found = {one.key_id.hex(): one for one in session.certificates()}
    assert found["a1"].der == shelf.a1.certificate
    assert found["a1"].label == "sign"
    assert set(found) == {"a1", "b2", "d4"}
    assert session.keys() == ()


def test_keys_are_listed_after_login(softhsm_module, shelf):
    session = softhsm_module.open(slot_of(softhsm_module, "pairs"))
    session.login(Secret(PIN))
    keys = session.keys()
    found = {one.key_id.hex(): one for one in keys}
    assert set(found) == {"a1", "e5"}
    key = found["a1"]
    assert key.modulus == shelf.a1.key.private_numbers().public_numbers.n
    assert (key.label, key.kind, key.always_authenticate) == ("sign", "rsa", False)


def test_a_modulus_that_cannot_be_read_is_left_out(logged_in, simulator):
    simulator.set(hidden=[0x120, 0x3])
    (key,) = logged_in.keys()
    assert (key.modulus, key.label, key.key_id) == (None, "", b"\xa1")


def test_attributes_are_read_one_by_one_where_a_token_refuses_them_together(logged_in, simulator):
    # All attributes fail together, and then the first alone.
    simulator.set(fail={"C_GetAttributeValue": (0x6, 0, 2)})
    (key,) = logged_in.keys()
    assert (key.key_id, key.kind) == (b"\xa1", "other")
    simulator.set(fail={"C_GetAttributeValue": (0x5, 0, 2)})
    assert code_of(logged_in.keys) == 0x5


# Login


def test_one_entry_is_one_login_and_leaves_no_session_behind(token, simulator):
    module, slot = token
    simulator.set(sessions=2, tries=0)
    session = module.open(slot)
    for _ in range(5):
        assert code_of(session.login, Secret(WRONG)) == 0xA0
    session.login(Secret(PIN))
    assert len(simulator.calls("C_Login")) == 6
    assert len(simulator.calls("C_OpenSession")) == 1
    assert session.keys()


def test_being_logged_in_already_is_told_and_costs_nothing(token, simulator):
    module, slot = token
    first, second = module.open(slot), module.open(slot)
    first.login(Secret(PIN))
    with pytest.raises(CkrError) as caught:
        second.login(Secret(WRONG))
    assert caught.value.code == 0x100
    assert simulator.tries_left("single") == 3
    assert [call.result for call in simulator.calls("C_Login")] == [0, 0x100]


def test_closing_a_session_logs_out_no_other(token):
    module, slot = token
    first, second = module.open(slot), module.open(slot)
    first.login(Secret(PIN))
    (key,) = second.keys()
    first.close()
    assert len(second.sign(key, Mechanism.RSA_PKCS, INFO + DIGEST)) == 256
    second.close()
    assert module.open(slot).keys() == ()


def test_an_empty_pin_is_never_sent(token, simulator):
    module, slot = token
    assert code_of(module.open(slot).login, Secret("")) == 0xA2
    assert simulator.calls("C_Login") == []


def test_a_pin_is_typed_on_the_pad(token, simulator):
    module, slot = token
    simulator.set(pin_pad=PIN)
    session = module.open(slot)
    session.login(None)
    assert session.keys()
    assert [call.arguments["pin"] for call in simulator.calls("C_Login")] != ["given"]


def test_the_pin_stands_in_no_traceback(token):
    module, slot = token
    with pytest.raises(CkrError) as caught:
        module.open(slot).login(Secret(WRONG))
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert WRONG not in shown


@pytest.mark.parametrize("code", [0xA4, 0x30, 0x80000005])
def test_the_drivers_own_number_comes_through_a_login(token, simulator, code):
    module, slot = token
    session = module.open(slot)
    simulator.set(fail={"C_Login": code})
    assert code_of(session.login, Secret(PIN)) == code


# Signing


def test_signatures_verify(logged_in, shelf):
    (key,) = logged_in.keys()
    verify(shelf.a1, logged_in.sign(key, Mechanism.RSA_PKCS, INFO + DIGEST))
    verify(shelf.a1, logged_in.sign(key, Mechanism.SHA256_RSA_PKCS, b"document"))


def test_a_vector_that_is_laid_out_in_another_way_is_copied_slowly():
    from bhxh_sdk.signers.pkcs11.pykcs11 import _bytes

    class Vector:
        memory = (ctypes.c_size_t * 2)(0, 0)
        this = ctypes.addressof(memory)

        def __len__(self):
            return 3

        def __bytes__(self):
            return b"abc"

    assert _bytes(Vector()) == b"abc"


def test_pss_takes_the_hash_function_by_the_digests_length(logged_in, shelf):
    (key,) = logged_in.keys()
    digest = hashlib.sha384(b"document").digest()
    signature = logged_in.sign(key, Mechanism.RSA_PKCS_PSS, digest)
    how = padding.PSS(padding.MGF1(hashes.SHA384()), 48)
    shelf.a1.key.public_key().verify(signature, digest, how, Prehashed(hashes.SHA384()))
    assert code_of(logged_in.sign, key, Mechanism.RSA_PKCS_PSS, b"short") == 0x21


def test_an_elliptic_key_signs_the_digest(softhsm_module, shelf):
    session = softhsm_module.open(slot_of(softhsm_module, "elliptic"))
    session.login(Secret(PIN))
    (key,) = session.keys()
    assert (key.kind, key.modulus) == ("ec", None)
    raw = session.sign(key, Mechanism.ECDSA, DIGEST)
    signature = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    shelf.f6.key.public_key().verify(signature, DIGEST, ec.ECDSA(Prehashed(hashes.SHA256())))


def test_a_key_of_another_session_is_refused(token, logged_in):
    module, slot = token
    (key,) = logged_in.keys()
    assert code_of(module.open(slot).sign, key, Mechanism.RSA_PKCS, INFO + DIGEST) == 0x60


@pytest.mark.parametrize("code", [0x30, 0x90, 0x191, 0x80000005])
def test_the_drivers_own_number_comes_through_signing(logged_in, simulator, code):
    (key,) = logged_in.keys()
    simulator.set(fail={"C_Sign": code})
    assert code_of(logged_in.sign, key, Mechanism.RSA_PKCS, INFO + DIGEST) == code


def test_a_key_that_wants_the_pin_each_time_gets_it_each_time(logged_in, simulator, shelf):
    simulator.set(always_authenticate=True)
    (key,) = logged_in.keys()
    assert key.always_authenticate
    for mechanism, data in ((Mechanism.RSA_PKCS, INFO + DIGEST), (Mechanism.SHA256_RSA_PKCS, b"document")):
        verify(shelf.a1, logged_in.sign(key, mechanism, data, Secret(PIN)))
    assert len(logged_in.sign(key, Mechanism.RSA_PKCS_PSS, DIGEST, Secret(PIN))) == 256
    assert [call.arguments["user"] for call in simulator.calls("C_Login")] == ["1", "2", "2", "2"]
    assert code_of(logged_in.sign, key, Mechanism.RSA_PKCS, INFO + DIGEST) == 0x101


def test_a_wrong_pin_for_one_signature_leaves_the_session_in_order(logged_in, simulator, shelf):
    simulator.set(always_authenticate=True)
    (key,) = logged_in.keys()
    assert code_of(logged_in.sign, key, Mechanism.RSA_PKCS, INFO + DIGEST, Secret(WRONG)) == 0xA0
    verify(shelf.a1, logged_in.sign(key, Mechanism.RSA_PKCS, INFO + DIGEST, Secret(PIN)))
    assert len(simulator.calls("C_Login")) == 3


def test_a_pad_serves_a_key_that_wants_the_pin_each_time(token, simulator, shelf):
    module, slot = token
    simulator.set(always_authenticate=True, pin_pad=PIN)
    session = module.open(slot)
    session.login(None)
    (key,) = session.keys()
    verify(shelf.a1, session.sign(key, Mechanism.RSA_PKCS, INFO + DIGEST))


def test_a_key_that_does_not_tell_whether_it_signs_is_tried(logged_in, simulator, shelf):
    simulator.set(hidden=[0x108])
    (key,) = logged_in.keys()
    verify(shelf.a1, logged_in.sign(key, Mechanism.RSA_PKCS, INFO + DIGEST))


# Removal


def test_a_token_that_is_pulled_out_is_told_of_at_every_call(token, simulator):
    module, slot = token
    session = module.open(slot)
    session.login(Secret(PIN))
    (key,) = session.keys()
    simulator.pull_out()
    assert module.tokens() == ()
    assert code_of(session.sign, key, Mechanism.RSA_PKCS, INFO + DIGEST) == 0x32
    assert code_of(session.keys) == 0x32
    assert code_of(session.certificates) == 0x32
    assert code_of(session.login, Secret(PIN)) == 0x32
    assert code_of(module.open, slot) in {0xE0, 0x32}
    session.close()
    simulator.insert()
    again = module.open(slot_of(module, "single"))
    again.login(Secret(PIN))
    assert len(again.keys()) == 1


@pytest.mark.parametrize("code", [0xE0, 0xE1, 0x32])
def test_a_token_that_goes_while_tokens_are_listed_is_left_out(token, simulator, code):
    module, _ = token
    simulator.set(fail={"C_GetTokenInfo": code})
    assert module.tokens() == ()


def test_a_driver_that_fails_while_tokens_are_listed_is_an_error(token, simulator):
    module, _ = token
    simulator.set(fail={"C_GetTokenInfo": 0x5})
    assert code_of(module.tokens) == 0x5


def test_a_search_that_fails_on_its_way_leaves_the_session_in_order(logged_in, simulator):
    simulator.set(fail={"C_FindObjects": (0x5, 0, 1)})
    assert code_of(logged_in.keys) == 0x5
    assert len(logged_in.keys()) == 1


# The end


def test_a_closed_session_does_nothing_and_closes_once(token, simulator):
    module, slot = token
    session = module.open(slot)
    session.close()
    session.close()
    assert len(simulator.calls("C_CloseSession")) == 1
    assert code_of(session.certificates) == 0xB3
    assert code_of(session.login, Secret(PIN)) == 0xB3


def test_closing_never_raises(token, simulator):
    module, slot = token
    session = module.open(slot)
    simulator.set(fail={"C_CloseSession": 0x5})
    session.close()


def test_a_module_is_never_finalised(simulator, binding):
    script = """
        import sys
        from bhxh_sdk.secret import Secret
        from bhxh_sdk.signers.pkcs11.loading import load_module

        module = load_module(sys.argv[1], sys.argv[2])
        session = module.open(module.tokens()[0].slot)
        session.login(Secret("12345678"))
        print(len(session.keys()))
    """
    assert run_python(script, simulator.module, binding) == "1\n"
    assert len(simulator.calls("C_Initialize")) == 1
    assert simulator.calls("C_Finalize") == []


def test_a_forked_process_is_told(simulator, binding):
    script = """
        import os, sys
        from bhxh_sdk.secret import Secret
        from bhxh_sdk.signers.pkcs11.contract import CkrError, Mechanism
        from bhxh_sdk.signers.pkcs11.loading import load_module
        from bhxh_sdk.signers.pkcs11.outcomes import token_error
        from bhxh_sdk.token_errors import DriverError

        module = load_module(sys.argv[1], sys.argv[2])
        session = module.open(module.tokens()[0].slot)
        session.login(Secret("12345678"))
        (key,) = session.keys()
        if (child := os.fork()) == 0:
            try:
                load_module(sys.argv[1])
            except DriverError as error:
                print(error.code)
            try:
                session.sign(key, Mechanism.RSA_PKCS, bytes(51))
            except CkrError as error:
                print(hex(error.code), token_error(error, "HR").code)
            session.close()
            sys.exit()
        os.waitpid(child, 0)
        print(len(session.sign(key, Mechanism.RSA_PKCS, bytes(51))))
    """
    said = run_python(script, simulator.module, binding)
    assert said.split() == ["token.driver_forked", "0x190", "token.forked", "256"]
    assert {call.process for call in simulator.calls()} == {simulator.calls()[0].process}
