"""The whole sandbox: clock, mail, certificates, agency, a portal and an I-VAN, served on this machine."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

from attrs import evolve

from bhxh_sdk.errors import MissingExtraError, SetupError, UnknownCodeError
from bhxh_sdk.models import Credentials
from bhxh_sdk.sandbox.agency import SandboxAgency
from bhxh_sdk.sandbox.clock import VirtualClock
from bhxh_sdk.sandbox.mail import Outbox
from bhxh_sdk.sandbox.pki import SandboxPki
from bhxh_sdk.sandbox.settings import AgencySettings
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.remote import RemoteProfile, open_profile
from bhxh_sdk.system import SystemClock
from bhxh_sdk.transport import EndpointProfile, HttpSender, PortalChannel
from bhxh_sdk.transport.ivan import IvanChannel

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from bhxh_sdk.models import Organisation
    from bhxh_sdk.ports import Ask, CaptchaChallenge, Question, Sender
    from bhxh_sdk.sandbox.remote.world import RemoteWorld
    from bhxh_sdk.signers import Signer
    from bhxh_sdk.signers.remote import RemoteSigner

__all__ = ["Sandbox"]

_IVAN_ACCOUNT = ("sandbox", "sandbox-ivan")


class Sandbox:
    """A portal, an I-VAN and a mailbox to try everything on; nothing leaves this machine.

    Use it as a context manager, or call `start` and `stop`.

        with Sandbox() as sandbox:
            channel = sandbox.portal_channel()

    Args:
        port: the portal's port; 0 for a free one.
        ivan_port: the I-VAN's port; 0 for a free one.
        remote_port: the port of the first remote signing provider, the others take the next ones; 0 for free
            ones.
        clock: the time that the sandbox lives in; virtual time that begins now by default.
        settings: how the agency behaves.
        passphrase: what the portal's client header must be encrypted with.

    Attributes:
        clock: the time it lives in; move it on with `advance`.
        outbox: every mail it has sent.
        pki: its certification authority.
        agency: what any agency decides; `agency.submissions` counts filings.
        portal: the portal; `portal.faults` plans what goes wrong.
        ivan: the I-VAN; `ivan.faults` and `ivan.phone` likewise.
        passphrase: what the portal's client header must be encrypted with.

    Raises:
        MissingExtraError: the extra `sandbox` is not installed.

    """

    def __init__(
        self,
        *,
        port: int = 0,
        ivan_port: int = 0,
        remote_port: int = 0,
        clock: VirtualClock | None = None,
        settings: AgencySettings | None = None,
        passphrase: Secret | None = None,
    ) -> None:
        portal_room, ivan_room = _room("portal"), _room("ivan")
        self._ports = (port, ivan_port)
        self._remote_port = remote_port
        self._remote: Any = None
        self._serving: Any = None
        self.passphrase = passphrase or Secret("sandbox-passphrase")
        self.clock = clock or VirtualClock()
        self.pki = SandboxPki(self.clock.now())
        settings = settings or AgencySettings()
        self.outbox = Outbox(self.clock, sender=settings.sender)
        trusted = (*self.pki.roots, *self.pki.intermediates)
        self.agency = SandboxAgency(self.clock, self.outbox, trusted, settings)
        self.portal = portal_room.SandboxPortal(self.agency, self.clock, self.passphrase)
        self.ivan = ivan_room.SandboxIvan(self.agency, self.clock, account=_IVAN_ACCOUNT)

    @property
    def portal_url(self) -> str:
        """The portal's address."""
        return self._url(0)

    @property
    def ivan_url(self) -> str:
        """The I-VAN's address."""
        return self._url(1)

    def _url(self, number: int) -> str:
        if self._serving is None:
            raise SetupError("setup.sandbox_stopped")
        url: str = self._serving.urls[number]
        return url

    @property
    def faults(self) -> Any:  # noqa: ANN401  # the room behind the extra is imported when it is needed
        """What goes wrong next at the portal; the I-VAN has `ivan.faults`."""
        return self.portal.faults

    def start(self) -> Self:
        """Serve; the addresses answer when this returns.

        Raises:
            SetupError: a port is taken, or the servers do not come up.

        """
        self._serving = _room("server").Serving((self.portal.app, self.ivan.app), self._ports)
        if self.agency.settings.activation_link == AgencySettings().activation_link:
            link = f"{self.portal_url}/sandbox/kich-hoat"
            self.agency.settings = evolve(self.agency.settings, activation_link=link)
        return self

    def stop(self) -> None:
        """Stop serving. Agency and mails stay readable."""
        serving, self._serving = self._serving, None
        if serving is not None:
            serving.stop()
        if self._remote is not None:
            self._remote.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # What a client needs

    def portal_channel(self, *, sender_factory: Callable[..., Sender] = HttpSender) -> PortalChannel:
        """Return a channel to the sandbox's portal.

        Args:
            sender_factory: `HttpSender` for a blocking client, `AsyncHttpSender` for an asynchronous one.

        """
        profile = self.portal_profile()
        return PortalChannel(
            profile, _sender(sender_factory, profile), self.clock, passphrase=self.passphrase
        )

    def ivan_channel(
        self, *, sender_factory: Callable[..., Sender] = HttpSender, profile: str = "ivan-sandbox"
    ) -> IvanChannel:
        """Return a channel to the sandbox's I-VAN.

        Args:
            sender_factory: `HttpSender` for a blocking client, `AsyncHttpSender` for an asynchronous one.
            profile: `ivan-sandbox` where the client signs, `ivan-vbhxh` where the service signs.

        """
        described = EndpointProfile.shipped(profile).with_overrides({"base_url": self.ivan_url})
        return IvanChannel(
            described,
            _sender(sender_factory, described),
            self.clock,
            account=self.ivan_account,
            user_id="sandbox",
        )

    @property
    def ivan_account(self) -> Credentials:
        """The account with which an integrator calls the sandbox's I-VAN."""
        user_name, password = _IVAN_ACCOUNT
        return Credentials(user_name=user_name, password=Secret(password))

    def portal_profile(self) -> EndpointProfile:
        """Return the profile `portal-sandbox` with this sandbox's address."""
        return EndpointProfile.shipped("portal-sandbox").with_overrides({"base_url": self.portal_url})

    def signer(self, organisation: Organisation) -> Signer:
        """Return a signer with a certificate that the agency trusts, issued to the organisation."""
        return self.pki.issue(organisation.name, str(organisation.tax_code)).signer()

    @property
    def remote(self) -> RemoteWorld:
        """The remote signing providers by name: `ca769-vnpt`, `csc-v2`, `mysign`, `mss` and others.

        Each has a `desk` with the phone of the person who confirms and with what goes wrong next, an address
        `url` and a `profile()`. One that nobody asks for costs nothing.
        """
        if self._remote is None:
            self._remote = _room("remote.world").RemoteWorld(
                self.clock, self.pki, self._remote_port, lambda: self._serving is not None
            )
        world: RemoteWorld = self._remote
        return world

    def remote_signer(
        self,
        name: str,
        organisation: Organisation,
        *,
        sender_factory: Callable[..., Sender] = HttpSender,
        ask: Ask | None = None,
    ) -> RemoteSigner:
        """Return a signer whose key a provider keeps, with a certificate that the agency trusts.

        It lives in the sandbox's time, so that waiting for the phone takes none.

        Args:
            name: the provider, one of `remote`.
            organisation: whom the certificate is issued to.
            sender_factory: `HttpSender` for a blocking client, `AsyncHttpSender` for an asynchronous one.
            ask: whom to ask where a call is not given a person of its own.

        Raises:
            UnknownCodeError: there is no such provider.

        """
        if name not in self.remote:
            known = ", ".join(self.remote)
            raise UnknownCodeError("setup.sandbox_provider", field="name", value=name, choices=known)
        provider = self.remote[name]
        provider.keep_key(organisation)
        return open_profile(
            RemoteProfile.from_table(provider.profile(organisation), name=name),
            clock=self.clock,
            senders=lambda _, **options: sender_factory(SystemClock(), **options),
            secrets=provider.secrets,
            ask=ask,
        )

    def answer_captcha(self, image: bytes) -> str:
        """Return what a captcha's picture shows, for tests that play the person."""
        answer: str = self.portal.answer(image)
        return answer

    @property
    def ask(self) -> SandboxPerson:
        """A person who reads every captcha and agrees to everything, to give to a client as `ask`."""
        return SandboxPerson(self)


class SandboxPerson:
    """A person who reads every captcha, agrees, and takes the first choice. It is a `bhxh_sdk.ports.Ask`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def secret(self, question: Question) -> Secret:  # noqa: ARG002  # every question has one answer
        """Return an empty secret."""
        return Secret("")

    async def captcha(self, challenge: CaptchaChallenge) -> str:
        """Read the picture."""
        return self._sandbox.answer_captcha(challenge.image)

    async def choose(self, question: Question) -> int:  # noqa: ARG002  # every question has one answer
        """Take the first choice."""
        return 0

    async def confirm(self, question: Question) -> bool:  # noqa: ARG002  # every question has one answer
        """Agree."""
        return True


def _room(name: str) -> Any:  # noqa: ANN401  # rooms behind the extra have no type here
    try:
        return import_module(f"bhxh_sdk.sandbox.{name}")
    except ImportError as error:
        if error.name and error.name.startswith("bhxh_sdk"):
            raise
        raise MissingExtraError(extra="sandbox", name=str(error.name)) from error


def _sender(factory: Callable[..., Sender], profile: EndpointProfile) -> Sender:
    """Make a sender that lives in real time: a deadline must pass while a server is silent."""
    return factory(SystemClock(), allowed_hosts=profile.allowed_hosts)
