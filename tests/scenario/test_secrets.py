"""No secret reaches a log line, a repr, the journal file or a pickled error, whatever goes wrong."""

from __future__ import annotations

import base64
import logging
import pickle

import pytest
from workflow_world import a_form

import bhxh_sdk as bhxh
from bhxh_sdk.sandbox import Fault
from bhxh_sdk.transport.mailbox import activation_code_in, credentials_in

NEW_PASSWORD = "canary-N3w-passw0rd"


def spellings(secret: str) -> set[bytes]:
    raw = secret.encode()
    return {raw, base64.b64encode(raw), raw.hex().encode(), secret.encode("utf-16-le")}


@pytest.mark.parametrize(
    "fault", [None, Fault.LOSE_REPLY, Fault.HTML_PAGE, Fault.CUT_REPLY, Fault.SERVER_ERROR]
)
def test_secrets_stay_secret(open_client, bhxh_sandbox, mail, tmp_path, caplog, fault):
    caplog.set_level(logging.DEBUG)
    traces: list[object] = []
    secrets = {bhxh_sandbox.passphrase.reveal(), NEW_PASSWORD}
    client = open_client()
    filing = client.register(a_form(), confirmed=True)
    code = activation_code_in(mail()).code
    secrets.add(code.reveal())
    if fault:
        bhxh_sandbox.faults.next("activate", fault)
    try:
        client.activate(filing.key, code)
    except bhxh.UnknownOutcomeError as error:
        traces.append(error)
    if not client.status(filing.key).activated:
        try:
            client.resume(filing.key)
        except bhxh.UnknownOutcomeError as error:
            traces.append(error)
            client.activate(filing.key, code, try_again=True)
    credentials = credentials_in(mail())
    secrets.add(credentials.password.reveal())
    if fault:
        bhxh_sandbox.faults.next("log_in", fault)
        with pytest.raises(bhxh.BhxhError) as caught:
            client.log_in(filing.key, credentials.password)
        traces.append(caught.value)
    session = client.log_in(filing.key, credentials.password)
    secrets.add(session.token.reveal())
    client.change_password(filing.key, session, credentials.password, NEW_PASSWORD)
    traces += [session, credentials, client.status(filing.key), *client.statuses()]
    shown = [repr(trace).encode() + str(trace).encode() for trace in traces]
    shown += [pickle.dumps(trace) for trace in traces if isinstance(trace, Exception)]
    shown += [path.read_bytes() for path in tmp_path.glob("journal.db*")]
    shown.append("\n".join(caplog.messages).encode())
    found = [
        secret for secret in secrets for form in spellings(secret) if any(form in text for text in shown)
    ]
    assert found == []
