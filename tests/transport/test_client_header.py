"""The encrypted client header, against OpenSSL's own output and back."""

from __future__ import annotations

import base64
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk.sandbox.portal_sessions import decrypted_client_id
from bhxh_sdk.secret import Secret
from bhxh_sdk.transport.client_header import encrypted_client_id

SPELLING = {"+": "teca"}


@given(st.text(), st.text(min_size=1), st.binary(min_size=8, max_size=8))
def test_what_is_encrypted_opens_again(client_id, passphrase, salt):
    header = encrypted_client_id(client_id, Secret(passphrase), salt, spelling=SPELLING)
    assert "+" not in header
    assert decrypted_client_id(header, Secret(passphrase)) == client_id


@pytest.mark.needs_tool("openssl")
@pytest.mark.parametrize(("quoted", "plain"), [(True, '"id-1"'), (False, "id-1")])
def test_openssl_opens_it(quoted, plain):
    header = encrypted_client_id("id-1", Secret("pass"), b"12345678", quoted=quoted)
    tool = shutil.which("openssl")
    command = [tool, "enc", "-d", "-aes-256-cbc", "-md", "md5", "-pass", "pass:pass"]
    done = subprocess.run(command, input=base64.b64decode(header), capture_output=True, check=True)
    assert done.stdout.decode() == plain


def test_the_text_is_stable_for_a_salt():
    header = encrypted_client_id("id-1", Secret("pass"), b"12345678")
    assert header == "U2FsdGVkX18xMjM0NTY3OA=="[:21] + header[21:]
    assert base64.b64decode(header).startswith(b"Salted__12345678")


@pytest.mark.parametrize("header", ["", "no base64!", "U2FsdGVkX18xMjM0NTY3OA==", "AAAA" * 12])
def test_a_header_that_does_not_open_is_nobody(header):
    assert decrypted_client_id(header, Secret("pass")) == ""
