"""openCryptoki serves as the second real driver: what the fixture promises."""

from __future__ import annotations

import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_der_x509_certificate
from tokens.processes import run_python

pytestmark = [
    pytest.mark.needs_tool("pkcsslotd", "pkcs11-tool"),
    pytest.mark.skipif(sys.platform != "linux", reason="openCryptoki is made for Linux"),
]


def test_its_key_fits_its_certificate(opencryptoki):
    value = run_python(
        """
        import hashlib, sys, pkcs11
        module, label, pin = sys.argv[1:]
        with pkcs11.lib(module).get_token(token_label=label).open(user_pin=pin) as session:
            key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, id=bytes.fromhex("a1"))
            prefix = bytes.fromhex("3031300d060960864801650304020105000420")
            data = prefix + hashlib.sha256(b"example").digest()
            print(key.sign(data, mechanism=pkcs11.Mechanism.RSA_PKCS).hex())
        """,
        opencryptoki.module,
        opencryptoki.label,
        opencryptoki.pin,
    )
    public = load_der_x509_certificate(opencryptoki.certificate).public_key()
    public.verify(bytes.fromhex(value), b"example", PKCS1v15(), SHA256())


def test_it_counts_wrong_pins_and_the_fixture_gives_the_tries_back(opencryptoki):
    script = """
        import sys, pkcs11
        module, label, pin = sys.argv[1:]
        flags = pkcs11.TokenFlag
        slot = pkcs11.lib(module).get_token(token_label=label).slot
        try:
            slot.get_token().open(user_pin=pin).close()
        except pkcs11.PinIncorrect:
            print("wrong")
        print(flags.USER_PIN_COUNT_LOW in slot.get_token().flags)
    """
    wrong = run_python(script, opencryptoki.module, opencryptoki.label, "13572468")
    opencryptoki.restore_pin()
    right = run_python(script, opencryptoki.module, opencryptoki.label, opencryptoki.pin)
    assert (wrong.split(), right.split()) == (["wrong", "True"], ["False"])
