"""Every remote signing provider of a sandbox, by name: made when asked for, served when its address is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from bhxh_sdk.errors import SetupError
from bhxh_sdk.sandbox.faults import Faults
from bhxh_sdk.sandbox.remote.ca769 import Decision769Provider
from bhxh_sdk.sandbox.remote.csc import CscProvider
from bhxh_sdk.sandbox.remote.desk import SigningDesk
from bhxh_sdk.sandbox.remote.mss import MssProvider
from bhxh_sdk.sandbox.remote.mysign import SandboxMySign
from bhxh_sdk.sandbox.remote.phone import SandboxPhone
from bhxh_sdk.sandbox.remote.provider import app_of
from bhxh_sdk.sandbox.server import Serving
from bhxh_sdk.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bhxh_sdk.models import Organisation
    from bhxh_sdk.sandbox.clock import VirtualClock
    from bhxh_sdk.sandbox.pki import SandboxCertificate, SandboxPki

__all__ = ["NAMES", "RemoteProvider", "RemoteWorld"]


class RemoteProvider:
    """One provider of a sandbox.

    Args:
        name: the provider, one of `NAMES`.
        clock: the time that it lives in.
        pki: who issues the certificates of its keys.
        port: where it is served; 0 for a free port.
        runs: tells whether the sandbox is running.

    Attributes:
        name: the provider.
        provider: what answers, with the switches of its own protocol.
        faults: what goes wrong below its interface, such as a connection that breaks, by path.

    """

    def __init__(
        self,
        name: str,
        clock: VirtualClock,
        pki: SandboxPki,
        port: int = 0,
        runs: Callable[[], bool] = lambda: True,
    ) -> None:
        self.name = name
        self.faults = Faults()
        self._house = _HOUSES[name]
        self.provider = self._house.make(clock)
        self._pki = pki
        self._port = port
        self._keys: dict[str, Mapping[str, Any]] = {}
        self._serving: Serving | None = None
        self._runs = runs

    @property
    def desk(self) -> SigningDesk:
        """Its transactions, its phone, and what goes wrong next."""
        desk: SigningDesk = self.provider.desk
        return desk

    @property
    def url(self) -> str:
        """Its address; it is served from the first time on that somebody asks.

        Raises:
            SetupError: the sandbox is not running, or the port is taken.

        """
        if not self._runs():
            raise SetupError("setup.sandbox_stopped")
        if self._serving is None:
            self._serving = Serving((app_of(self.provider, self.faults),), (self._port,))
        return self._serving.urls[0]

    def keep_key(self, organisation: Organisation) -> None:
        """Keep a key with a certificate for an organisation, unless it has one here."""
        tax_code = str(organisation.tax_code)
        if tax_code not in self._keys:
            issued = self._pki.issue(organisation.name, tax_code)
            self._keys[tax_code] = self._house.add(self.provider, issued, tax_code, len(self._keys))

    def profile(self, organisation: Organisation | None = None) -> dict[str, Any]:
        """Return a profile for this provider, as a TOML file would hold it; secrets are in `environment`.

        Args:
            organisation: who signs, for providers that name the signer; None for whose key came first.

        """
        first = next(iter(self._keys), "")
        own = self._keys.get(first if organisation is None else str(organisation.tax_code), {})
        table: dict[str, Any] = {**self.provider.profile_table(self.url), **own}
        return table | {f"{name}_env": self._variable(name) for name in _secrets_in(table)}

    @property
    def secrets(self) -> dict[str, Secret]:
        """The secrets of its profile by their name. All are invented: they open nothing but the sandbox."""
        known = self.provider.secrets
        return {name: Secret(known[name]) for name in _secrets_in(self.provider.profile_table(self.url))}

    @property
    def environment(self) -> dict[str, str]:
        """The same as environment variables, by the names that `profile` uses."""
        return {self._variable(name): secret.reveal() for name, secret in self.secrets.items()}

    def end(self) -> None:
        """Stop serving without waiting for it."""
        if self._serving is not None:
            self._serving.end()

    def stop(self) -> None:
        """Stop serving. What it did stays readable."""
        serving, self._serving = self._serving, None
        if serving is not None:
            serving.stop()

    def _variable(self, secret: str) -> str:
        return f"BHXH_SANDBOX_{self._house.kind}_{secret}".upper()

    def __repr__(self) -> str:
        return f"RemoteProvider({self.name!r})"


class RemoteWorld(Mapping[str, RemoteProvider]):
    """The providers of a sandbox by name.

    Args:
        clock: the time that they live in.
        pki: who issues the certificates of their keys.
        port: the port of the first, the others take the next ones; 0 for free ports.
        runs: tells whether the sandbox is running.

    """

    def __init__(
        self, clock: VirtualClock, pki: SandboxPki, port: int = 0, runs: Callable[[], bool] = lambda: True
    ) -> None:
        self._runs = runs
        self._clock = clock
        self._pki = pki
        self._port = port
        self._made: dict[str, RemoteProvider] = {}

    def __getitem__(self, name: str) -> RemoteProvider:
        if name not in _HOUSES:
            raise KeyError(name)
        if name not in self._made:
            port = self._port and self._port + NAMES.index(name)
            self._made[name] = RemoteProvider(name, self._clock, self._pki, port, self._runs)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)

    def stop(self) -> None:
        """Stop serving those that are served, all at once."""
        for provider in self._made.values():
            provider.end()
        for provider in self._made.values():
            provider.stop()


@frozen(kw_only=True)
class _House:
    """How the providers of one protocol are made, and how they are given a key.

    `add` returns the members of a profile that name the signer.
    """

    kind: str
    make: Callable[[VirtualClock], Any]
    add: Callable[[Any, SandboxCertificate, str, int], Mapping[str, Any]] = field(repr=False)


def _secrets_in(table: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(key.removesuffix("_env") for key in table if key.endswith("_env") and key != "trust_env")


def _add_to_ca769(
    provider: Decision769Provider, issued: SandboxCertificate, _tax_code: str, number: int
) -> Mapping[str, Any]:
    provider.add(issued, name=f"cert-{number + 1}")
    return {}


def _add_to_csc(
    provider: CscProvider, issued: SandboxCertificate, _tax_code: str, number: int
) -> Mapping[str, Any]:
    provider.add(f"credential-{number + 1}", issued)
    return {}


def _add_to_mysign(
    provider: SandboxMySign, issued: SandboxCertificate, tax_code: str, _number: int
) -> Mapping[str, Any]:
    owner = f"MST_{tax_code}-1"
    provider.add(issued, owner=owner)
    return {"user_id": owner}


def _add_to_mss(
    provider: MssProvider, issued: SandboxCertificate, _tax_code: str, number: int
) -> Mapping[str, Any]:
    """Put the key into a SIM of its own: a SIM has one."""
    provider.registered_number = str(_FIRST_NUMBER + number)
    provider.add(issued)
    return {"msisdn": provider.registered_number}


def _ca769(dialect: str) -> _House:
    return _House(kind="ca769", make=lambda clock: Decision769Provider(clock, dialect), add=_add_to_ca769)


def _csc(version: int) -> _House:
    return _House(
        kind="csc",
        make=lambda clock: CscProvider(clock, version=version, needs_login=True),
        add=_add_to_csc,
    )


def _mysign(clock: VirtualClock) -> SandboxMySign:
    return SandboxMySign(desk=SigningDesk(clock, SandboxPhone()), passes=clock.advance)


_FIRST_NUMBER = 84_900_000_000

_HOUSES: Mapping[str, _House] = {
    "ca769-plain": _ca769("plain"),
    "ca769-vnpt": _ca769("vnpt"),
    "ca769-ca2": _ca769("ca2"),
    "ca769-vnpt-th": _ca769("vnpt-th"),
    "csc-v1": _csc(1),
    "csc-v2": _csc(2),
    "mysign": _House(kind="mysign", make=_mysign, add=_add_to_mysign),
    "mss": _House(kind="mss", make=MssProvider, add=_add_to_mss),
}

NAMES = tuple(_HOUSES)
"""The providers, in the order of their ports."""
