"""Whatever people enter and whatever the token does, its PIN is never locked by us."""

from __future__ import annotations

import sys
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokens.entries import NOW, PIN, shelf
from tokens.processes import run_python

from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import BhxhError, PersonNeededError
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers import SigningJob
from bhxh_sdk.signers.pkcs11 import TokenSigner
from bhxh_sdk.signers.pkcs11.loading import BINDINGS
from bhxh_sdk.signers.pkcs11.pin_memory import memory

pytestmark = [
    pytest.mark.needs_tool("softhsm2-util", "cc"),
    pytest.mark.skipif(sys.platform != "linux", reason="the simulator is written for Linux"),
]

WRONG = "24681357"
FLAGGED = ["immediate", "opencryptoki"]
ENTRIES = st.sampled_from([PIN, WRONG, WRONG, WRONG, "", "1", "1234\n678", "1" * 300, None])
STEPS = st.one_of(
    st.tuples(st.just("sign"), st.lists(ENTRIES, min_size=1, max_size=2)),
    st.tuples(st.just("sign"), st.lists(ENTRIES, min_size=1, max_size=2)),
    st.tuples(st.just("another signer"), st.none()),
    st.tuples(st.just("pulled out and back"), st.none()),
    st.tuples(st.just("ambiguous"), st.sampled_from([0x05, 0x06, 0x30, 0xA3, 0x80000001])),
    st.tuples(st.just("wrong elsewhere"), st.none()),
)
SCENARIOS = st.fixed_dictionaries(
    {
        "style": st.sampled_from([*FLAGGED, "no_flags"]),
        "tries": st.integers(1, 3),
        "on a pad": st.booleans(),
        "each time": st.booleans(),
        "steps": st.lists(STEPS, min_size=2, max_size=6),
    }
)
JOBS = [SigningJob(document_id=name, digest=bytes(32)) for name in ("one", "two")]


class Clock:
    def now(self):
        return NOW

    def new_id(self):
        return "0" * 32


class Person:
    """Enters these in turn, then is gone."""

    def __init__(self, *entries):
        self.entries = list(entries)
        self.entered = []

    async def secret(self, question):
        entry = self.entries.pop(0) if self.entries else None
        if entry is None:
            raise PersonNeededError
        self.entered.append(entry)
        return Secret(entry)

    async def confirm(self, question):
        return True


class World:
    """One scenario on the token `single`."""

    def __init__(self, simulator, binding, scenario):
        self.simulator = simulator
        self.binding = binding
        self.scenario = scenario
        self.signer = None
        simulator.pull_out()
        simulator.reset()
        simulator.insert()
        simulator.set(pin_style=scenario["style"], always_authenticate=scenario["each time"])
        # A token that shows no flags cannot tell that tries were spent before we came.
        simulator.set_tries_left("single", scenario["tries"] if self.shows_flags else 3)
        memory.__init__()
        self.another_signer()

    @property
    def shows_flags(self):
        return self.scenario["style"] in FLAGGED

    def another_signer(self):
        if self.signer is not None:
            self.signer.close()
        self.signer = TokenSigner.from_module(self.simulator.module, binding=self.binding)

    def step(self, what, how):
        if what == "sign":
            self.sign(how)
        elif what == "another signer":
            self.another_signer()
        elif what == "pulled out and back":
            self.simulator.pull_out()
            self.simulator.insert()
        elif what == "ambiguous":
            self.simulator.set(fail={"C_Login": (how, 0, 1)})
        elif self.shows_flags:
            left = self.simulator.tries_left("single")
            self.simulator.set_tries_left("single", max(1, left - 1))

    def sign(self, entries):
        """Sign, and look that no entry was sent twice."""
        person = Person(*entries)
        if self.scenario["on a pad"]:
            self.simulator.set(pin_pad=entries[0] or "0")
        self.simulator.forget_calls()
        with suppress(BhxhError):
            listed = run_blocking(self.signer.certificates())
            (own,) = [one for one in listed if one.certificate.der == shelf().a1.certificate]
            run_blocking(self.signer.start(JOBS, own, person, Clock()))
        sent = self.simulator.calls("C_Login")
        refused = [call for call in sent if call.result not in {0, 0x100}]
        assert len(refused) <= 1
        if not self.scenario["on a pad"]:
            assert len(refused) <= len(person.entered)
        if not self.scenario["each time"]:
            assert len(sent) <= 1


@pytest.mark.parametrize("binding", BINDINGS)
def test_in_a_thousand_scenarios_no_token_is_locked_and_no_entry_is_sent_twice(simulator, binding):
    @settings(max_examples=500, suppress_health_check=list(HealthCheck), database=None)
    @given(SCENARIOS)
    def play(scenario):
        world = World(simulator, binding, scenario)
        for what, how in scenario["steps"]:
            world.step(what, how)
            assert simulator.tries_left("single") >= 1
        world.signer.close()

    play()


REAL = """
    import sys
    from bhxh_sdk.blocking import run_blocking
    from bhxh_sdk.signers.pkcs11 import TokenSigner
    from bhxh_sdk.token_errors import PinError
    from signers.pkcs11.test_never_locked import JOBS, Clock, Person

    signer = TokenSigner.from_module(sys.argv[1])
    (certificate,) = run_blocking(signer.certificates())
    for number in range(4):
        try:
            run_blocking(signer.start(JOBS, certificate, Person(f"1357246{number}"), Clock()))
        except PinError as error:
            print(type(error).__name__)
"""


@pytest.mark.needs_tool("pkcsslotd", "pkcs11-tool")
def test_a_real_counter_is_stopped_before_its_last_try(opencryptoki):
    said = run_python(REAL, opencryptoki.module)
    opencryptoki.restore_pin()
    assert said.split() == ["PinError", "PinError", "PinLastTryError", "PinLastTryError"]
