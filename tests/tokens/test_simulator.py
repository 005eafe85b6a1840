"""The token simulator behaves as it is told: each behaviour once, through the bare C functions."""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
import time
from ctypes import byref, c_char, c_char_p, c_ulong, create_string_buffer

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_der_x509_certificate
from tokens.entries import PIN
from tokens.processes import run_python, run_tool

pytestmark = [
    pytest.mark.needs_tool("softhsm2-util", "pkcs11-tool", "cc"),
    pytest.mark.skipif(sys.platform != "linux", reason="the simulator is written for Linux"),
]

LOW, FINAL, LOCKED, PIN_PAD = 0x10000, 0x20000, 0x40000, 0x100
RSA_PKCS, SHA256_RSA_PKCS = 0x1, 0x40
USER, CONTEXT = 1, 2
ABSENT = c_ulong(-1).value


class Attribute(ctypes.Structure):
    _fields_ = [("type", c_ulong), ("value", c_char_p), ("length", c_ulong)]


class Mechanism(ctypes.Structure):
    _fields_ = [("type", c_ulong), ("parameter", c_char_p), ("length", c_ulong)]


class Driver:
    """The C functions of a module, with the CKR as the answer."""

    def __init__(self, path):
        self.c = ctypes.CDLL(path)
        for name in (
            "Login",
            "Sign",
            "SignInit",
            "OpenSession",
            "CloseSession",
            "GetTokenInfo",
            "Initialize",
        ):
            getattr(self.c, f"C_{name}").restype = c_ulong
        assert self.c.C_Initialize(None) == 0

    def slots(self, *, present=True):
        count = c_ulong()
        assert self.c.C_GetSlotList(c_char(present), None, byref(count)) == 0
        found = (c_ulong * count.value)()
        assert self.c.C_GetSlotList(c_char(present), found, byref(count)) == 0
        return list(found)

    def token(self, slot=None):
        """Return the CKR, the flags and the session count."""
        info = create_string_buffer(512)
        ckr = self.c.C_GetTokenInfo(c_ulong(self.slots()[0] if slot is None else slot), info)
        numbers = (c_ulong * 3).from_buffer_copy(info.raw[96:])
        return ckr, numbers[0], numbers[2]

    def flags(self):
        return self.token()[1] & (LOW | FINAL | LOCKED | PIN_PAD)

    def open(self, slot=None):
        handle = c_ulong()
        slot = self.slots()[0] if slot is None else slot
        ckr = self.c.C_OpenSession(c_ulong(slot), c_ulong(4), None, None, byref(handle))
        return handle if ckr == 0 else ckr

    def login(self, session, pin=PIN, user=USER):
        text = None if pin is None else pin.encode()
        return self.c.C_Login(session, c_ulong(user), text, c_ulong(len(text or b"")))

    def key(self, session):
        wanted = c_ulong(3)
        template = Attribute(0, ctypes.cast(byref(wanted), c_char_p), 8)
        found, count = c_ulong(), c_ulong()
        assert self.c.C_FindObjectsInit(session, byref(template), c_ulong(1)) == 0
        assert self.c.C_FindObjects(session, byref(found), c_ulong(1), byref(count)) == 0
        assert self.c.C_FindObjectsFinal(session) == 0
        return found if count.value else None

    def begin(self, session, key, mechanism=SHA256_RSA_PKCS):
        return self.c.C_SignInit(session, byref(Mechanism(mechanism, None, 0)), key)

    def sign(self, session, data=b"example", output=True):
        size, value = c_ulong(512), create_string_buffer(512)
        ckr = self.c.C_Sign(session, data, c_ulong(len(data)), value if output else None, byref(size))
        return value.raw[: size.value] if ckr == 0 else ckr

    def attribute(self, session, key, kind, length):
        value = create_string_buffer(length)
        template = Attribute(kind, ctypes.cast(value, c_char_p), length)
        ckr = self.c.C_GetAttributeValue(session, key, byref(template), c_ulong(1))
        return ckr, template.length, value.raw

    def mechanisms(self):
        count = c_ulong()
        slot = c_ulong(self.slots()[0])
        assert self.c.C_GetMechanismList(slot, None, byref(count)) == 0
        found = (c_ulong * count.value)()
        if count.value > 1:
            assert self.c.C_GetMechanismList(slot, found, byref(c_ulong(1))) == 0x150
        assert self.c.C_GetMechanismList(slot, found, byref(count)) == 0
        return list(found)


@pytest.fixture
def driver(simulator):
    return Driver(simulator.module)


@pytest.fixture
def ready(driver):
    """A session that is logged in, and the key."""
    session = driver.open()
    assert driver.login(session) == 0
    return session, driver.key(session)


def test_it_shows_the_token_and_signs(driver, ready, shelf):
    session, key = ready
    assert driver.begin(session, key) == 0
    assert len(driver.sign(session, output=False)) == 256
    value = driver.sign(session)
    certificate = load_der_x509_certificate(shelf.a1.certificate)
    certificate.public_key().verify(value, b"example", PKCS1v15(), SHA256())


def test_a_slot_without_an_initialised_token_is_not_there(driver):
    assert len(driver.slots()) == len(driver.slots(present=False)) == 1


def test_a_tool_of_others_works_with_it(simulator):
    tool = ["pkcs11-tool", "--module", simulator.module, "--login", "--pin", PIN, "--list-objects"]
    listed = run_tool([*tool, "--type", "privkey"])
    assert "a1" in listed
    names = [call.name for call in simulator.calls()]
    assert names[:2] == ["load", "C_GetFunctionList"]
    assert names[-1] == "C_Finalize"


@pytest.mark.parametrize(
    ("style", "answers", "flags"),
    [
        ("immediate", [0xA0, 0xA0, 0xA4, 0xA4], [LOW, LOW | FINAL, LOCKED, LOCKED]),
        ("opencryptoki", [0xA0, 0xA0, 0xA0, 0xA4], [LOW, FINAL, LOCKED, LOCKED]),
        ("no_flags", [0xA0, 0xA0, 0xA0, 0xA4], [0, 0, 0, 0]),
    ],
)
def test_a_pin_is_counted_down_and_locked(simulator, driver, style, answers, flags):
    simulator.set(pin_style=style)
    session = driver.open()
    seen = [(driver.login(session, "00000000"), driver.flags()) for _ in answers]
    assert seen == list(zip(answers, flags, strict=True))
    assert driver.login(session) == 0xA4
    assert simulator.tries_left("single") == 0


def test_the_right_pin_gives_all_tries_back(simulator, driver):
    session = driver.open()
    assert driver.login(session, "00000000") == 0xA0
    assert simulator.tries_left("single") == 2
    assert driver.login(session) == 0
    assert simulator.tries_left("single") == 3
    assert driver.flags() == 0


def test_tries_are_the_tokens_and_not_the_process(simulator, driver):
    command = ["pkcs11-tool", "--module", simulator.module, "--login", "--pin", "00000000", "--list-objects"]
    run_tool(command, answers=1)
    assert simulator.tries_left("single") == 2
    assert driver.flags() == LOW
    simulator.set_tries_left("single", 1)
    assert driver.flags() == LOW | FINAL


def test_a_pin_of_a_wrong_length_costs_a_try(simulator, driver):
    simulator.set(pin_shortest=6, pin_longest=8)
    assert driver.login(driver.open(), "12345") == 0xA2
    assert simulator.tries_left("single") == 2


def test_a_second_login_is_told_so_and_costs_nothing(simulator, driver, ready):
    assert driver.login(ready[0], "00000000") == 0x100
    assert simulator.tries_left("single") == 3


def test_a_pulled_out_token_is_gone_from_its_slot_and_from_its_sessions(simulator, driver, ready):
    session, key = ready
    (slot,) = driver.slots()
    simulator.pull_out()
    assert driver.slots() == []
    assert driver.slots(present=False) == [slot]
    assert driver.token(slot)[0] == 0xE0
    assert driver.open(slot) == 0x32
    assert driver.login(session) == 0x32
    assert driver.begin(session, key) == 0x32
    assert driver.c.C_CloseSession(session) == 0x32


@pytest.mark.parametrize("is_seen_out", [True, False])
def test_after_it_is_back_old_sessions_are_dead_and_a_new_one_wants_the_pin(
    simulator, driver, ready, is_seen_out
):
    session, key = ready
    simulator.pull_out()
    if is_seen_out:
        assert driver.slots() == []
    simulator.insert()
    assert driver.begin(session, key) == 0xB3
    fresh = driver.open()
    assert driver.key(fresh) is None
    assert driver.begin(fresh, key) == 0x82
    assert driver.login(fresh) == 0
    assert driver.begin(fresh, driver.key(fresh)) == 0


def test_what_a_dead_session_answers_can_be_chosen(simulator, driver, ready):
    simulator.set(stale=0x30)
    simulator.pull_out()
    simulator.insert()
    assert driver.begin(*ready) == 0x30


def test_one_of_several_tokens_can_be_pulled_out(make_simulator):
    simulator = make_simulator()
    driver = Driver(simulator.module)
    everything = driver.slots()
    simulator.pull_out("two")
    assert len(driver.slots()) == len(everything) - 1 == 5
    simulator.insert("two")
    assert driver.slots() == everything


def test_a_token_pulled_out_while_it_signs_gives_no_signature(simulator, driver, ready):
    simulator.set(slow_sign_ms=300)
    assert driver.begin(*ready) == 0
    timer = threading.Timer(0.1, simulator.pull_out)
    timer.start()
    assert driver.sign(ready[0]) == 0x32
    timer.join()


def test_a_pin_pad_takes_the_pin_itself(simulator, driver):
    session = driver.open()
    assert driver.login(session, None) == 0x07
    simulator.set(pin_pad="00000000")
    assert driver.flags() == PIN_PAD
    assert driver.login(session, None) == 0xA0
    simulator.set(pin_pad=PIN)
    assert driver.login(session, None) == 0


def test_a_key_that_wants_the_pin_each_time(simulator, driver, ready):
    session, key = ready
    simulator.set(always_authenticate=True)
    assert driver.attribute(session, key, 0x202, 1) == (0, 1, b"\1")
    assert driver.login(session, user=CONTEXT) == 0x91
    assert driver.begin(session, key) == 0
    assert driver.sign(session) == 0x101
    assert driver.sign(session) == 0x91
    assert driver.begin(session, key) == 0
    assert driver.login(session, "00000000", CONTEXT) == 0xA0
    assert simulator.tries_left("single") == 2
    assert driver.begin(session, key) == 0x90
    assert driver.login(session, PIN, CONTEXT) == 0
    assert len(driver.sign(session)) == 256
    assert simulator.tries_left("single") == 3
    assert driver.begin(session, key) == 0
    assert driver.sign(session) == 0x101


def test_signing_takes_its_time_but_asking_the_size_does_not(simulator, driver, ready):
    simulator.set(slow_sign_ms=200)
    assert driver.begin(*ready) == 0
    start = time.perf_counter()
    driver.sign(ready[0], output=False)
    asked = time.perf_counter()
    driver.sign(ready[0])
    assert asked - start < 0.15
    assert time.perf_counter() - asked >= 0.2


def test_sessions_are_counted_and_limited(simulator, driver):
    simulator.set(sessions=2)
    first = driver.open()
    driver.open()
    assert driver.token()[2] == 2
    assert driver.open() == 0xB1
    assert driver.c.C_CloseSession(first) == 0
    assert isinstance(driver.open(), c_ulong)
    assert driver.c.C_CloseAllSessions(c_ulong(driver.slots()[0])) == 0
    assert driver.token()[2] == 0


@pytest.mark.parametrize("only", [RSA_PKCS, SHA256_RSA_PKCS])
def test_a_token_may_know_one_mechanism_only(simulator, driver, ready, only):
    assert len(driver.mechanisms()) > 10
    simulator.set(mechanisms=[only])
    assert driver.mechanisms() == [only]
    other = ({RSA_PKCS, SHA256_RSA_PKCS} - {only}).pop()
    assert driver.begin(*ready, other) == 0x70
    assert driver.begin(*ready, only) == 0


def test_an_attribute_can_be_hidden(simulator, driver, ready):
    assert driver.attribute(*ready, 0x120, 256)[:2] == (0, 256)
    simulator.set(hidden=[0x120])
    assert driver.attribute(*ready, 0x120, 256)[:2] == (0x12, ABSENT)


def test_flags_can_be_set_and_cleared(simulator, driver):
    simulator.set(flags_set=0x80000, flags_cleared=0x8)
    assert driver.token()[1] & 0x80008 == 0x80000


def test_a_signature_can_be_wrong(simulator, driver, ready, shelf):
    simulator.set(wrong_signature=True)
    assert driver.begin(*ready) == 0
    public = load_der_x509_certificate(shelf.a1.certificate).public_key()
    with pytest.raises(InvalidSignature):
        public.verify(driver.sign(ready[0]), b"example", PKCS1v15(), SHA256())


def test_any_function_can_answer_anything_without_any_effect(simulator, driver):
    session = driver.open()
    simulator.set(fail={"C_Login": 0x80000042, "C_GenerateRandom": 0x30})
    assert driver.login(session, "00000000") == 0x80000042
    assert driver.c.C_GenerateRandom(session, create_string_buffer(8), c_ulong(8)) == 0x30
    assert simulator.tries_left("single") == 3
    simulator.reset()
    assert driver.login(session) == 0


def test_a_failure_can_come_after_some_calls_and_go_away(simulator, driver, ready):
    simulator.set(fail={"C_SignInit": (0xB3, 1, 1)})
    answers = []
    for _ in range(3):
        answers.append(driver.begin(*ready))
        driver.sign(ready[0])
    assert answers == [0, 0xB3, 0]


@pytest.mark.parametrize(
    ("how", "code"), [("segv", -signal.SIGSEGV), ("abort", -signal.SIGABRT), ("exit", 3)]
)
@pytest.mark.parametrize("where", ["load", "C_GetSlotList"])
def test_it_crashes_on_demand(simulator, how, code, where):
    simulator.set(crash={where: how})
    script = """
        import ctypes, sys
        driver = ctypes.CDLL(sys.argv[1])
        driver.C_Initialize(None)
        driver.C_GetSlotList(b"\\1", None, ctypes.byref(ctypes.c_ulong()))
    """
    run_python(script, simulator.module, answers=code)
    last = simulator.calls()[-1]
    assert (last.name, last.ended, last.result) == (where, how, None)


@pytest.mark.parametrize("where", ["load", "C_Initialize"])
def test_it_hangs_on_demand(simulator, where):
    simulator.set(hang={where: 0.3})
    start = time.perf_counter()
    Driver(simulator.module)
    assert time.perf_counter() - start >= 0.3
    assert [call.ended for call in simulator.calls(where)] == ["hang", "0x0"]


def test_it_lies_about_a_length_on_demand(simulator, driver, ready):
    session, key = ready
    simulator.set(lie={"C_GetAttributeValue": (2**62, 1, 1)})
    told = [driver.attribute(session, key, 0x3, 40)[1] for _ in range(3)]
    assert told[1] == 2**62
    assert told[0] == told[2] < 40


def test_the_log_tells_each_call_with_what_matters_and_never_a_pin(simulator, driver, ready):
    simulator.forget_calls()
    session, key = ready
    driver.begin(session, key, RSA_PKCS)
    driver.sign(session, bytes(51), output=False)
    driver.sign(session, bytes(51))
    driver.login(session)
    begun, asked, signed, logged = simulator.calls()
    assert (begun.name, begun.arguments["mechanism"], begun.result) == ("C_SignInit", "0x1", 0)
    assert (asked.arguments["data"], asked.arguments["output"]) == ("51", "no")
    assert signed.arguments["output"] == "yes"
    assert (logged.arguments["user"], logged.arguments["pin"], logged.result) == ("1", "given", 0x100)
    assert not any(call.overlaps for call in simulator.calls())
    assert PIN not in str(simulator.calls())
    assert [call.name for call in simulator.calls("C_Login")] == ["C_Login"]


def test_the_log_tells_when_two_threads_are_inside(simulator, driver, ready):
    simulator.set(slow_sign_ms=200)
    assert driver.begin(*ready) == 0
    signing = threading.Thread(target=driver.sign, args=[ready[0]])
    signing.start()
    time.sleep(0.05)
    driver.slots()
    signing.join()
    assert {call.name for call in simulator.overlaps} == {"C_GetSlotList"}


def test_two_drivers_may_show_the_very_same_token(make_simulator, token_alone):
    drivers = [Driver(make_simulator(token_alone, shares=True).module) for _ in range(2)]
    assert drivers[0].slots() == drivers[1].slots()
    for driver in drivers:
        assert driver.login(driver.open()) == 0


def test_two_simulators_in_one_process_know_nothing_of_each_other(make_simulator, token_alone):
    first, second = make_simulator(token_alone), make_simulator(token_alone)
    drivers = [Driver(first.module), Driver(second.module)]
    first.pull_out()
    assert [len(driver.slots()) for driver in drivers] == [0, 1]
    assert drivers[1].login(drivers[1].open(), "00000000") == 0xA0
    assert (first.tries_left("single"), second.tries_left("single")) == (3, 2)
