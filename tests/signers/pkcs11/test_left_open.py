"""A signer that nobody closed: its sessions are closed all the same, and a warning says so, as of a file."""

from __future__ import annotations

import asyncio
import gc
import warnings
from threading import Event, Thread

import pytest
from batch_world import forms
from signers.pkcs11.fakes import PIN, FakeSource
from tokens.processes import run_python

from bhxh_sdk import AsyncDocumentSigner, DocumentSigner
from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.models import SignatureScheme
from bhxh_sdk.signers import HashName, choose_certificate
from bhxh_sdk.signers.pkcs11 import TokenSigner
from bhxh_sdk.signers.pkcs11.pin_memory import memory

needs_simulator = pytest.mark.needs_tool("cc", "softhsm2-util")


@pytest.fixture
def opened(module, run, clock, person):
    """Make a signer, and its key, logged in."""

    def make(source=None):
        signer = TokenSigner(source or FakeSource(module), pin=PIN)
        chosen = choose_certificate(run(signer.certificates()), None, clock.now())
        return signer, run(signer.local_key(chosen, person()))

    return make


@pytest.fixture
def warned():
    """Collect what is warned of."""
    gc.collect()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


def told(warned) -> list[str]:
    return [str(each.message) for each in warned if each.category is ResourceWarning]


def test_sessions_are_closed_and_told_of_when_the_last_of_signer_and_key_has_gone(module, opened, warned):
    signer, key = opened()
    given = signer._pin._given
    del signer
    assert key(bytes(32), HashName.SHA256, SignatureScheme.RSA_PKCS1)
    assert len(module.sessions) == 1
    del key
    assert module.sessions == []
    assert not memory.is_logged_in(module.slots[0].info)
    assert not given, "the PIN is wiped"
    assert told(warned) == ["unclosed TokenSigner(any token)"]


def test_a_closed_signer_is_not_told_of(opened, warned):
    signer, key = opened()
    signer.close()
    del signer, key
    gc.collect()
    assert told(warned) == []


def test_a_signer_that_opened_nothing_is_not_told_of(module, warned):
    TokenSigner(FakeSource(module))
    gc.collect()
    assert told(warned) == []


def test_a_document_signer_leaves_nothing_open_either(module, clock, warned):
    signing = DocumentSigner(TokenSigner(FakeSource(module), pin=PIN), clock=clock)
    signing.sign(forms(1)[0])
    del signing
    gc.collect()
    assert module.sessions == []
    assert told(warned) == ["unclosed TokenSigner(any token)"]


def test_nor_does_one_in_an_event_loop(module, clock, warned):
    signing = AsyncDocumentSigner(TokenSigner(FakeSource(module), pin=PIN), clock=clock)
    asyncio.run(signing.sign(forms(1)[0]))
    del signing
    gc.collect()
    assert module.sessions == []
    assert told(warned) == ["unclosed TokenSigner(any token)"]


def test_who_goes_while_this_thread_is_in_the_driver_is_closed_when_it_comes_out(module, opened, warned):
    held = [*opened(), *opened()]
    with module.lock:
        held.clear()  # as when Python clears up in the middle of a call
        assert len(module.sessions) == 2
    assert module.sessions == []
    assert len(told(warned)) == 2


def test_nobody_waits_for_another_threads_call(module, opened, warned):
    inside, leave, held = Event(), Event(), [*opened()]

    def work():
        with module.lock:
            inside.set()
            leave.wait()

    thread = Thread(target=work)
    thread.start()
    inside.wait()
    held.clear()
    assert len(module.sessions) == 1
    leave.set()
    thread.join()
    assert module.sessions == []
    assert told(warned)


@needs_simulator
@pytest.mark.parametrize("isolated", [False, True])
@pytest.mark.parametrize("in_call", [False, True])
def test_a_real_driver_is_told_of_it(simulator, warned, isolated, in_call):
    signer = TokenSigner.from_module(simulator.module, isolated=isolated)
    run_blocking(signer.certificates())
    (module,) = signer._inserted._source.modules()
    if in_call:
        with module.lock:
            del signer
            assert simulator.calls("C_CloseSession") == []
    else:
        del signer
    (closed,) = simulator.calls("C_CloseSession")
    assert closed.result == 0
    assert told(warned) == ["unclosed TokenSigner(any token)"]


LEFT = """
    import os, sys
    from bhxh_sdk.blocking import run_blocking
    from bhxh_sdk.signers.pkcs11 import TokenSigner

    signer = TokenSigner.from_module(sys.argv[1], isolated=sys.argv[2] == "isolated")
    run_blocking(signer.certificates())
"""
FORKED = """
    sys.stderr = sys.stdout
    if (child := os.fork()) == 0:
        del signer
        sys.exit()
    print(os.waitpid(child, 0)[1], len(run_blocking(signer.certificates())))
    signer.close()
"""


@needs_simulator
@pytest.mark.parametrize("how", ["here", "isolated"])
def test_what_is_open_at_the_end_of_the_process_is_closed(simulator, how):
    run_python(LEFT, simulator.module, how)
    assert len(simulator.calls("C_CloseSession")) == 1


@needs_simulator
@pytest.mark.parametrize("how", ["here", "isolated"])
def test_a_forked_process_closes_and_tells_nothing(simulator, how):
    said = run_python(LEFT + FORKED, simulator.module, how, environment={"PYTHONWARNINGS": "always"})
    assert said.split() == ["0", "2"]
    assert len(simulator.calls("C_OpenSession")) == len(simulator.calls("C_CloseSession")) == 1
