"""Remote signing by the API of the Cloud Signature Consortium, versions 1.0.4 and 2.0.

A signature takes two calls: `credentials/authorize`, for which the person confirms or enters PIN and one-time
code, gives the activation data (SAD); `signatures/signHash` takes it and signs. The SAD is a secret and stays
in memory: when the process ends between the two calls, or an answer is lost, nobody can tell what became of
it, and the transaction is ambiguous. Version 2 may answer the first with a handle and the second with an id;
both can be asked after, by another process too.
"""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from attrs import evolve

from bhxh_sdk.errors import SigningError, UnexpectedReplyError
from bhxh_sdk.models import SignatureScheme
from bhxh_sdk.remote_errors import ProviderLoginError
from bhxh_sdk.signers.contract import Capabilities, SigningState
from bhxh_sdk.signers.remote.conversation import Effect, drawn, needed, refused
from bhxh_sdk.signers.remote.csc_bodies import CscBodies
from bhxh_sdk.signers.remote.csc_credential import credential_of
from bhxh_sdk.signers.remote.csc_dialect import dialect_and_settings
from bhxh_sdk.signers.remote.csc_errors import CscErrors
from bhxh_sdk.signers.remote.csc_login import CscLogin, secret_of
from bhxh_sdk.signers.remote.csc_wire import CscWire
from bhxh_sdk.signers.remote.reading import json_answer, signatures_in_order, unexpected
from bhxh_sdk.signers.verdicts import Meaning, Verdict, concluded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from bhxh_sdk.ports import Reply
    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers.contract import SigningCertificate, SigningTransaction
    from bhxh_sdk.signers.remote.conversation import Conversation
    from bhxh_sdk.signers.remote.csc_credential import Credential, Entry
    from bhxh_sdk.signers.remote.csc_dialect import CscDialect, CscSettings
    from bhxh_sdk.signers.remote.csc_errors import Refusal
    from bhxh_sdk.signers.remote.profile import RemoteProfile
    from bhxh_sdk.signers.remote.protocol import Order

__all__ = ["AUTHORIZING", "SIGNING", "Csc"]

AUTHORIZING = "authorizing"
"""The stage in which a person confirms; `provider_id` is the handle, where there is one."""

SIGNING = "signing"
"""The stage in which the service signs; `provider_id` is its id for the answer, where there is one."""

_CONSENT = "oauth2code"
_ACCEPTED = 202
_MOST_PAGES = 20
_MOST_CREDENTIALS = 200
_LONGEST_LISTING = timedelta(minutes=2)  # after that nobody is asked for further credentials
_SADS_HIDDEN = 8
_REFUSED_SECRETS = {"invalid_pin": ("pin",), "invalid_otp": ("otp",)}
_CONCLUDES = frozenset(
    {
        Verdict.DECLINED,
        Verdict.EXPIRED,
        Verdict.SECRET,
        Verdict.LOCKED,
        Verdict.CERTIFICATE,
        Verdict.QUOTA,
    }
)
"""Answers to a question that are about the transaction, and not about the question."""


class Csc:
    """One account with a CSC service; see `bhxh_sdk.signers.remote.protocol.RemoteProtocol`.

    Args:
        settings: the profile's settings.
        dialect: the dialect.

    """

    chooses_id = False

    def __init__(self, settings: CscSettings, dialect: CscDialect) -> None:
        self._settings = settings
        self._dialect = dialect
        self._bodies = CscBodies(settings, dialect)
        errors = CscErrors(dialect.more_errors, dialect.more_texts)
        self._login = CscLogin(settings, dialect, errors)
        self._wire = CscWire(settings, self._login, errors)
        self._credentials: dict[str, Credential] = {}
        self._sads: deque[Secret] = deque(maxlen=_SADS_HIDDEN)

    @classmethod
    def of(cls, profile: RemoteProfile) -> Self:
        """Return the protocol that a profile describes.

        Raises:
            InputError: a setting is unknown, missing or wrong; `field` names it.

        """
        dialect, settings = dialect_and_settings(profile)
        return cls(settings, dialect)

    @property
    def capabilities(self) -> Capabilities:
        """What the service can do; the batch is known once a credential was read."""
        known = self._credentials.values()
        most = min((item.most or self._dialect.most_signatures for item in known), default=0)
        wanted = self._settings.largest_batch
        batch = min(filter(None, (most, wanted)), default=self._dialect.most_signatures)
        return Capabilities(
            name="csc",
            largest_batch=max(1, batch),
            needs_secret=any(item.entries for item in known),
            confirms_elsewhere=True,
            resumable=bool(self._dialect.check_path),
            schemes=frozenset({SignatureScheme.RSA_PKCS1, SignatureScheme.ECDSA}),
        )

    @property
    def addresses(self) -> tuple[str, ...]:
        """The service, and where OAuth 2.0 is."""
        return (self._settings.base_url, self._settings.oauth_base)

    @property
    def life_seconds(self) -> float:
        """How long a person has to confirm."""
        return self._dialect.life_seconds

    @property
    def poll_seconds(self) -> float:
        """Pause between two questions."""
        return self._dialect.poll_seconds

    def hidden(self) -> Iterable[Secret]:
        """Return the tokens and activation data that are held now."""
        yield from self._login.hidden()
        yield from self._sads

    def forget(self) -> None:
        """Forget tokens and activation data."""
        self._login.forget()
        self._sads.clear()

    def certificates(self, now: datetime) -> Conversation[tuple[SigningCertificate, ...]]:
        """List what can sign: 200 credentials at most. What cannot be read hides nothing else."""
        found: dict[str, Credential] = {}
        if self._settings.credential:
            name = self._settings.credential
            found[name] = yield from self._credential(name, now)
        else:
            found = yield from self._all(now)
        self._credentials |= found
        # What cannot sign is set aside where something else can; alone it is refused later, with its cause.
        none_usable = all(item.obstacle for item in found.values())
        listed = (item.listed(has_key=none_usable or not item.obstacle) for item in found.values())
        return tuple(item for item in listed if item is not None)

    def _all(self, now: datetime) -> Conversation[dict[str, Credential]]:
        found: dict[str, Credential] = {}
        trouble: Exception | None = None
        for name, info in (yield from self._names(now)).items():
            if (found or trouble) and not info and (yield from drawn()).now - now > _LONGEST_LISTING:
                break
            try:
                found[name] = self._told(name, info) if info else (yield from self._credential(name, now))
            except ProviderLoginError:
                raise
            except (SigningError, UnexpectedReplyError) as error:
                trouble = error
        if trouble is not None and not found:
            raise trouble
        return found

    def _names(self, now: datetime) -> Conversation[dict[str, Mapping[str, Any]]]:
        """Return the ids of the credentials, with what the list says of each; many are not all read."""
        found: dict[str, Mapping[str, Any]] = {}
        page = ""
        for _ in range(_MOST_PAGES):
            reply = yield from self._wire.asked(self._dialect.list_path, self._bodies.listing(page), now)
            answer = json_answer(reply)
            if not isinstance(answer.get("credentialIDs"), list):
                raise unexpected(reply)
            names = [_id_of(item) for item in answer["credentialIDs"][:_MOST_CREDENTIALS]]
            found |= {name: {} for name in names if name}
            found |= _told_infos(answer.get("credentialInfos"), names)
            page = _id_of(answer.get("nextPageToken"))
            if not page or len(found) >= _MOST_CREDENTIALS:
                break
        return dict(islice(found.items(), _MOST_CREDENTIALS))

    def _credential(self, name: str, now: datetime) -> Conversation[Credential]:
        reply = yield from self._wire.asked(self._dialect.info_path, self._bodies.info(name), now)
        return self._told(name, json_answer(reply))

    def _told(self, name: str, answer: Mapping[str, Any]) -> Credential:
        return credential_of(name, answer, ask_optional=self._settings.ask_optional)

    def _known(self, name: str, now: datetime) -> Conversation[Credential]:
        """Return a credential as it was read before, or read it now."""
        if name not in self._credentials:
            self._credentials[name] = yield from self._credential(name, now)
        return self._credentials[name]

    def start(self, order: Order) -> Conversation[SigningTransaction]:
        """Have the person authorise the signature, then sign; version 2 may answer with ids to ask after."""
        now = order.now
        credential = yield from self._known(order.transaction.key_id, now)
        credential.demand_usable(order.transaction.transaction_id)
        token = yield from self._login.bearer(now, self.life_seconds)
        if credential.mode == _CONSENT:
            sad = yield from self._consented(order.transaction, now)
            return (yield from self._signed(order.transaction, credential, sad, now))
        entered = yield from self._entered(credential, now)
        asked = evolve(order.transaction, stage=AUTHORIZING)
        reply, refusal = yield from self._wire.started(
            self._dialect.authorize_path,
            self._bodies.authorization(asked, entered),
            asked,
            token,
            self.life_seconds,
        )
        if refusal is not None:
            yield from _refused(refusal, entered)
            return _ended(asked, refusal)
        given, handle = _activation(json_answer(reply))
        if given is not None:
            return (yield from self._signed(asked, credential, given, now))
        if not handle or not self._dialect.check_path:
            raise unexpected(reply)
        return evolve(asked, state=SigningState.PENDING, provider_id=handle)

    def result(self, transaction: SigningTransaction, now: datetime) -> Conversation[SigningTransaction]:
        """Ask how a transaction of version 2 stands; version 1 has nothing to ask with."""
        if not transaction.provider_id or not self._dialect.check_path:
            return transaction
        if transaction.stage == AUTHORIZING:
            return (yield from self._authorized(transaction, now))
        reply, refusal = yield from self._wire.polled(
            self._dialect.poll_path, {"requestID": transaction.provider_id}, now, about_signature=False
        )
        if refusal is not None:  # the person has confirmed before: nobody declines any more
            return _answered(transaction, refusal, reply)
        return transaction if reply.status == _ACCEPTED else self._read(transaction, reply, now)

    def _authorized(self, transaction: SigningTransaction, now: datetime) -> Conversation[SigningTransaction]:
        """Ask whether the person has confirmed; then sign."""
        credential = yield from self._known(transaction.key_id, now)
        reply, refusal = yield from self._wire.polled(
            self._dialect.check_path, {"handle": transaction.provider_id}, now
        )
        if refusal is not None:
            return _answered(transaction, refusal, reply)
        if reply.status == _ACCEPTED:
            return transaction
        sad = secret_of(json_answer(reply).get("SAD"))
        if sad is None:
            raise unexpected(reply)
        return (yield from self._signed(transaction, credential, sad, now))

    def _entered(self, credential: Credential, now: datetime) -> Conversation[list[tuple[Entry, Secret]]]:
        """Ask the person for everything that the credential wants; a code that is sent is sent first."""
        entered = []
        for entry in credential.entries:
            if entry.sent or (entry.secret == "otp" and self._settings.otp_is_sent):  # noqa: S105  # the name of a secret
                body = {"credentialID": credential.name}
                yield from self._wire.asked(self._dialect.send_otp_path, body, now, Effect.LOGS_IN)
            secret = yield from needed(entry.secret, entry.label or credential.name)
            entered.append((entry, secret))
        return entered

    def _consented(self, transaction: SigningTransaction, now: datetime) -> Conversation[Secret]:
        """Return the token that stands for the activation data, from the browser or from elsewhere."""
        if self._settings.redirect_uri:
            return (yield from self._login.by_code(self._bodies.consent(transaction), now))
        return (yield from self._login.given())

    def _signed(
        self, transaction: SigningTransaction, credential: Credential, sad: Secret, now: datetime
    ) -> Conversation[SigningTransaction]:
        """Sign with the activation data, once."""
        self._sads.append(sad)
        token = yield from self._login.bearer(now, self.life_seconds)  # the person may have taken as long
        alone = credential.mode == _CONSENT and self._dialect.consent_replaces_sad
        signing = evolve(transaction, state=SigningState.INTENDED, stage=SIGNING, provider_id="")
        reply, refusal = yield from self._wire.started(
            self._dialect.sign_path,
            self._bodies.signature(signing, credential, None if alone else sad),
            signing,
            sad if alone else token,
            self._dialect.sign_seconds,
        )
        return self._read(signing, reply, now) if refusal is None else _ended(signing, refusal)

    def _read(self, transaction: SigningTransaction, reply: Reply, now: datetime) -> SigningTransaction:
        """Return the transaction with its signatures, or with the id to ask with."""
        answer = json_answer(reply)
        values, name = answer.get("signatures"), _id_of(answer.get("responseID"))
        if isinstance(values, list):
            signatures = signatures_in_order(transaction, values)
            return evolve(transaction, state=SigningState.DONE, signatures=signatures)
        if not name or not self._dialect.poll_path:
            raise unexpected(reply)
        ends = now + timedelta(seconds=self.life_seconds)
        return evolve(transaction, state=SigningState.CONFIRMED, provider_id=name, deadline=ends)


def _told_infos(infos: Any, names: list[str]) -> dict[str, Mapping[str, Any]]:  # noqa: ANN401  # foreign JSON
    """Return what a list says of each credential: by its id, or else by its place in the list."""
    if not isinstance(infos, list):
        return {}
    by_place = [*names, *[""] * len(infos)]
    listed = _dicts(infos[:_MOST_CREDENTIALS])
    pairs = ((_id_of(info.get("credentialID")) or by_place[place], info) for place, info in listed)
    return {name: info for name, info in pairs if name}


def _dicts(items: list[Any]) -> Iterable[tuple[int, Mapping[str, Any]]]:
    return ((place, item) for place, item in enumerate(items) if isinstance(item, dict))


def _activation(answer: Mapping[str, Any]) -> tuple[Secret | None, str]:
    """Return activation data and handle; no frame that an error may show keeps the answer."""
    return secret_of(answer.get("SAD")), _id_of(answer.get("handle"))


def _id_of(value: Any) -> str:  # noqa: ANN401  # foreign JSON
    """Return an id as it came, at any length; empty for what is none."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if text.isprintable() else ""


def _refused(refusal: Refusal, entered: list[tuple[Entry, Secret]]) -> Conversation[None]:
    """Have what the person entered never be sent again, where it was refused."""
    if refusal.verdict in {Verdict.SECRET, Verdict.LOCKED}:
        for name in _REFUSED_SECRETS.get(refusal.code, [entry.secret for entry, _ in entered]):
            yield from refused(name)


def _ended(transaction: SigningTransaction, refusal: Refusal) -> SigningTransaction:
    return concluded(transaction, refusal.meaning, code=refusal.code, text=refusal.text)


def _answered(transaction: SigningTransaction, refusal: Refusal, reply: Reply) -> SigningTransaction:
    """Return the transaction where the no is about it; else the question was refused, and is asked again.

    Raises:
        ProviderError: the question was refused.
        UnexpectedReplyError: the service does not answer now.

    """
    if refusal.denies_token:  # whatever its name
        raise evolve(refusal, meaning=Meaning(Verdict.LOGIN)).error(transaction.transaction_id)
    if refusal.verdict in _CONCLUDES:
        return _ended(transaction, refusal)
    if refusal.verdict is Verdict.UNREACHABLE:
        raise unexpected(reply)
    raise refusal.error(transaction.transaction_id)
