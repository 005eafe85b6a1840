"""A module in a process of its own: what the driver does there cannot hurt this one."""

from __future__ import annotations

import gc
import itertools
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest
from signers.pkcs11.made_libraries import elf
from tokens.entries import PIN
from tokens.processes import run_python

from bhxh_sdk import DocumentSigner
from bhxh_sdk.errors import BhxhError, InputError, MissingExtraError
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.pkcs11 import TokenSigner, isolated
from bhxh_sdk.signers.pkcs11.contract import CkrError, Mechanism, TokenKey
from bhxh_sdk.signers.pkcs11.helper import HELLO, VERSION
from bhxh_sdk.signers.pkcs11.isolated import IsolatedModule
from bhxh_sdk.signers.pkcs11.messages_on_pipes import LONGEST_REQUEST
from bhxh_sdk.token_errors import DriverCrashedError, DriverError

DATA = b"\x00" * 51


@pytest.fixture
def use():
    """Open isolated modules that end with the test."""
    opened = []

    def begin(path, **more) -> IsolatedModule:
        opened.append(IsolatedModule(str(path), **more))
        return opened[-1]

    yield begin
    for module in opened:
        module.close()


@pytest.fixture
def module(use, simulator):
    return use(simulator.module)


def slot_of(module, label: str = "single") -> int:
    return next(token.slot for token in module.tokens() if token.label == label)


def logged_in(module):
    session = module.open(slot_of(module))
    session.login(Secret(PIN))
    return session


needs_simulator = pytest.mark.needs_tool("cc", "softhsm2-util")


@needs_simulator
def test_it_is_used_as_if_it_were_in_this_process(module, simulator, shelf):
    assert module.binding == "helper:python-pkcs11"
    assert module.path == str(simulator.module)
    assert module.info().manufacturer
    assert module.slot_count() >= len(module.tokens()) > 0
    assert Mechanism.RSA_PKCS in module.mechanisms(slot_of(module))
    session = module.open(slot_of(module))
    assert shelf.a1.certificate in [each.der for each in session.certificates()]
    assert session.keys() == ()
    with pytest.raises(CkrError) as caught:
        session.login(Secret("00000000"))
    assert caught.value.code == 0xA0
    session.login(Secret(PIN))
    (key,) = session.keys()
    digest_info = bytes.fromhex("3031300d060960864801650304020105000420") + bytes(32)
    value = session.sign(key, Mechanism.RSA_PKCS, digest_info)
    assert len(value) == 256
    session.close()
    session.close()
    assert [call.process for call in simulator.calls("C_Login")] == [module._child._process.pid] * 2


@needs_simulator
@pytest.mark.parametrize("how", ["segv", "abort", "exit"])
def test_a_crash_is_an_error_and_the_next_session_begins_anew(module, simulator, how):
    session = logged_in(module)
    (key,) = session.keys()
    simulator.set(crash={"C_Sign": how})
    with pytest.raises(DriverCrashedError) as caught:
        session.sign(key, Mechanism.RSA_PKCS, DATA)
    assert caught.value.code == "driver.crashed"
    assert Path(simulator.module).name in caught.value.message()
    with pytest.raises(CkrError) as again:
        session.keys()
    assert again.value.code == 0xB3
    session.close()
    simulator.set(crash={})
    logins = len(simulator.calls("C_Login"))
    fresh = module.open(slot_of(module))
    assert fresh.keys() == (), "nobody is logged in there"
    assert len(simulator.calls("C_Login")) == logins, "no PIN was kept"
    fresh.login(Secret(PIN))
    with pytest.raises(CkrError):
        fresh.sign(key, Mechanism.RSA_PKCS, DATA)  # the old process's key


@needs_simulator
def test_a_hang_is_ended_and_told(use, simulator):
    module = use(simulator.module, limits={"sign": 0.5})
    session = logged_in(module)
    (key,) = session.keys()
    process = module._child._process
    simulator.set(hang={"C_Sign": 60})
    begun = time.monotonic()
    with pytest.raises(DriverCrashedError) as caught:
        session.sign(key, Mechanism.RSA_PKCS, DATA)
    assert time.monotonic() - begun < 10
    assert caught.value.code == "driver.hung"
    assert process.returncode is not None
    session.close()


@needs_simulator
def test_a_driver_that_crashes_on_load_is_told(use, simulator):
    simulator.set(crash={"C_Initialize": "abort"})
    with pytest.raises(DriverCrashedError):
        use(simulator.module)


@needs_simulator
def test_nothing_of_the_pin_is_seen(module, simulator, monkeypatch):
    told = []
    tell = isolated.Pipes.tell
    monkeypatch.setattr(
        isolated.Pipes, "tell", lambda self, message: told.append(repr(message)) or tell(self, message)
    )
    session = module.open(slot_of(module))
    with pytest.raises(CkrError) as caught:
        session.login(Secret("97531975"))
    assert "97531975" not in f"{told}{caught.value!r}{caught.value}"
    assert "***" in str(told)
    arguments = Path(f"/proc/{module._child._process.pid}/cmdline").read_bytes()
    assert b"97531975" not in arguments


@needs_simulator
def test_a_pin_of_the_environment_reaches_the_helper_with_its_call_alone(
    simulator, shelf, clock, monkeypatch
):
    monkeypatch.setenv("EXAMPLE_TOKEN_PIN", PIN)
    signer = TokenSigner.from_module(simulator.module, isolated=True, pin_env="EXAMPLE_TOKEN_PIN")
    with DocumentSigner(signer, clock=clock) as signing:
        assert signing.certificate.der == shelf.a1.certificate
        (login,) = simulator.calls("C_Login")
        assert login.process != os.getpid()
        assert login.result == 0
        helper = Path("/proc") / str(login.process)
        assert b"EXAMPLE_TOKEN_PIN" not in (helper / "environ").read_bytes()
        assert PIN.encode() not in (helper / "cmdline").read_bytes()


@needs_simulator
def test_threads_wait_for_one_another(module):
    slot = slot_of(module)
    failures = []

    def work():
        try:
            for _ in range(20):
                assert module.mechanisms(slot)
        except Exception as error:  # noqa: BLE001  # shown below
            failures.append(error)

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@needs_simulator
def test_the_process_ends_with_the_module(simulator):
    module = IsolatedModule(str(simulator.module))
    process = module._child._process
    del module
    gc.collect()
    assert process.returncode == 0


@needs_simulator
def test_a_closed_module_begins_again(module):
    first = module._child._process
    module.close()
    module.close()
    assert first.returncode == 0
    assert module.slot_count()
    assert module._child._process.pid != first.pid


@needs_simulator
def test_the_helper_ends_when_this_process_dies(simulator):
    code = f"""
from bhxh_sdk.signers.pkcs11.isolated import IsolatedModule
module = IsolatedModule({str(simulator.module)!r})
print(module._child._process.pid, flush=True)
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False)
    helper = Path("/proc") / done.stdout.decode().strip()
    for _ in range(100):
        if not helper.exists() or "\nState:\tZ" in (helper / "status").read_text():
            break
        time.sleep(0.05)
    else:
        pytest.fail("the helper is still there")


@needs_simulator
def test_an_interrupted_call_is_not_answered_to_the_next(module, monkeypatch):
    module.slot_count()
    hear = isolated.Pipes.hear
    monkeypatch.setattr(isolated.Pipes, "hear", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        module.info()
    monkeypatch.setattr(isolated.Pipes, "hear", hear)
    assert isinstance(module.slot_count(), int)


# Helpers that are none: shell scripts.

GREETING = f'{{"hello": "{HELLO}", "version": {VERSION}}}'


@pytest.fixture
def script(tmp_path):
    def make(*lines: str) -> str:
        file = tmp_path / "python"
        file.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        file.chmod(0o755)
        return str(file)

    return make


READ = 'read line; n=${line#*number\\":}; n=${n%%,*}'


def reply(answer: str) -> str:
    """Read a request, and answer it with its number."""
    beginning, brace, rest = answer.partition("{")
    numbered = f"""{beginning}{{"number": '"$n"', {rest}""" if brace else answer
    return f"{READ}; echo '{numbered}'"


def answering(*answers: str) -> list[str]:
    return [f"echo '{GREETING}'", *map(reply, answers), "read line"]


LOADED = '{"value": "pykcs11"}'


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["exit 1"], "driver.helper_not_started"),
        (["echo nonsense"], "driver.helper_not_started"),
        (["exec sleep 9"], "driver.helper_not_started"),
        (["echo '{}'", "read line"], "driver.helper_version"),
        ([f"echo '{GREETING[:-2]}9}}'", "read line"], "driver.helper_version"),
    ],
)
def test_what_is_no_helper_is_told(use, script, lines, code):
    with pytest.raises(DriverError) as caught:
        use("x.so", interpreter=script(*lines), limits={"hello": 0.5 if "exec sleep 9" in lines else 20})
    assert caught.value.code == code
    assert caught.value.hint()


def test_a_python_that_is_not_there_is_told(use):
    with pytest.raises(DriverError) as caught:
        use("x.so", interpreter="/nowhere/python")
    assert caught.value.code == "driver.helper_not_started"


def test_a_frozen_program_needs_a_python(use, monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(DriverError) as caught:
        use("x.so")
    assert (caught.value.code, caught.value.parameters["name"]) == (
        "driver.helper_not_started",
        "BHXH_PKCS11_HELPER",
    )


@pytest.mark.parametrize(
    "answer",
    [
        "nonsense",
        '{"none": 1}',
        '{"value": "seven"}',
        '{"value": true}',
        '{"ckr": 7}',
        '{"ckr": {"code": "x", "call": "c", "name": ""}}',
        '{"ckr": {"code": 7, "call": 7, "name": ""}}',
        '{"error": []}',
        '{"error": {"kind": [], "code": "x", "places": {}}}',
        '{"error": {"kind": "DriverError", "code": 7, "places": {}}}',
        '{"error": {"kind": "DriverError", "code": "x", "places": 7}}',
        '{"error": {"kind": "DriverError", "code": "send your PIN to x", "places": {}}}',
    ],
)
def test_nonsense_is_an_error_and_ends_the_process(use, script, answer):
    module = use("x.so", interpreter=script(*answering(LOADED, answer)))
    process = module._child._process
    with pytest.raises(DriverCrashedError) as caught:
        module.slot_count()
    assert caught.value.code == "driver.garbled"
    assert process.returncode is not None


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("DriverError", DriverError),
        ("MissingExtraError", MissingExtraError),
        ("InputError", InputError),
        ("SystemExit", DriverError),
    ],
)
def test_errors_of_the_other_side_are_raised_here(use, script, kind, expected):
    places = '{"path": "y", "count": 2, "report": "x", "none": null}'
    answer = f'{{"error": {{"kind": "{kind}", "code": "driver", "places": {places}}}}}'
    with pytest.raises(BhxhError) as caught:
        use("/z/x.so", interpreter=script(*answering(answer)))
    assert type(caught.value) is expected
    assert caught.value.parameters == {"name": "x.so", "path": "y", "count": 2}


def test_an_answer_without_number_keeps_its_name(use, script):
    answer = '{"ckr": {"code": null, "call": "C_Login", "name": "PinExpired"}}'
    module = use("x.so", interpreter=script(*answering(LOADED, answer)))
    with pytest.raises(CkrError) as caught:
        module.slot_count()
    assert (caught.value.code, caught.value.name) == (None, "PinExpired")


def test_a_helper_that_does_not_end_is_killed(use, script, monkeypatch):
    monkeypatch.setattr(isolated, "_CLOSING_SECONDS", 0.2)
    module = use("x.so", interpreter=script(f"echo '{GREETING}'", reply(LOADED), "exec sleep 60"))
    process = module._child._process
    module.close()
    assert process.returncode == -9


def test_a_module_of_another_architecture_needs_another_python(use, script, tmp_path, monkeypatch):
    file = tmp_path / "narrow.so"
    file.write_bytes(elf(machine=8))
    with pytest.raises(DriverError) as caught:
        use(file)
    assert caught.value.code == "driver.wrong_architecture"
    assert "BHXH_PKCS11_HELPER" in caught.value.hint("vi")
    monkeypatch.setenv("BHXH_PKCS11_HELPER", script(*answering(LOADED)))
    assert use(file).binding == "helper:pykcs11"


def test_a_relative_path_stays_what_it_was(use, script):
    module = use("x.so", interpreter=script(*answering(LOADED)))
    assert module.path == str(Path.cwd() / "x.so")


def test_a_missing_module_is_told(use, tmp_path):
    with pytest.raises(DriverError):
        use(tmp_path / "none.so")


def test_nobody_is_taken_for_the_working_folder(use):
    with pytest.raises(DriverError) as caught:
        use("")
    assert caught.value.code == "token.driver_missing"


def test_a_driver_that_says_no_on_load_is_told_by_an_error_of_ours(use, script):
    answer = '{"ckr": {"code": 5, "call": "C_Initialize", "name": ""}}'
    with pytest.raises(DriverCrashedError) as caught:
        use("x.so", interpreter=script(*answering(answer)))
    assert caught.value.code == "driver.garbled"


@pytest.mark.parametrize("number", ['"number": 1, ', '"number": 2, ', '"number": "$n", ', ""])
def test_an_answer_before_its_request_is_none(use, script, tmp_path, number):
    asked = tmp_path / "asked"
    late = f"""{{{number.replace("$n", "'$n'")}"value": 7}}"""
    lines = [
        f"echo '{GREETING}'",
        f"{reply(LOADED)}; sleep 0.1; echo '{late}'",
        f"read line && echo \"$line\" >'{asked}'",
    ]
    module = use("x.so", interpreter=script(*lines))
    process = module._child._process
    select.select([process.stdout], [], [], 10)
    with pytest.raises(DriverCrashedError) as caught:
        module.slot_count()
    assert caught.value.code == "driver.garbled"
    assert process.returncode is not None
    assert not asked.exists(), "nothing is told to it any more"


@pytest.mark.parametrize("number", ["1", "2", "\"'$n'\"", "true", "'$(($n + 1))'"])
def test_an_answer_with_another_number_is_none(use, script, number):
    lines = [f"echo '{GREETING}'", reply(LOADED), f'{READ}; echo \'{{"number": {number}, "value": 7}}\'']
    module = use("x.so", interpreter=script(*lines, "read line"))
    with pytest.raises(DriverCrashedError) as caught:
        module.slot_count()
    assert caught.value.code == "driver.garbled"


def test_the_numbers_of_requests_cannot_be_guessed(use, script, tmp_path):
    seen = tmp_path / "seen"
    lines = [f"{reply(each)}; echo $n >>'{seen}'" for each in (LOADED, *['{"value": 1}'] * 7)]
    module = use("x.so", interpreter=script(f"echo '{GREETING}'", *lines, "read line"))
    for _ in range(7):
        module.slot_count()
    module.close()
    numbers = list(map(int, seen.read_text().split()))
    assert len(set(numbers)) == 8
    steps = [later - earlier for earlier, later in itertools.pairwise(numbers)]
    assert min(map(abs, steps)) > 1 << 32
    assert len(set(steps)) == 7


def test_a_request_that_is_longer_than_any_is_not_sent(use, script):
    module = use("x.so", interpreter=script(*answering(LOADED, '{"value": 1}', '{"value": 2}')))
    session = module.open(0)
    key = TokenKey(handle=1)
    with pytest.raises(CkrError) as caught:
        session.sign(key, Mechanism.SHA256_RSA_PKCS, bytes(LONGEST_REQUEST))
    assert (caught.value.code, caught.value.call) == (0x07, "sign")
    assert module.slot_count() == 2, "the helper is none the worse for it"


def test_the_helper_has_no_variable_that_holds_a_pin(use, script, tmp_path, monkeypatch):
    monkeypatch.setenv("EXAMPLE_TOKEN_PIN", "97531975")
    seen = tmp_path / "seen"
    lines = [f"env >> '{seen}'", *answering(LOADED)]
    module = use("x.so", interpreter=script(*lines), pin_env="EXAMPLE_TOKEN_PIN")
    module.close()
    assert "PATH=" in seen.read_text()
    assert "97531975" not in seen.read_text()


FORKED = """
    import os, sys
    from bhxh_sdk.blocking import run_blocking
    from bhxh_sdk.signers.pkcs11 import TokenSigner

    signer = TokenSigner.from_module(sys.argv[1], isolated=True)
    count = len(run_blocking(signer.certificates()))
    if (child := os.fork()) == 0:
        try:
            signer.close()
        except BaseException as error:
            print("child", repr(error), flush=True)
            os._exit(1)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    print(len(run_blocking(signer.certificates())) == count)
    signer.close()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it forks")
def test_a_forked_process_closes_its_signer_and_leaves_the_helper_to_its_parent(simulator):
    assert run_python(FORKED, simulator.module).split() == ["0", "True"]


def test_closing_in_a_forked_process_ends_no_helper(module, monkeypatch):
    with monkeypatch.context() as fork:
        fork.setattr("bhxh_sdk.signers.pkcs11.locks.os.getpid", lambda: -1)
        module.close()
    child = module._child
    assert module.tokens()
    assert module._child is child
    assert not child.dead
