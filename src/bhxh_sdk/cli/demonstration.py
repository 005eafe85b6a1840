"""The demonstration: an invented organisation, the embedded sandbox, and a client between them."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from bhxh_sdk import catalogue
from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.cli.pending import Waiting
from bhxh_sdk.cli.people import asking
from bhxh_sdk.client import Client
from bhxh_sdk.errors import KeyNotFoundError
from bhxh_sdk.models import Contact, Ivan, Organisation, Portal, Registration
from bhxh_sdk.system import SystemClock

if TYPE_CHECKING:
    from bhxh_sdk.cli.output import Output
    from bhxh_sdk.models import Session
    from bhxh_sdk.ports import Ask, CaptchaChallenge, Question
    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers import Signer
    from bhxh_sdk.workflow import RegistrationStatus

__all__ = ["Demonstration", "demonstrated", "example_form"]

_ADDRESS = "Số 1 đường Thí Dụ, phường Bình Thạnh, Thành phố Hồ Chí Minh"
_EMAIL = "hr@example.com"


@frozen(kw_only=True)
class Demonstration:
    """What a demonstration led to.

    Args:
        status: where the registration stands at the end.
        session: the session of step 29.
        seconds: how long the flow took, set-up apart.

    """

    status: RegistrationStatus
    session: Session = field(repr=False)
    seconds: float

    @property
    def unit_code(self) -> str:
        """The unit that the session acts for."""
        return self.session.unit.unit_code if self.session.unit else ""


def example_form(channel: str) -> Registration:
    """Return the form of an organisation that does not exist.

    Args:
        channel: `portal` or `ivan`.

    """
    return Registration(
        agency=catalogue.agency("07906"),
        organisation=Organisation(
            name="CÔNG TY TNHH VÍ DỤ", unit_code="TZ0001Z", tax_code="0100109106", address=_ADDRESS
        ),
        contact=Contact(name="Nguyễn Thị Thí Dụ", address=_ADDRESS, mobile="0912345678", email=_EMAIL),
        transact_at=Portal() if channel == "portal" else Ivan("00040"),
    )


def demonstrated(channel: str, signer: str, output: Output) -> Demonstration:
    """Lead the example organisation through all 29 steps.

    Args:
        channel: `portal` or `ivan`.
        signer: a signer's address; empty for a test key that the sandbox issues.
        output: where passwords are asked and the sandbox's address is told.

    """
    from bhxh_sdk.sandbox import Sandbox, VirtualClock

    form = example_form(channel)
    # Somebody else's signer knows no virtual time: a person takes real minutes.
    clock = VirtualClock(flowing=True) if signer else VirtualClock()
    with Sandbox(clock=clock) as sandbox, tempfile.TemporaryDirectory(prefix="bhxh-demo-") as folder:
        url = sandbox.portal_url if channel == "portal" else sandbox.ivan_url
        output.note("cli.demo.title", channel=output.text(f"cli.demo.channel.{channel}"), url=url)
        if signer:
            opened, form = _introduced(sandbox, signer, form, output)
        else:
            opened = sandbox.signer(form.organisation)
        with Client(
            sandbox.portal_channel() if channel == "portal" else sandbox.ivan_channel(),
            signer=opened,
            journal=Path(folder) / "journal.db",
            ask=_Persons(sandbox.ask, asking(output)) if signer else sandbox.ask,
            clock=SystemClock() if signer else clock,
            on_pending=Waiting.on(opened, output),
        ) as client:
            return _walked(client, sandbox, form)


@frozen
class _Persons:
    """Let the sandbox's person answer the sandbox, and the one at the terminal enter PIN and password."""

    sandbox: Ask
    here: Ask

    async def secret(self, question: Question) -> Secret:
        return await self.here.secret(question)

    async def captcha(self, challenge: CaptchaChallenge) -> str:
        return await self.sandbox.captcha(challenge)

    async def choose(self, question: Question) -> int:
        return await self.sandbox.choose(question)

    async def confirm(self, question: Question) -> bool:
        return await (self.here if question.purpose == "pin_pad" else self.sandbox).confirm(question)


def _walked(client: Client, sandbox: Any, form: Registration) -> Demonstration:  # noqa: ANN401  # a room above: known inside functions only
    start = time.perf_counter()
    key = client.register(form, confirmed=True).key
    client.activate(key, mail=sandbox.outbox.latest(_EMAIL, "activation").as_bytes())
    session = client.log_in(key, mail=sandbox.outbox.latest(_EMAIL, "credentials").as_bytes())
    status = client.status(key)
    return Demonstration(status=status, session=session, seconds=time.perf_counter() - start)


def _introduced(
    sandbox: Any,  # noqa: ANN401  # as above
    uri: str,
    form: Registration,
    output: Output,
) -> tuple[Signer, Registration]:
    """Let the sandbox trust a signer that it did not issue, and register its certificate's organisation."""
    from bhxh_sdk.cli.signing import opened

    signer = opened(uri, output)  # it asks at the terminal for what it needs to list certificates
    offered = run_blocking(signer.certificates())
    for item in offered:
        sandbox.agency.trust(item.certificate.der)
    own = [
        item.certificate
        for item in offered
        if item.has_private_key is not False
        and item.certificate.signing_allowed  # tokens carry their CA's too
    ]
    if not own:
        raise KeyNotFoundError("cli.no_certificate", count=len(offered))
    output.note("cli.demo.trusted")
    organisation = evolve(form.organisation, name=own[0].common_name)
    if own[0].tax_codes:
        organisation = evolve(organisation, tax_code=own[0].tax_codes[0])
    return signer, evolve(form, organisation=organisation)
