"""A filing at the sandbox's agency: how it comes in, and the case that it becomes."""

from __future__ import annotations

import hashlib
from datetime import datetime  # noqa: TC003  # attrs reads the annotations at run time

from attrs import evolve, field, frozen

from bhxh_sdk.models import Action, Outcome, Progress, ProgressStep, Registration

__all__ = ["Case", "Submission", "decided", "opened"]

_STEPS = ("Tiếp nhận hồ sơ", "Kiểm tra hồ sơ", "Trả kết quả")


@frozen(kw_only=True)
class Submission:
    """What a portal or an I-VAN hands to the agency.

    Args:
        channel: `portal`, or the code of the I-VAN.
        key: the sender's own key, when it brought one.
        action: what was asked for; None to go by the document.
        document: the signed document; None when the service signs, or on paper.
        facts: the registration in plain facts, when there is no document.

    """

    channel: str
    key: str = ""
    action: Action | None = None
    document: bytes | None = field(default=None, repr=False)
    facts: Registration | None = None


@frozen(kw_only=True)
class Case:
    """A filing as the agency keeps it.

    Args:
        sending_key: identifier given at once.
        key: the sender's own key; empty when it brought none.
        channel: `portal`, or the code of the I-VAN that it came through.
        form: what was filed; the unit code of a first registration is filled in once it is given.
        is_first: whether it is the registration of an employer without a unit code.
        received_at: when it came in.
        document_sha256: SHA-256 of the document in hexadecimal; empty without one.
        dossier_number: `NNNNN/YYYY/agency`; empty until the case is numbered.
        outcome: processing, accepted or refused.
        steps: receipt, check and result; a step that has not come yet has no time.
        activated: whether the mailed code was handed in.
        activation_by_mail: whether a code is mailed for it.
        user_name: the account that it belongs to; empty until there is one.

    """

    sending_key: str
    key: str = ""
    channel: str
    form: Registration
    is_first: bool = False
    received_at: datetime
    document_sha256: str = ""
    dossier_number: str = ""
    outcome: Outcome = Outcome.PROCESSING
    steps: tuple[ProgressStep, ...] = ()
    activated: bool = False
    activation_by_mail: bool = False
    user_name: str = ""

    @property
    def action(self) -> Action:
        """What was asked for."""
        return self.form.action

    @property
    def unit_code(self) -> str:
        """The unit code; empty while the unit has none."""
        return str(self.form.unit_code or "")

    @property
    def tax_code(self) -> str:
        """The unit's tax code."""
        return str(self.form.organisation.tax_code)

    @property
    def email(self) -> str:
        """Where its mails go."""
        return str(self.form.contact.email)

    @property
    def progress(self) -> Progress:
        """How far it is, as the client's model."""
        return Progress(
            outcome=self.outcome,
            steps=self.steps,
            dossier_number=self.dossier_number,
            raw_state=self.outcome.value,
            activated=self.activated,
            sending_key=self.sending_key,
        )


def opened(submission: Submission, form: Registration, sending_key: str, at: datetime) -> Case:
    """Make the case of a filing that has just come in."""
    document = submission.document
    return Case(
        sending_key=sending_key,
        key=submission.key,
        channel=submission.channel,
        form=form,
        is_first=form.is_first,
        received_at=at,
        document_sha256="" if document is None else hashlib.sha256(document).hexdigest(),
        steps=(
            ProgressStep(number=1, at=at, code="1", text=_STEPS[0]),
            ProgressStep(number=2, text=_STEPS[1]),
            ProgressStep(number=3, text=_STEPS[2]),
        ),
    )


def decided(case: Case, at: datetime, refused: tuple[str, str] | None) -> Case:
    """Return the case with the agency's decision.

    Args:
        case: the case.
        at: when it was decided.
        refused: code and text of the refusal; None when it is accepted.

    """
    code, text = refused or ("1", "Chấp nhận hồ sơ")
    return evolve(
        case,
        outcome=Outcome.REFUSED if refused else Outcome.ACCEPTED,
        steps=(
            case.steps[0],
            evolve(case.steps[1], at=at, code="1"),
            ProgressStep(number=3, at=at, code=code, text=text, failed=refused is not None),
        ),
    )
