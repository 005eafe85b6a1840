"""Many threads on two tokens of one driver: every signature is good and the process lives."""

from __future__ import annotations

import pytest
from tokens.processes import run_python

from bhxh_sdk.signers.pkcs11.loading import BINDINGS

pytestmark = pytest.mark.needs_tool("softhsm2-util", "cc")

SCRIPT = """
    import hashlib, sys
    from threading import Thread
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers.pkcs11.contract import CkrError, Mechanism
    from bhxh_sdk.signers.pkcs11.loading import load_module

    path, binding, threads, signatures = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    info = bytes.fromhex("3031300d060960864801650304020105000420")
    module = load_module(path, binding)
    slots = {token.label: token.slot for token in module.tokens()}
    good = []

    def sign(number):
        session = module.open(slots[("single", "two")[number % 2]])
        try:
            session.login(Secret("12345678"))
        except CkrError as error:  # another thread has logged in
            assert error.code == 0x100
        key = next(key for key in session.keys() if key.key_id == b"\\xa1")
        der = next(one.der for one in session.certificates() if one.key_id == b"\\xa1")
        public = x509.load_der_x509_certificate(der).public_key()
        for turn in range(signatures):
            digest = hashlib.sha256(f"{number} {turn}".encode()).digest()
            signature = session.sign(key, Mechanism.RSA_PKCS, info + digest)
            public.verify(signature, digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
            good.append(number)

    running = [Thread(target=sign, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    print(len(good))
"""


@pytest.mark.parametrize("binding", BINDINGS)
def test_eight_threads_make_four_thousand_good_signatures_on_two_tokens(softhsm, binding):
    said = run_python(SCRIPT, softhsm.module, binding, 8, 500, environment=softhsm.environment)
    assert said == "4000\n"


@pytest.mark.parametrize("binding", BINDINGS)
def test_one_thread_is_in_the_driver_at_a_time(make_simulator, binding):
    simulator = make_simulator()
    assert run_python(SCRIPT, simulator.module, binding, 4, 15) == "60\n"
    assert simulator.overlaps == []
    assert len(simulator.calls("C_Sign")) >= 60
