"""A sandbox portal on a loopback socket, with an agency behind it, and a person who reads captchas."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from bhxh_sdk import models, xml
from bhxh_sdk.models import Credentials
from bhxh_sdk.sandbox.agency import SandboxAgency
from bhxh_sdk.sandbox.clock import VirtualClock
from bhxh_sdk.sandbox.mail import Outbox
from bhxh_sdk.sandbox.pki import SandboxPki
from bhxh_sdk.sandbox.portal import SandboxPortal
from bhxh_sdk.sandbox.server import Serving
from bhxh_sdk.sandbox.settings import AgencySettings
from bhxh_sdk.secret import Secret
from bhxh_sdk.transport import EndpointProfile, Filing, HttpSender, PortalChannel

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from bhxh_sdk.ports import CaptchaChallenge, Question

__all__ = ["Person", "PortalWorld", "run", "served"]

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Drive a coroutine that never suspends."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    work.close()
    message = "a blocking call suspended"
    raise AssertionError(message)


@contextlib.contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve an application on a loopback port and give its base address."""
    serving = Serving([app], [0])
    try:
        yield serving.urls[0]
    finally:
        serving.stop()


class Person:
    """Answers what a person is asked, and remembers it."""

    def __init__(self, portal: SandboxPortal) -> None:
        self.portal = portal
        self.captchas: list[CaptchaChallenge] = []
        self.questions: list[Question] = []
        self.types: str | None = None
        self.takes = 0

    async def captcha(self, challenge: CaptchaChallenge) -> str:
        self.captchas.append(challenge)
        return self.portal.answer(challenge.image) if self.types is None else self.types

    async def choose(self, question: Question) -> int:
        self.questions.append(question)
        return self.takes

    async def secret(self, question: Question) -> Secret:
        raise NotImplementedError

    async def confirm(self, question: Question) -> bool:
        raise NotImplementedError


class PortalWorld:
    """Portal, agency, mail and certificates around one virtual clock."""

    def __init__(self, settings: AgencySettings | None = None) -> None:
        self.clock = VirtualClock(NOW, seed=1)
        self.pki = SandboxPki(NOW)
        self.outbox = Outbox(self.clock)
        self.agency = SandboxAgency(
            self.clock, self.outbox, (*self.pki.roots, *self.pki.intermediates), settings or AgencySettings()
        )
        self.portal = SandboxPortal(self.agency, self.clock)
        self.person = Person(self.portal)
        self.base_url = ""

    def profile(self, name: str = "portal-sandbox", **overrides: Any) -> EndpointProfile:
        return EndpointProfile.shipped(name).with_overrides({"base_url": self.base_url, **overrides})

    def channel(self, profile: EndpointProfile | None = None, **options: Any) -> PortalChannel:
        profile = profile or self.profile()
        sender = HttpSender(self.clock, allowed_hosts=profile.allowed_hosts)
        return PortalChannel(profile, sender, self.clock, **{"passphrase": self.portal.passphrase, **options})

    def filing(self, key: str = "key-1", **changes: Any) -> Filing:
        issued = self.pki.issue()
        form = form_of(**changes).dated(self.clock.now().date())
        document = xml.build(form)
        prepared = xml.prepare(document.content, issued.info, signing_time=self.clock.now())
        value = issued.key.sign(prepared.digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
        signed = models.SignedDocument(file_name=document.file_name, content=xml.complete(prepared, value))
        return Filing(key=key, form=form, document=signed, certificate=issued.info)

    def mailed(self, kind: str, label: str) -> str:
        """Return what the newest letter of a kind says after a label."""
        text = self.outbox.latest("hr@example.com", kind).get_body(("plain",)).get_content()
        return re.search(rf"^{label}: (\S+)", text, re.MULTILINE)[1]

    def code(self, kind: str = "activation") -> Secret:
        return Secret(self.mailed(kind, "Mã kích hoạt"))

    def credentials(self) -> Credentials:
        return Credentials(
            user_name=self.mailed("credentials", "Tên đăng nhập"),
            password=Secret(self.mailed("credentials", "Mật khẩu")),
        )

    def registered(self, channel: PortalChannel) -> Credentials:
        """Register and activate a unit, and take its account from the mail."""
        filing = self.filing()
        receipt = run(channel.submit(filing))
        run(channel.activate(filing, receipt.sending_key, self.code()))
        return self.credentials()


def form_of(**changes: Any) -> models.Registration:
    organisation = models.Organisation(
        name="CÔNG TY TNHH VÍ DỤ", tax_code="0100109106", unit_code="TZ0001Z", address="1 Phố Ví Dụ, Hà Nội"
    )
    contact = models.Contact(
        name="Nguyễn Thị Ví Dụ", address="1 Phố Ví Dụ", mobile="0912345678", email="hr@example.com"
    )
    given = {"agency": models.Agency(code="07906"), "organisation": organisation, "contact": contact}
    return models.Registration(**{**given, **changes})
