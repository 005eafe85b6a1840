"""A signing provider in a process of its own: `python -m benchmarks.lab.signing_service KEYS SECONDS`.

It follows Decision 769 in the dialect of VNPT SmartCA, where the person takes that long to confirm; with 0
seconds the signature comes with the first answer. It prints its address, and ends with its standard input.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.x509 import load_der_x509_certificate

from bhxh_sdk.sandbox.pki import SandboxCertificate
from bhxh_sdk.sandbox.remote.ca769 import Decision769Provider
from bhxh_sdk.sandbox.remote.phone import SandboxPhone
from bhxh_sdk.sandbox.remote.provider import app_of
from bhxh_sdk.sandbox.server import Serving
from bhxh_sdk.system import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from benchmarks.lab.material import Key
    from bhxh_sdk.secret import Secret

__all__ = ["BATCH", "Service", "signing_service"]

BATCH = 500
"""How many documents one confirmation is for."""

_ROOT = Path(__file__).parents[2]
_SIGN = "/v1/signatures/sign"


@dataclass(frozen=True)
class Service:
    """A provider that runs.

    Args:
        url: its address.
        profile: how the SDK comes to it.
        secrets: its secrets by their names in the profile.
        members: who we are, in every body.

    """

    url: str
    profile: dict[str, Any]
    secrets: dict[str, Secret]
    members: dict[str, str]

    def sign_body(self, name: str, digests: list[str]) -> dict[str, Any]:
        """Return the body that asks for signatures."""
        files = [
            {"file_type": "xml", "data_to_be_signed": digest, "doc_id": str(number), "sign_type": "hash"}
            for number, digest in enumerate(digests)
        ]
        return {**self.members, "transaction_id": name, "sign_files": files}

    def asked(self, client: httpx.Client, body: dict[str, Any]) -> list[Any]:
        """Ask for signatures; return those that come at once."""
        return self._values(client.post(self.url + _SIGN, json=body))

    def told(self, client: httpx.Client, name: str) -> list[Any]:
        """Ask for the result; none while the person has not confirmed."""
        return self._values(client.post(f"{self.url}{_SIGN}/{name}/status", json=self.members))

    @staticmethod
    def _values(reply: httpx.Response) -> list[Any]:
        return (reply.raise_for_status().json()["data"] or {}).get("signatures") or []


@contextmanager
def signing_service(key: Key, seconds: float) -> Iterator[Service]:
    """Start the provider for the time of a measurement."""
    command = [sys.executable, "-m", "benchmarks.lab.signing_service", str(key.folder), str(seconds)]
    with subprocess.Popen(
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="ascii"
    ) as process:
        url = process.stdout.readline().strip() if process.stdout else ""
        if not url:
            raise ChildProcessError(" ".join(command))
        provider = _provider(key, seconds)
        changes = {"largest_batch": BATCH, "poll_seconds": 1}
        table = {**provider.profile_table(url), "dialect_changes": changes}
        secret = provider.secrets["sp_password"].reveal()
        own = {"sp_id": table["sp_id"], "user_id": table["user_id"], "sp_password": secret}
        yield Service(url, table, provider.secrets, own)
        process.terminate()


def _provider(key: Key, seconds: float) -> Decision769Provider:
    phone = SandboxPhone(takes=timedelta(seconds=seconds))
    provider = Decision769Provider(SystemClock(), "vnpt", phone=phone, is_synchronous=not seconds)
    provider.largest_batch = BATCH
    certificate = load_der_x509_certificate(key.certificate.der)
    provider.add(SandboxCertificate(key=key.private, certificate=certificate, chain=(certificate,)))
    return provider


def main(keys: str, seconds: str) -> None:
    """Serve until standard input ends."""
    from benchmarks.lab.material import Key  # noqa: PLC0415  # only the process that serves needs it

    serving = Serving((app_of(_provider(Key(Path(keys)), float(seconds))),), (0,))
    print(serving.urls[0], flush=True)
    sys.stdin.read()
    serving.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
