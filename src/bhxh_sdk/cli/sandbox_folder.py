"""The folder of a served sandbox: channel files, signers, forms, and the mails as they come."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, field

from bhxh_sdk.cli.files import write
from bhxh_sdk.errors import InputError
from bhxh_sdk.models import Organisation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


__all__ = ["SandboxFolder"]

_PORTAL = """# The sandbox's portal. The live one would be: profile = "portal-vss".
kind = "portal"
profile = "portal-sandbox"
base_url = "{url}"
passphrase_env = "BHXH_SANDBOX_PASSPHRASE"
"""

_IVAN = """# The sandbox's I-VAN.
kind = "ivan"
profile = "ivan-sandbox"
base_url = "{url}"
user_name = "sandbox"
password_env = "BHXH_SANDBOX_PASSWORD"
"""

_FORM = """# An invented organisation; its tax code only satisfies the check digit.
action = "register"
use_certificate = true
transact_at = {place}

[agency]
code = "07906"

[organisation]
name = "CÔNG TY TNHH VÍ DỤ"
unit_code = "TZ0001Z"
tax_code = "0100109106"
address = "Số 1 đường Thí Dụ, phường Bình Thạnh, Thành phố Hồ Chí Minh"

[contact]
name = "Nguyễn Thị Thí Dụ"
address = "Số 1 đường Thí Dụ, phường Bình Thạnh, Thành phố Hồ Chí Minh"
mobile = "0912345678"
email = "hr@example.com"
"""

_FORMS = {"register-at-portal.toml": '"portal"', "register-through-ivan.toml": '{ ivan = "00040" }'}
_MARKER = ".bhxh-sandbox"
_SIGNERS = "signers"
_PROFILE = """# The sandbox's remote signing provider «{name}». Its invented secrets are in variables.
{members}"""
_EXAMPLE = Organisation(name="CÔNG TY TNHH VÍ DỤ", tax_code="0100109106")


def _take(folder: Path) -> None:
    """Make the folder the sandbox's own; one that holds anything else is never written into."""
    if not (folder / _MARKER).is_file() and folder.exists() and any(folder.iterdir()):
        raise InputError("cli.foreign_folder", field="folder", name=str(folder))
    mails = folder / "mails"
    for inner in (mails, folder / _SIGNERS):
        inner.mkdir(parents=True, exist_ok=True)
    (folder / _MARKER).touch()
    for old in mails.glob("[0-9][0-9]*-*.eml"):
        old.unlink()


@define
class SandboxFolder:
    """What lies ready for clients of a served sandbox.

    Args:
        folder: where it lies.
        sandbox: the sandbox, started.

    """

    folder: Path
    sandbox: Any = field(repr=False)  # a room above: its names are known inside functions only
    _mails_written: int = 0
    _rings_told: dict[str, int] = field(factory=dict)

    @classmethod
    def laid(cls, folder: Path, sandbox: Any) -> SandboxFolder:  # noqa: ANN401  # as above
        """Write the files that do not change; edited forms stay, mails of an earlier sandbox go.

        Raises:
            InputError: the folder holds files of somebody else, or cannot be made or written to.

        """
        try:
            _take(folder)
        except OSError as error:
            reason = error.strerror or str(error)
            raise InputError("cli.cannot_write", field="folder", name=str(folder), reason=reason) from None
        laid = cls(folder.resolve(), sandbox)
        for name, content in laid.contents().items():
            if name not in _FORMS or not laid.path(name).exists():
                write(laid.path(name), content, force=True)
        return laid

    @property
    def portal_url(self) -> str:
        """The portal's address."""
        return str(self.sandbox.portal_url)

    @property
    def ivan_url(self) -> str:
        """The I-VAN's address."""
        return str(self.sandbox.ivan_url)

    @property
    def signer(self) -> str:
        """The address of the example organisation's test key."""
        return f"softkey:{self.path('key.pem')}"

    @property
    def environment(self) -> dict[str, str]:
        """What the channel files look up; these open nothing but the sandbox."""
        account = self.sandbox.ivan_account
        return {
            "BHXH_SANDBOX_PASSPHRASE": self.sandbox.passphrase.reveal(),
            "BHXH_SANDBOX_PASSWORD": account.password.reveal(),
            **{name: text for one in self.remote.values() for name, text in one.environment.items()},
        }

    @property
    def remote(self) -> Mapping[str, Any]:
        """The remote signing providers by name, each with a key of the example organisation."""
        providers: Mapping[str, Any] = self.sandbox.remote
        for provider in providers.values():
            provider.keep_key(_EXAMPLE)
        return providers

    @property
    def remote_signers(self) -> dict[str, str]:
        """The addresses of the example organisation's keys at the providers, by the provider's name."""
        profiles = {name: provider.profile() for name, provider in self.remote.items()}
        return {name: f"{table['kind']}:{self.path(_profile_name(name))}" for name, table in profiles.items()}

    def path(self, name: str) -> Path:
        """Return where a file lies."""
        return self.folder / name

    def contents(self) -> dict[str, bytes]:
        """Return every file that does not change, by name."""
        issued = self.sandbox.pki.issue(_EXAMPLE.name, str(_EXAMPLE.tax_code))
        texts = {
            "portal.toml": _PORTAL.format(url=self.portal_url),
            "ivan.toml": _IVAN.format(url=self.ivan_url),
            **{name: _FORM.format(place=place) for name, place in _FORMS.items()},
            **{_profile_name(name): _as_toml(name, one.profile()) for name, one in self.remote.items()},
        }
        return {name: text.encode() for name, text in texts.items()} | {
            "key.pem": issued.key_pem() + issued.certificates_pem()
        }

    def new_mails(self) -> Iterator[Path]:
        """Write the mails that have come since the last call, and yield their paths."""
        mails = list(self.sandbox.outbox)
        while self._mails_written < len(mails):
            mail = mails[self._mails_written]
            self._mails_written += 1
            path = self.path("mails") / f"{self._mails_written:02}-{mail['X-Bhxh-Sandbox']}.eml"
            write(path, self.sandbox.outbox.as_eml(mail), force=True)
            yield path

    def new_rings(self) -> Iterator[tuple[str, str]]:
        """Yield each provider whose phone has rung since the last call, and what the phone shows."""
        for name, provider in self.remote.items():
            rings = provider.desk.phone.rings
            while self._rings_told.get(name, 0) < len(rings):
                number = self._rings_told.get(name, 0)
                self._rings_told[name] = number + 1
                yield name, " · ".join(filter(None, rings[number].shown.split("\n")))

    def as_dict(self) -> dict[str, Any]:
        """Return the folder in the shape that `--json` prints."""
        return {
            "portal": self.portal_url,
            "ivan": self.ivan_url,
            "folder": str(self.folder),
            "channels": {name: str(self.path(f"{name}.toml")) for name in ("portal", "ivan")},
            "signer": self.signer,
            "remote": {name: provider.url for name, provider in self.remote.items()},
            "remote_signers": self.remote_signers,
            "environment": self.environment,
            "mails": str(self.path("mails")),
        }


def _profile_name(provider: str) -> str:
    return f"{_SIGNERS}/{provider}.toml"


def _as_toml(name: str, table: Mapping[str, Any]) -> str:
    """Return a profile's file; texts, numbers, lists and truth values are written in TOML as in JSON."""
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in plain.items()]
    for key in table.keys() - plain.keys():
        lines += [f"\n[{key}]\n"]
        lines += [f"{member} = {json.dumps(value)}\n" for member, value in table[key].items()]
    return _PROFILE.format(name=name, members="".join(lines))
