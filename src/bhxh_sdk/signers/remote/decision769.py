"""Remote signing as Decision 769/QD-BTTTT (2022) has it, in the dialects of the providers that follow it.

Two or three calls in JSON, with our own id and password in every body. The id of a transaction is ours: a
lost answer is asked after and nothing is sent twice. With `confirm_path` ("SmartCA TH") no phone rings: a
password and a one-time code go with the request, and the answer's `sad` confirms it at once.
"""

from __future__ import annotations

import json
import re
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from attrs import evolve

from bhxh_sdk.errors import InputError
from bhxh_sdk.ports import Request
from bhxh_sdk.signers.contract import Capabilities, SigningState
from bhxh_sdk.signers.remote.conversation import Effect, called, drawn, needed, noted, refused
from bhxh_sdk.signers.remote.decision769_answers import (
    Answer,
    fault_of_start,
    listed_certificates,
    meaning_of_fault,
    standing,
)
from bhxh_sdk.signers.remote.decision769_dialect import COMPUTED, dialect_and_settings
from bhxh_sdk.signers.remote.decision769_totp import code_time, one_time_code
from bhxh_sdk.signers.remote.reading import as_text, unexpected, word
from bhxh_sdk.signers.remote.tables import meanings
from bhxh_sdk.signers.verdicts import Verdict, concluded, verdict_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers.contract import SigningCertificate, SigningTransaction
    from bhxh_sdk.signers.remote.conversation import Conversation
    from bhxh_sdk.signers.remote.decision769_dialect import Dialect, Settings
    from bhxh_sdk.signers.remote.profile import RemoteProfile
    from bhxh_sdk.signers.remote.protocol import Order
    from bhxh_sdk.signers.verdicts import Meaning

    Fault = tuple[Meaning, str, str]

__all__ = ["Decision769"]

_HEADERS = (("Content-Type", "application/json"), ("Accept", "application/json"))
_REFUSING = frozenset({Verdict.LOGIN, Verdict.SECRET, Verdict.LOCKED})
_ENDS = frozenset({Verdict.DECLINED, Verdict.EXPIRED, Verdict.FAILED, Verdict.CERTIFICATE})
_HELD = 16
_CONFIRM = "confirm"
_LONGEST_LIVES = 2.0
"""How many times the life of the dialect a provider may tell: a wait has an end that somebody can foresee."""

_PROVIDER_ID = re.compile(r"(?!\.+\Z)[A-Za-z0-9._:-]{1,128}")
"""A name that may stand in an address as it is."""


class Decision769:
    """One account with one provider; see `bhxh_sdk.signers.remote.protocol.RemoteProtocol`.

    Args:
        dialect: what the provider does in its own way.
        settings: who we are, and for whom is signed.

    Raises:
        InputError: a verdict of the dialect is not known; `field` names it.

    """

    chooses_id: bool
    """Whether the provider can be asked with our own id: it can where the dialect has a `status_path`."""

    def __init__(self, dialect: Dialect, settings: Settings) -> None:
        self._dialect = dialect
        self._settings = settings
        self._messages = meanings(dialect.messages, "messages")
        self._codes = meanings(dialect.codes, "codes")
        self._codes_with_secrets = self._codes | meanings(dialect.codes_with_secrets, "codes_with_secrets")
        self._held: deque[Secret] = deque(maxlen=_HELD)
        self._base = settings.base_url.rstrip("/")
        self.chooses_id = bool(dialect.status_path)

    @classmethod
    def of(cls, profile: RemoteProfile) -> Self:
        """Return the protocol that a profile describes.

        Raises:
            InputError: a setting or a member of the dialect is wrong; `field` names it.

        """
        return cls(*dialect_and_settings(profile))

    @property
    def capabilities(self) -> Capabilities:
        """What the provider can do."""
        by_phone = not self._dialect.confirm_path
        return Capabilities(
            name="ca769",
            largest_batch=self._dialect.largest_batch,
            needs_secret=not by_phone,
            confirms_elsewhere=by_phone,
            resumable=self.chooses_id,
        )

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses that it calls."""
        return (self._settings.base_url,)

    @property
    def life_seconds(self) -> float:
        """How long a person has to confirm."""
        return self._dialect.life_seconds

    @property
    def poll_seconds(self) -> float:
        """How long to wait between two questions."""
        return self._dialect.poll_seconds

    def hidden(self) -> Iterable[Secret]:
        """Return the codes and `sad` tokens that were used last."""
        return tuple(self._held)

    def forget(self) -> None:
        """Forget them."""
        for secret in self._held:
            secret.wipe()
        self._held.clear()

    def certificates(self, now: datetime) -> Conversation[tuple[SigningCertificate, ...]]:  # noqa: ARG002  # the moment after a question is drawn
        """List what can sign."""
        own = yield from self._own_secrets()
        moment = yield from drawn()
        members = {
            "user_id": self._settings.user_id,
            "serial_number": self._settings.serial_number,
            "transaction_id": moment.new_id,
        }
        reply = yield from called(self._request(self._dialect.certificates_path, members, own))
        answer = Answer.read(reply)
        fault = meaning_of_fault(answer, self._codes, self._messages)
        if fault is not None:
            yield from self._refuse(fault, own)
            raise verdict_error(fault[0], code=fault[1], text=fault[2])
        return listed_certificates(answer, self._settings)

    def start(self, order: Order) -> Conversation[SigningTransaction]:
        """Start signing; with `confirm_path`, sign at once."""
        transaction = self._named(order.transaction)
        secrets = yield from self._own_secrets()
        if self._dialect.confirm_path:
            secrets |= yield from self._personal_secrets()
        moment = yield from drawn()
        yield from noted(transaction)
        request = self._sign_request(transaction, moment.now, secrets)
        answer = Answer.read((yield from called(request, Effect.STARTS)))
        fault = self._fault(answer, secrets, transaction)
        if fault is not None:
            yield from self._refuse(fault, secrets)
            return concluded(transaction, fault[0], code=fault[1], text=fault[2])
        accepted = self._accepted(transaction, answer, moment.now)
        if not self._dialect.confirm_path:
            return standing(accepted, answer, self._dialect, self._messages)
        return (yield from self._confirmed(accepted, answer, secrets))

    def result(
        self,
        transaction: SigningTransaction,
        now: datetime,  # noqa: ARG002  # nothing is dated here
    ) -> Conversation[SigningTransaction]:
        """Ask how a transaction stands."""
        if not self._dialect.status_path:
            field = "dialect_changes.status_path"
            raise InputError("remote.setting_missing", field=field, reference=transaction.transaction_id)
        tells_password = "sp_password" in self._dialect.status_members
        own = (yield from self._own_secrets()) if tells_password else {}
        answer = Answer.read((yield from called(self._status_request(transaction, own))))
        named = answer.names()
        is_ours = bool(named & {transaction.transaction_id, transaction.provider_id})
        if named and not is_ours:
            raise unexpected(answer.reply)
        fault = meaning_of_fault(answer, self._codes, self._messages)
        if fault is None:
            return standing(transaction, answer, self._dialect, self._messages)
        if fault[0].verdict in _ENDS and (is_ours or answer.succeeded):
            return concluded(transaction, fault[0], code=fault[1], text=fault[2])
        yield from self._refuse(fault, own)
        raise verdict_error(fault[0], code=fault[1], text=fault[2], reference=transaction.transaction_id)

    def _confirmed(
        self, transaction: SigningTransaction, answer: Answer, secrets: Mapping[str, Secret]
    ) -> Conversation[SigningTransaction]:
        """Confirm by password and `sad`: the answer brings the signatures."""
        sad = answer.secret("sad")
        if sad is None:
            raise unexpected(answer.reply)
        self._held.append(sad)
        sent = {name: secret for name, secret in secrets.items() if name != "otp"} | {"sad": sad}
        yield from noted(evolve(transaction, state=SigningState.INTENDED, stage=_CONFIRM))
        members = {"user_id": self._settings.user_id, "transaction_id": transaction.transaction_id}
        request = self._request(self._dialect.confirm_path, members, sent)
        told = Answer.read((yield from called(request, Effect.STARTS)))
        fault = self._fault(told, sent, transaction)
        staged = evolve(transaction, stage=_CONFIRM)
        if fault is None:
            return standing(staged, told, self._dialect, self._messages)
        yield from self._refuse(fault, sent)
        return concluded(staged, fault[0], code=fault[1], text=fault[2])

    def _named(self, transaction: SigningTransaction) -> SigningTransaction:
        """Return a transaction with the names that the person sees in the provider's app too.

        Raises:
            InputError: two documents would have one name.

        """
        names = self._dialect.names_of(transaction.jobs)
        if len(names) < len(transaction.jobs):
            raise InputError("signing.doubled_job", field="document_id", name=next(iter(names)))
        return evolve(transaction, show=", ".join(names))

    def _accepted(self, transaction: SigningTransaction, answer: Answer, now: datetime) -> SigningTransaction:
        """Return a transaction that the provider took, with its names and times.

        Raises:
            UnexpectedReplyError: the name that the provider gave it is none.

        """
        name = answer.text(self._dialect.status_id)
        if name and not _PROVIDER_ID.fullmatch(name):
            raise unexpected(answer.reply)
        usual, told = self._dialect.life_seconds, answer.number("expired_in")
        seconds = min(told, _LONGEST_LIVES * usual) if told and told > 0 else usual
        return evolve(
            transaction,
            state=SigningState.PENDING,
            provider_id=name or transaction.transaction_id,
            deadline=now + timedelta(seconds=seconds),
        )

    def _fault(
        self, answer: Answer, secrets: Mapping[str, Secret], transaction: SigningTransaction
    ) -> Fault | None:
        codes = self._codes_with_secrets if "password" in secrets else self._codes
        return fault_of_start(answer, codes, self._messages, transaction)

    def _refuse(self, fault: Fault, sent: Mapping[str, Secret]) -> Conversation[None]:
        """Say which secrets were refused: where the answer does not tell, all that it was sent."""
        if fault[0].verdict not in _REFUSING:
            return
        said = word(f"{fault[1]} {fault[0].name} {fault[2]}")
        told = {name for text, name in self._dialect.secret_words.items() if text in said} & sent.keys()
        is_personal = fault[0].verdict is not Verdict.LOGIN
        for name in sent:
            if name != "sad" and (name in told if is_personal and told else True):
                yield from refused(self._kept_name(name))

    def _own_secrets(self) -> Conversation[dict[str, Secret]]:
        return {"sp_password": (yield from needed("sp_password", self._settings.sp_id))}

    def _personal_secrets(self) -> Conversation[dict[str, Secret]]:
        """Return password and one-time code; the code is made last, for people may think for long.

        No code is sent twice by one process: within its 30 seconds, the next one is waited for.
        """
        password = yield from needed("password", self._settings.user_id)
        secret = yield from needed(self._kept_name("otp"), self._settings.user_id)
        if self._settings.one_time_code == COMPUTED:
            moment = yield from drawn()
            begins = code_time(secret, moment.now)
            if begins > moment.now:
                yield from drawn(begins)
            secret = one_time_code(secret, begins)
            self._held.append(secret)
        return {"password": password, "otp": secret}

    def _kept_name(self, member: str) -> str:
        """Return the name in the profile of the secret behind a member of a body."""
        is_made = member == "otp" and self._settings.one_time_code == COMPUTED
        return "totp_secret" if is_made else member

    def _sign_request(
        self, transaction: SigningTransaction, now: datetime, secrets: Mapping[str, Secret]
    ) -> Request:
        dialect, settings = self._dialect, self._settings
        names = "; ".join(filter(None, (job.document_name for job in transaction.jobs)))
        texts = {
            "user_id": settings.user_id,
            "transaction_id": transaction.transaction_id,
            "serial_number": transaction.key_id,
            "time_stamp": dialect.stamp(now) if dialect.time_stamp else "",
            dialect.description_member: as_text(settings.description or names),
            dialect.webhook_member: settings.webhook_url,
        }
        members: dict[str, Any] = {name: text for name, text in texts.items() if name and text}
        members["sign_files"] = [dialect.file_of(job) for job in transaction.jobs]
        return self._request(dialect.sign_path, members, secrets, dialect.sign_seconds)

    def _status_request(self, transaction: SigningTransaction, own: Mapping[str, Secret]) -> Request:
        name = transaction.provider_id or transaction.transaction_id
        values = {"sp_id": self._settings.sp_id, "user_id": self._settings.user_id, "transaction_id": name}
        told = self._dialect.status_members
        members = {key: value for key, value in values.items() if key in told}
        path = self._dialect.status_path.replace("{id}", quote(name, safe=""))
        return self._request(path, members, own, is_bare=True)

    def _request(
        self,
        path: str,
        members: Mapping[str, Any],
        secrets: Mapping[str, Secret],
        seconds: float = 30.0,
        *,
        is_bare: bool = False,
    ) -> Request:
        """Return a call; the secrets are written into its body, and nowhere else."""
        own = {} if is_bare else {"sp_id": self._settings.sp_id}
        body = {**own, **members, **{name: secret.reveal() for name, secret in secrets.items()}}
        return Request(
            method="POST",
            url=self._base + path,
            headers=_HEADERS,
            body=json.dumps(body).encode(),
            deadline_seconds=seconds,
        )
