"""The sandbox's agency: what any agency decides about registrations, without HTTP.

A filing becomes a case. A case is decided (`outcome`) and, where a code is mailed for it, activated: two
facts in either order. What the agency refuses, it refuses with a `Reason`.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from attrs import evolve

from bhxh_sdk.models import Action, Outcome, Portal, UnitCode
from bhxh_sdk.sandbox.accounts import Accounts
from bhxh_sdk.sandbox.activation import Activations
from bhxh_sdk.sandbox.case import Case, Submission, decided, opened
from bhxh_sdk.sandbox.holders import check_holders
from bhxh_sdk.sandbox.intake import Intake
from bhxh_sdk.sandbox.reasons import Reason, Refusal
from bhxh_sdk.sandbox.settings import AgencySettings, KnownUnit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from bhxh_sdk.models import Registration
    from bhxh_sdk.sandbox.clock import VirtualClock
    from bhxh_sdk.sandbox.mail import Outbox

__all__ = ["AgencySettings", "Case", "KnownUnit", "Reason", "Refusal", "SandboxAgency", "Submission"]


class SandboxAgency:
    """An agency that takes registrations from the portal, from I-VANs and on paper.

    It may be used from several threads. Whatever is due by the clock happens before a question is answered,
    and when the clock is moved on.

    Args:
        clock: the time it lives in.
        outbox: where its mails go.
        roots: certificates in DER that it trusts to issue signers' certificates.
        settings: how it behaves.

    Attributes:
        settings: how it behaves; replace it to change that.
        submissions: how many filings it has taken.

    """

    def __init__(
        self,
        clock: VirtualClock,
        outbox: Outbox,
        roots: Iterable[bytes] = (),
        settings: AgencySettings | None = None,
    ) -> None:
        self.settings = settings or AgencySettings()
        self.submissions = 0
        self._clock = clock
        self._outbox = outbox
        self._intake = Intake(clock, roots)
        self._activations = Activations(clock)
        self._accounts = Accounts(clock)
        self._cases: dict[str, Case] = {}
        self._holders: dict[str, str] = {}  # unit code -> sending key of the case that holds today
        self._planned: dict[str, Refusal] = {}
        self._numbered = 0
        self._lock = threading.RLock()
        clock.watch(self.settle)

    def trust(self, certificate: bytes) -> None:
        """Trust one more certificate, in DER: a signer's own, or one that issues them."""
        self._intake.trust(certificate)

    # What comes in

    def receive(self, submission: Submission) -> Case:
        """Take a filing.

        Returns:
            The case as it stands on arrival: not decided and without a dossier number.

        Raises:
            Refusal: the filing is not taken; nothing was recorded.

        """
        with self._lock:
            self.settle()
            return self._take(submission, self._intake.form(submission))

    def take_paper(self, form: Registration, *, key: str = "") -> Case:
        """Take the printed and signed form that a person hands in.

        Raises:
            Refusal: the filing is not taken; nothing was recorded.

        """
        channel = "portal" if isinstance(form.transact_at, Portal) else form.transact_at.code
        with self._lock:
            self.settle()
            return self._take(Submission(key=key, channel=channel, facts=form), form)

    def _take(self, submission: Submission, form: Registration) -> Case:
        planned = self._objection(submission.channel, form)
        if planned and self.settings.refuse_at_once:
            raise planned
        case = opened(submission, self._reachable(form), self._clock.new_id(), self._clock.now())
        case = self._keep(evolve(case, activation_by_mail=self._is_activated_by_mail(case)))
        self.submissions += 1
        if planned:
            self._planned[case.sending_key] = planned
        elif case.activation_by_mail and (case.is_first or self.settings.activation_before_decision):
            self._mail_code(case)
        self._decide_due()
        return case

    def _reachable(self, form: Registration) -> Registration:
        """Fill in the e-mail of the account where the form names none: a stop does not carry it."""
        holder = self._holder(str(form.unit_code or ""))
        if form.contact.email or holder is None:
            return form
        return evolve(form, contact=evolve(form.contact, email=holder.form.contact.email))

    def _objection(self, channel: str, form: Registration) -> Refusal | None:
        try:
            self._intake.check(form, self.settings)
            check_holders(form, channel, self._held(), self.settings)
        except Refusal as refusal:
            return refusal
        return None

    def _is_activated_by_mail(self, case: Case) -> bool:
        by_code = case.is_first or case.channel == "portal" or self.settings.activation_for_ivans
        return case.action is Action.REGISTER and by_code

    def _mail_code(self, case: Case) -> None:
        """Mail a code; whatever was mailed before for the same unit is void."""
        rivals = [
            rival.sending_key
            for rival in self._cases.values()
            if (rival.unit_code, rival.tax_code) == (case.unit_code, case.tax_code) and not rival.activated
        ]
        self._activations.revoke(rivals)
        code, until = self._activations.draw(case.sending_key, self.settings)
        link = self.settings.activation_link
        self._mail(case, "activation", code=code, until=f"{until:%H:%M %d/%m/%Y} UTC", link=link)

    # What is asked

    def case(self, sending_key: str) -> Case:
        """Return the case of a sending key.

        Raises:
            Refusal: there is none.

        """
        with self._lock:
            self.settle()
            if sending_key not in self._cases:
                raise Refusal(Reason.CASE_UNKNOWN)
            return self._cases[sending_key]

    def find(self, *, key: str = "", sha256: str = "") -> Case | None:
        """Return the newest case with the sender's key or with a document of that SHA-256."""
        with self._lock:
            self.settle()
            cases = reversed(self._cases.values())
            wanted = (
                one for one in cases if (key and one.key == key) or (sha256 and one.document_sha256 == sha256)
            )
            return next(wanted, None)

    def history(self, unit_code: str = "", *, tax_code: str = "") -> tuple[Case, ...]:
        """Return the cases of a unit, or of a tax code, oldest first."""
        with self._lock:
            self.settle()
            return tuple(
                case
                for case in self._cases.values()
                if (unit_code and case.unit_code == unit_code) or (tax_code and case.tax_code == tax_code)
            )

    def cases(self, channel: str) -> tuple[Case, ...]:
        """Return every case that came in through a channel, oldest first."""
        with self._lock:
            self.settle()
            return tuple(case for case in self._cases.values() if case.channel == channel)

    def units(self, user_name: str, channel: str) -> tuple[Case, ...]:
        """Return the case that holds for each unit of an account which transacts through a channel."""
        with self._lock:
            self.settle()
            return tuple(
                case
                for case in self._held().values()
                if (case.user_name, case.channel) == (user_name, channel)
            )

    # The account

    def activate(self, sending_key: str, code: str) -> Case:
        """Take an activation code.

        Args:
            sending_key: the case; empty to go by the code alone, as the activation page of the portal does.
            code: the mailed code.

        Raises:
            Refusal: the code is wrong, expired or replaced, or there is nothing to activate.

        """
        with self._lock:
            sending_key = sending_key or self._activations.owner(code)
            if not sending_key:
                raise Refusal(Reason.CODE_WRONG)
            case = self.case(sending_key)
            if case.activated:
                raise Refusal(Reason.ALREADY_ACTIVATED)
            if case.outcome is Outcome.REFUSED:
                raise Refusal(Reason.CODE_REVOKED)
            self._activations.check(case.sending_key, code)
            case = self._keep(evolve(case, activated=True))
            if not case.is_first or case.outcome is Outcome.ACCEPTED:
                case = self._open_account(case)
            return case

    def log_in(self, user_name: str, password: str) -> tuple[Case, ...]:
        """Return the case that holds for each unit of the account.

        Raises:
            Refusal: user name or password is wrong, or no unit is left.

        """
        with self._lock:
            self.settle()
            self._accounts.check(user_name, password)
            units = tuple(case for case in self._held().values() if case.user_name == user_name)
            if not units:
                raise Refusal(Reason.LOG_IN_REFUSED)
            return units

    def change_password(self, user_name: str, old: str, new: str) -> None:
        """Change the password of an account.

        Raises:
            Refusal: the old one is wrong, or the new one is short or the same.

        """
        with self._lock:
            self._accounts.change(user_name, old, new)

    def reset_password(self, unit_code: str, tax_code: str) -> None:
        """Mail a new password.

        Raises:
            Refusal: the unit has no account, or another tax code.

        """
        with self._lock:
            self.settle()
            case = self._holder(unit_code)
            if case is None or case.tax_code != tax_code:
                raise Refusal(Reason.ACCOUNT_UNKNOWN)
            self._mail_password(case, "password_reset")

    def _open_account(self, case: Case) -> Case:
        case = self._keep(evolve(case, user_name=case.tax_code))
        self._holders[case.unit_code] = case.sending_key
        self._mail_password(case, "credentials")
        return case

    def _mail_password(self, case: Case, kind: str) -> None:
        self._mail(case, kind, user_name=case.user_name, password=self._accounts.issue(case.user_name))

    # The decision

    def decide(self, sending_key: str, *, accept: bool = True, text: str = "") -> Case:
        """Decide a case now, as a clerk would.

        Args:
            sending_key: the case.
            accept: whether it is accepted.
            text: what the clerk writes when refusing.

        Raises:
            Refusal: there is no such case.
            ValueError: it is decided already.

        """
        with self._lock:
            case = self.case(sending_key)
            if case.outcome is not Outcome.PROCESSING:
                msg = f"case {sending_key} is decided already"
                raise ValueError(msg)
            return self._decide(case, None if accept else Refusal(Reason.DECIDED_BY_HAND, text))

    def settle(self) -> None:
        """Let everything happen that is due by now: decisions and dossier numbers."""
        with self._lock:
            self._decide_due()
            due = self._clock.now() - self.settings.numbered_after
            for case in tuple(self._cases.values()):
                if case.received_at <= due:
                    self._number(case)

    def _decide_due(self) -> None:
        now = self._clock.now()
        for case in tuple(self._cases.values()):
            after = self._decided_after(case)
            if case.outcome is Outcome.PROCESSING and after is not None and case.received_at + after <= now:
                self._decide(case, self._planned.get(case.sending_key))

    def _decided_after(self, case: Case) -> timedelta | None:
        return self.settings.first_decided_after if case.is_first else self.settings.decided_after

    def _decide(self, case: Case, refusal: Refusal | None) -> Case:
        refused = None if refusal is None else (refusal.code, refusal.text)
        case = self._keep(decided(self._number(case), self._clock.now(), refused))
        if refused:
            self._refuse(case, ": ".join(refused))
        elif case.action is Action.REGISTER:
            self._admit(case)
        elif case.action is Action.ADJUST:
            self._adjust(case)
        else:
            self._stop(case)
        return self._cases[case.sending_key]

    def _refuse(self, case: Case, reason: str) -> None:
        if self._holders.get(case.unit_code) == case.sending_key:
            del self._holders[case.unit_code]
        self._mail(case, "refused", reason=reason)

    def _admit(self, case: Case) -> None:
        if case.is_first:
            unit_code = UnitCode(f"TZ{self._numbered:04d}Z")
            organisation = evolve(case.form.organisation, unit_code=unit_code)
            case = self._keep(evolve(case, form=evolve(case.form, organisation=organisation)))
            self._mail(case, "unit_code")
            if case.activated:
                self._open_account(case)
        elif not case.activation_by_mail:
            self._open_account(case)
        elif not self.settings.activation_before_decision:
            self._mail_code(case)

    def _adjust(self, case: Case) -> None:
        holder = self._holder(case.unit_code)
        if holder is not None:
            self._holders[case.unit_code] = case.sending_key
            self._keep(evolve(case, user_name=holder.user_name, activated=holder.activated))
        self._mail(case, "accepted", act="điều chỉnh thông tin")

    def _stop(self, case: Case) -> None:
        self._holders.pop(case.unit_code, None)
        self._mail(case, "accepted", act="ngừng sử dụng phương thức giao dịch điện tử")

    # Small things

    def _held(self) -> dict[str, Case]:
        return {unit_code: self._cases[key] for unit_code, key in self._holders.items()}

    def _holder(self, unit_code: str) -> Case | None:
        return self._held().get(unit_code)

    def _keep(self, case: Case) -> Case:
        self._cases[case.sending_key] = case
        return case

    def _number(self, case: Case) -> Case:
        if case.dossier_number:
            return case
        self._numbered += 1
        number = f"{self._numbered:05d}/{case.received_at.year}/{case.form.agency.code}"
        return self._keep(evolve(case, dossier_number=number))

    def _mail(self, case: Case, kind: str, **places: str) -> None:
        if case.email in self.settings.unusable_emails or not case.form.contact.email.is_well_formed:
            return
        unit = case.unit_code or case.tax_code
        name = case.form.organisation.name
        self._outbox.send(
            case.email, kind, {"name": name, "unit": unit, "dossier": case.dossier_number, **places}
        )
