"""Every protocol of remote signing in every way of speaking it, with a sandbox provider behind it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from attrs import frozen

from bhxh_sdk.sandbox.remote.ca769 import Decision769Provider
from bhxh_sdk.sandbox.remote.csc import CscProvider
from bhxh_sdk.sandbox.remote.csc_people import CscPerson
from bhxh_sdk.sandbox.remote.desk import DeskState, SigningDesk
from bhxh_sdk.sandbox.remote.mss import MssProvider
from bhxh_sdk.sandbox.remote.mysign import SandboxMySign
from bhxh_sdk.sandbox.remote.phone import SandboxPhone
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.remote import RemoteProfile
from bhxh_sdk.signers.remote.decision769_totp import TAKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bhxh_sdk.sandbox.clock import VirtualClock
    from bhxh_sdk.sandbox.pki import SandboxCertificate
    from bhxh_sdk.sandbox.remote.provider import SandboxProvider

__all__ = ["BASE", "WAYS", "Place"]

BASE = "https://provider.example"
_WAITING = frozenset({DeskState.WAITING})
_OPEN = frozenset({DeskState.WAITING, DeskState.CONFIRMED, DeskState.DONE})


@frozen(kw_only=True)
class Place:
    """A provider, and how a signer comes to it.

    Args:
        provider: the provider.
        table: the profile without the places of its secrets.
        secrets: the right secrets by their names.
        starts: ends of the paths of calls that may ring a phone or use up a signature.
        batch: how many documents one confirmation is tried with.
        open_states: in which states at the provider a transaction may still end in a signature without any
            further call that starts something.
        consent: opens an address in a browser and agrees; returns the code.

    """

    provider: SandboxProvider
    table: Mapping[str, Any]
    secrets: Mapping[str, Secret]
    starts: tuple[str, ...]
    batch: int = 2
    open_states: frozenset[DeskState] = _OPEN
    consent: Callable[[str], str] | None = None

    @property
    def profile(self) -> RemoteProfile:
        """The profile, where nobody keeps the secrets."""
        return RemoteProfile.from_table(self.table)


Maker = "Callable[[VirtualClock, SandboxCertificate], Place]"


def _bare(table: Mapping[str, Any], **changes: object) -> dict[str, Any]:
    return {name: value for name, value in table.items() if not name.endswith("_env")} | changes


def _ca769(dialect: str, *starts: str, **options: Any) -> Maker:
    def make(clock: VirtualClock, issued: SandboxCertificate) -> Place:
        TAKEN.clear()  # every place begins at the same moment, with the same secret
        provider = Decision769Provider(clock, dialect, **options)
        provider.add(issued)
        return Place(
            provider=provider,
            table=_bare(provider.profile_table(BASE)),
            secrets=provider.secrets,
            starts=starts,
            open_states=frozenset() if dialect == "vnpt-th" else _OPEN,
        )

    return make


def _csc(version: int, mode: str, *, pins: bool = False, **settings: Any) -> Maker:
    def make(clock: VirtualClock, issued: SandboxCertificate) -> Place:
        person = CscPerson(version, pin="73910246", otp="508317") if pins else None
        needs_login = "login" in settings
        provider = CscProvider(clock, version=version, mode=mode, needs_login=needs_login, person=person)
        provider.add("credential-1", issued)
        return Place(
            provider=provider,
            table=_bare(provider.profile_table(BASE, **settings)),
            secrets={name: Secret(value) for name, value in provider.secrets.items()},
            starts=("/authorize", "/signHash"),
            open_states=_WAITING if version == 2 and mode == "implicit" else frozenset(),
            consent=provider.access.consent,
        )

    return make


def _mysign(mode: int) -> Maker:
    def make(clock: VirtualClock, issued: SandboxCertificate) -> Place:
        desk = SigningDesk(clock, SandboxPhone(), life=timedelta(seconds=120))
        provider = SandboxMySign(desk=desk, passes=clock.advance)
        provider.add(issued, name="credential-1")
        table = _bare(provider.profile_table(BASE), async_mode=mode)
        return Place(provider=provider, table=table, secrets=provider.secrets, starts=("/signHash",))

    return make


def _mss(dialect: str, mode: str) -> Maker:
    def make(clock: VirtualClock, issued: SandboxCertificate) -> Place:
        provider = MssProvider(clock, dialect)
        provider.add(issued)
        table = _bare(provider.profile_table(BASE))
        changes = table.get("dialect_changes", {}) | {"mode": mode}
        return Place(
            provider=provider,
            table=table | {"dialect_changes": changes},
            secrets=provider.secrets,
            starts=("/MSS_SignaturePort",),
            batch=1,
        )

    return make


_CODE = {
    "login": "authorization_code",
    "client_id": "sandbox-client",
    "redirect_uri": "https://app.example.com/signed",
}

WAYS: Mapping[str, Maker] = {
    "ca769-plain": _ca769("plain", "/sign"),
    "ca769-plain-at-once": _ca769("plain", "/sign", is_synchronous=True),
    "ca769-vnpt": _ca769("vnpt", "/sign"),
    "ca769-ca2": _ca769("ca2", "/sign"),
    "ca769-vnpt-th": _ca769("vnpt-th", "/sign", "/confirm"),
    "csc-v1": _csc(1, "implicit", login="client_credentials", client_id="sandbox-client"),
    "csc-v1-pin": _csc(1, "explicit", pins=True, login="basic", user_name="sandbox-user"),
    "csc-v1-consent": _csc(1, "oauth2code", **_CODE),
    "csc-v2": _csc(2, "implicit", login="client_credentials", client_id="sandbox-client"),
    "csc-v2-pin": _csc(2, "explicit", pins=True, login="basic", user_name="sandbox-user"),
    "mysign-blocking": _mysign(0),
    "mysign-polled": _mysign(1),
    "mss-synch": _mss("vn", "synch"),
    "mss-asynch": _mss("vn", "asynchClientServer"),
}
"""Makes a provider with a key, by the name of the way."""
