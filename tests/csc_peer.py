"""A CSC service written by others (certomancer-csc-dummy) as a process of its own, with keys made for it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from importlib.util import find_spec

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

NAME = 'CÔNG TY TNHH "THỬ NGHIỆM", CHI NHÁNH 1'
CONFIGURATION = """
external-url-prefix: "http://localhost"
keysets:
  lab:
    path-prefix: keys
    keys: {ca: {path: ca.pem}, unit: {path: unit.pem}, curve: {path: curve.pem}}
pki-architectures:
  lab:
    keyset: lab
    entity-defaults: {country-name: VN}
    entities:
      ca: {common-name: "Lab CA"}
      unit:
        user-id: "MST:0100109106"
        common-name: 'CÔNG TY TNHH "THỬ NGHIỆM", CHI NHÁNH 1'
        state-or-province-name: "Hà Nội"
      curve: {user-id: "MST:0100109106", common-name: "ĐƠN VỊ EC"}
    certs:
      ca:
        subject: ca
        subject-key: ca
        issuer: ca
        authority-key: ca
        validity: {valid-from: "2020-01-01T00:00:00+0000", valid-to: "2049-01-01T00:00:00+0000"}
        profiles: [{id: simple-ca}]
      unit:
        issuer: ca
        authority-key: ca
        validity: {valid-from: "2024-01-01T00:00:00+0000", valid-to: "2045-01-01T00:00:00+0000"}
        profiles: [digsig-commitment]
      curve: {template: unit, subject: curve, subject-key: curve}
      unit-expired:
        template: unit
        subject: unit
        subject-key: unit
        validity: {valid-from: "2021-01-01T00:00:00+0000", valid-to: "2022-01-01T00:00:00+0000"}
"""


def _keys(folder):
    folder.mkdir()
    made = {name: rsa.generate_private_key(65537, 2048) for name in ("ca", "unit")}
    for name, key in {**made, "curve": ec.generate_private_key(ec.SECP256R1())}.items():
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{name}.pem").write_bytes(text)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _up(url, process):
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{url}/info", timeout=5):  # noqa: S310  # an address of this machine
                return
        except (urllib.error.URLError, OSError):
            assert process.poll() is None, "the service has ended"
            time.sleep(0.1)
    pytest.fail("the service does not come up")


@contextmanager
def peer(folder, scal="2", content=CONFIGURATION):
    """Run the service and give its address."""
    if find_spec("csc_dummy") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("not installed: certomancer-csc-dummy")
        pytest.skip("not installed: certomancer-csc-dummy")
    _keys(folder / "keys")
    configuration = folder / "pki.yml"
    configuration.write_text(content, "utf-8")
    port = _free_port()
    command = [sys.executable, "-m", "csc_dummy", str(configuration), str(port), scal]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, env={**environment, "PYTHONUTF8": "1"}
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _up(url, process)
            yield url
        finally:
            process.terminate()
            process.wait(10)
