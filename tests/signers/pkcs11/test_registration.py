"""The registration completes with a certificate on a token, through each binding; and what goes wrong on the
way can be mended and gone on with.
"""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from urllib.parse import quote

import pytest
from tokens.entries import PIN
from tokens.processes import run_python, run_tool

from bhxh_sdk import Client, open_signer
from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.cli.demonstration import example_form
from bhxh_sdk.errors import SigningError
from bhxh_sdk.sandbox import Sandbox
from bhxh_sdk.signers.pkcs11 import TokenSigner
from bhxh_sdk.token_errors import (
    DriverCrashedError,
    PinError,
    PinLastTryError,
    PinLockedError,
    TokenError,
    TokenNotFoundError,
    TokenRemovedError,
)

BINDINGS = {"python-pkcs11": "pkcs11", "pykcs11": "PyKCS11"}
REGISTRATION = """
    import json, sys, tempfile
    from attrs import evolve
    from bhxh_sdk import Client, SigningError, open_signer
    from bhxh_sdk.blocking import run_blocking
    from bhxh_sdk.cli.demonstration import example_form
    from bhxh_sdk.sandbox import Sandbox
    from bhxh_sdk.secret import Secret

    class Person:
        def __init__(self, other):
            self.other = other
            self.captcha, self.confirm, self.choose = other.captcha, other.confirm, other.choose

        async def secret(self, question):
            if question.purpose != "pin":
                return await self.other.secret(question)
            asked.append(question.purpose)
            return Secret("12345678")

    asked = []

    form = example_form("portal")
    signer = open_signer(sys.argv[1])
    offered = run_blocking(signer.certificates())
    own = [item.certificate for item in offered if item.certificate.signing_allowed]
    form = evolve(form, organisation=evolve(form.organisation, name=own[0].common_name))
    with Sandbox() as sandbox, tempfile.TemporaryDirectory() as folder:
        for item in offered:
            sandbox.agency.trust(item.certificate.der)
        with Client(
            sandbox.portal_channel(), signer=signer, journal=f"{folder}/journal.db",
            ask=Person(sandbox.ask), clock=sandbox.clock,
        ) as client:
            key = client.register(form, confirmed=True).key
            email = str(form.contact.email)
            client.activate(key, mail=sandbox.outbox.latest(email, "activation").as_bytes())
            session = client.log_in(key, mail=sandbox.outbox.latest(email, "credentials").as_bytes())
            print(json.dumps({"user": session.user_name, "asked": asked}))
"""

pytestmark = pytest.mark.usefixtures("fresh_memory")


def installed(binding):
    if find_spec(BINDINGS[binding]) is None:
        pytest.skip(f"not installed: {BINDINGS[binding]}")
    return binding


def address(module, **options):
    query = "&".join(f"{name.replace('_', '-')}={quote(str(value))}" for name, value in options.items())
    return f"pkcs11:token=single?module-path={quote(str(module))}&{query}"


@pytest.mark.needs_tool("softhsm2-util")
@pytest.mark.parametrize("isolated", ["0", "1"])
@pytest.mark.parametrize("binding", BINDINGS)
def test_a_registration_completes_with_a_certificate_on_a_token(softhsm, binding, isolated):
    uri = address(softhsm.module, binding=installed(binding), isolated=isolated)
    done = json.loads(run_python(REGISTRATION, uri, environment=softhsm.environment))
    assert done == {"user": "0100109106", "asked": ["pin"]}


@pytest.mark.needs_tool("softhsm2-util")
def test_the_demonstration_runs_with_a_token(softhsm):
    uri = address(softhsm.module, pin_env="TOKEN_PIN")
    program = "import sys; from bhxh_sdk.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "demo", "--signer", uri]
    said = run_tool(command, environment={**softhsm.environment, "TOKEN_PIN": PIN})
    assert "29/29" in said


@pytest.fixture
def registered(simulator, tmp_path, monkeypatch):
    """Register with the token as it is, mend what is wrong, and go on; gives the error of the first try."""
    monkeypatch.setenv("TOKEN_PIN", PIN)

    def registered(mend, *, pin=PIN, isolated=False, doubted=False):
        uri = address(simulator.module, pin_env="TOKEN_PIN", isolated=int(isolated))
        form, offered = example_form("portal"), ()
        with Sandbox() as sandbox:
            journal = tmp_path / "journal.db"

            def client(*, allow_last_try=False):
                return Client(
                    sandbox.portal_channel(),
                    signer=TokenSigner.from_address(uri, allow_last_try=allow_last_try),
                    journal=journal,
                    ask=sandbox.ask,
                    clock=sandbox.clock,
                )

            monkeypatch.setenv("TOKEN_PIN", pin)
            with client() as first, pytest.raises(SigningError) as caught:
                first.register(form, confirmed=True)
            mend()
            monkeypatch.setenv("TOKEN_PIN", PIN)
            signer = open_signer(uri)
            offered = run_blocking(signer.certificates())
            signer.close()
            for item in offered:
                sandbox.agency.trust(item.certificate.der)
            with client(allow_last_try=doubted) as second:
                (waiting,) = second.statuses()
                assert second.resume(waiting.key, confirmed=True).key == waiting.key
                sandbox.outbox.latest(str(form.contact.email), "activation")
        return caught.value

    return registered


@pytest.mark.needs_tool("softhsm2-util", "cc")
@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        ({"fail": {"C_Login": (0x32, 0, 1)}}, TokenRemovedError),
        ({"fail": {"C_Sign": (0x32, 0, 1)}}, TokenRemovedError),
        ({"fail": {"C_Sign": (0x30, 0, 1)}}, TokenError),
        ({"fail": {"C_Login": (0x80000123, 0, 1)}}, TokenError),
    ],
)
def test_a_registration_goes_on_after_the_token_failed(registered, simulator, broken, kind):
    simulator.set(**broken)
    assert isinstance(registered(simulator.reset, doubted="C_Login" in broken["fail"]), kind)


@pytest.mark.needs_tool("softhsm2-util", "cc")
def test_a_registration_goes_on_after_the_token_was_plugged_in(registered, simulator):
    simulator.pull_out()
    assert type(registered(simulator.insert)) is TokenNotFoundError


@pytest.mark.needs_tool("softhsm2-util", "cc")
@pytest.mark.parametrize("call", ["C_Login", "C_Sign"])
def test_a_registration_goes_on_after_the_driver_crashed_in_its_own_process(registered, simulator, call):
    simulator.set(crash={call: "segv"})
    assert type(registered(simulator.reset, isolated=True, doubted=call == "C_Login")) is DriverCrashedError


@pytest.mark.needs_tool("softhsm2-util", "cc")
@pytest.mark.parametrize("style", ["immediate", "opencryptoki", "no_flags"])
def test_a_registration_goes_on_after_a_wrong_pin(registered, simulator, style):
    simulator.set(pin_style=style)
    error = registered(lambda: None, pin="00000000")
    assert type(error) is PinError
    assert [call.result for call in simulator.calls("C_Login")] == [0xA0, 0]


@pytest.mark.needs_tool("softhsm2-util", "cc")
@pytest.mark.parametrize(("left", "kind"), [(0, PinLockedError), (1, PinLastTryError)])
def test_a_registration_goes_on_after_the_token_was_unlocked(registered, simulator, left, kind):
    simulator.set_tries_left("single", left)

    def unlocked():
        assert simulator.calls("C_Login") == []
        simulator.set_tries_left("single", 3)

    assert type(registered(unlocked)) is kind
