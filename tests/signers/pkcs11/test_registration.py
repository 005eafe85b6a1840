"""The registration completes with a certificate on a token, through each binding; and what goes wrong on the
way can be mended and gone on with.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from datetime import UTC, datetime
from importlib.util import find_spec
from urllib.parse import quote

import pytest
from tokens.entries import NOW, PIN
from tokens.processes import run_python, run_tool

from bhxh_sdk import xml
from bhxh_sdk.async_client import AsyncClient
from bhxh_sdk.async_document_signer import AsyncDocumentSigner
from bhxh_sdk.cli.demonstration import example_form
from bhxh_sdk.document_signer import DocumentSigner
from bhxh_sdk.models import SignatureScheme
from bhxh_sdk.signers import HashName, open_signer
from bhxh_sdk.signers.pkcs11 import TokenSigner
from bhxh_sdk.system import AskPerson

BINDINGS = {"python-pkcs11": "pkcs11", "pykcs11": "PyKCS11"}
LONGEST_GAP_SECONDS = 0.1
"""The promise is 20 ms; here other processes share the cores, so that a pause of the machine is none of ours."""

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
