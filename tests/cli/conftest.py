"""What the tests of the command line stand on: `bhxh` called in this process, with forms and keys."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from bhxh_sdk.cli import main
from bhxh_sdk.sandbox.pki import SandboxPki

if TYPE_CHECKING:
    from bhxh_sdk.sandbox.pki import SandboxCertificate

EXAMPLES = Path(__file__).parents[2] / "examples" / "forms"


@frozen
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on standard output; anything beside it fails."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        return self.json["error"]


@pytest.fixture
def bhxh(capsys, tmp_path, monkeypatch):
    """Call `bhxh` in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Done:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Done(int(code), out, err)

    return call


@pytest.fixture
def form_file(tmp_path):
    """Write a form file: the example with texts replaced."""

    def write(
        *replacements: tuple[str, str], name: str = "form.toml", base: str = "register-at-portal"
    ) -> Path:
        text = (EXAMPLES / f"{base}.toml").read_text(encoding="utf-8")
        for old, new in replacements:
            assert old in text, f"the example form no longer holds {old!r}"
            text = text.replace(old, new)
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def pki():
    """A certification authority of today."""
    return SandboxPki(datetime.now(UTC))


@pytest.fixture
def key_file(pki, tmp_path):
    """Write a key file in PEM for an organisation with that tax code."""

    def write(tax_code: str, name: str = "key.pem") -> Path:
        return _written(tmp_path / name, pki.issue(tax_code=tax_code))

    return write


@pytest.fixture
def expired_key(pki, tmp_path):
    return _written(tmp_path / "expired.pem", pki.expired())


@pytest.fixture
def locked_key(pki, tmp_path):
    """A key file whose password is `mat-khau-thu`."""
    return _written(tmp_path / "locked.pem", pki.issue(), "mat-khau-thu")


def _written(path: Path, issued: SandboxCertificate, password: str = "") -> Path:
    path.write_bytes(issued.key_pem(password) + issued.certificates_pem())
    return path
