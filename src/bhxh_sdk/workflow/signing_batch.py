"""One signer, one certificate, one login: what a batch signs its documents with.

A key at hand (`LocalSigner`) signs without transactions, so that a form costs little more than its RSA
operation. Every other signer is given as many digests in one call as it takes.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from bhxh_sdk import signers, xml
from bhxh_sdk.errors import (
    CertificateUnusableError,
    PersonNeededError,
    SignatureMismatchError,
    SigningError,
    UnsupportedOperationError,
    WrongTypeError,
)
from bhxh_sdk.models import Document, Registration, SignatureScheme, SignedDocument
from bhxh_sdk.signers import HashName, LocalSigner, SigningCertificate, SigningJob
from bhxh_sdk.signers.asking import AskOnce
from bhxh_sdk.signers.holding import certificates_of
from bhxh_sdk.signers.values import public_key, signature_fits
from bhxh_sdk.workflow.world import vietnamese_date
from bhxh_sdk.xml.documents import as_profile, fitting_profile
from bhxh_sdk.xml.form_signing import FormSigning
from bhxh_sdk.xml.moments import in_utc
from bhxh_sdk.xml.signature import spliced, usable_key
from bhxh_sdk.xml.signature_profile import as_signature_profile, place_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from bhxh_sdk.ports import Ask, Clock
    from bhxh_sdk.signers import LocalKey, Signer, SigningTransaction

    OnPending = Callable[[SigningTransaction], Awaitable[None]]

__all__ = ["Prepared", "Signable", "SigningBatch", "SigningWay"]

Signable: TypeAlias = Registration | Document | bytes
"""What can be signed: a form, a finished document, or a document's bytes."""


class SigningWay(NamedTuple):
    """Tell how documents are signed.

    Args:
        at: path of the signature's place; None for that of the document's or the signature's profile.
        profile: shape of the signature, or its name.
        signing_time: when they are signed, with its zone; None for the clock's time at each.
        document_profile: how forms are written; None for the profile that each needs today.

    """

    at: str | None = None
    profile: xml.SignatureProfile | str = "field"
    signing_time: datetime | None = None
    document_profile: xml.DocumentProfile | str | None = None


class Prepared(NamedTuple):
    """Hold a document that waits for its signature value, with what it is called."""

    prepared: xml.PreparedSignature
    file_name: str
    profile: str


class _Road(NamedTuple):
    """Hold how forms of one profile are signed: in one go, or None for the long way; and with what."""

    forms: FormSigning | None
    sign: Callable[[bytes], bytes]


class SigningBatch:
    """Sign documents with one certificate of one signer; make it with `opened`.

    Args:
        signer: the signer.
        certificate: the certificate, one of the signer's.
        ask: whom to ask.
        clock: time.
        on_pending: told while a person has to confirm elsewhere.
        key: the open key of a signer at hand.

    """

    def __init__(
        self,
        signer: Signer,
        certificate: SigningCertificate,
        ask: AskOnce,
        clock: Clock,
        *,
        on_pending: OnPending | None = None,
        key: _KeyAtHand | None = None,
    ) -> None:
        self.certificate = certificate
        self._signer = signer
        self._ask = ask
        self._clock = clock
        self._on_pending = on_pending
        self._key = key
        self._roads: dict[tuple[xml.DocumentProfile, xml.SignatureProfile | str], _Road] = {}

    @classmethod
    async def opened(
        cls,
        signer: Signer,
        certificate: SigningCertificate | None,
        ask: Ask,
        clock: Clock,
        on_pending: OnPending | None = None,
    ) -> SigningBatch:
        """Choose the certificate, unless it is given, and open a key at hand.

        Raises:
            SigningError: there is no usable certificate, or several and nobody to choose, or the key cannot
                be opened.

        """
        asking = AskOnce(ask)
        try:
            chosen = _known(signer, certificate or await _only_one(signer, asking, clock))
            key = await _key_at_hand(signer, chosen, asking)
        except Exception:
            asking.forget()
            raise
        if key is not None:
            asking.forget()  # an open key has no more questions
        return cls(signer, chosen, asking, clock, on_pending=on_pending, key=key)

    @classmethod
    async def opened_anew(
        cls,
        lost: SigningBatch | None,
        signer: Signer,
        certificate: SigningCertificate | None,
        ask: Ask,
        clock: Clock,
        on_pending: OnPending | None = None,
    ) -> SigningBatch:
        """Open a batch in place of one that was lost, with its certificate: nobody chooses a second time.

        Args:
            lost: the lost one; None for the first.
            signer: the signer.
            certificate: the certificate for the first; None to choose it.
            ask: whom to ask.
            clock: time.
            on_pending: told while a person has to confirm elsewhere.

        Raises:
            SigningError: as `opened`.

        """
        chosen = certificate if lost is None else lost.certificate
        return await cls.opened(signer, chosen, ask, clock, on_pending)

    @property
    def is_local(self) -> bool:
        """Whether the key is at hand: `sign_here` works."""
        return self._key is not None

    @property
    def is_lost(self) -> bool:
        """Whether the key failed: the next document wants the batch opened anew, with its certificate."""
        return self._key is not None and self._key.is_lost

    @property
    def largest_group(self) -> int:
        """How many documents one call of the signer takes."""
        return max(1, self._signer.capabilities.largest_batch)

    def check(self, way: SigningWay) -> None:
        """Refuse what no document could be signed by, before the first is touched.

        Raises:
            InputError: a profile is unknown, the place no text, or the time has no zone.
            CertificateUnusableError: the certificate's key cannot sign in that way.

        """
        shape = as_signature_profile(way.profile)
        place_of(shape, way.at)
        usable_key(self.certificate.certificate, shape)
        if way.document_profile is not None:
            as_profile(way.document_profile)
        if way.signing_time is not None:
            in_utc(way.signing_time, "signing_time")

    def prepared(self, document: Signable, way: SigningWay) -> Prepared:
        """Write a form, or take a finished document, and prepare it for signing.

        Raises:
            InputError: as `bhxh_sdk.xml.build` and `prepare`.
            DocumentError: as `bhxh_sdk.xml.prepare`.
            CertificateUnusableError: as `bhxh_sdk.xml.prepare`.

        """
        moment = way.signing_time or self._clock.now()
        if isinstance(document, Registration):
            return self._form(document, way, moment)
        if isinstance(document, bytes):
            document = Document(file_name="", content=document)
        if not isinstance(document, Document):
            raise WrongTypeError(
                field="document", expected="Registration | Document | bytes", got=type(document).__name__
            )
        return self._finished(document, way, moment)

    def sign_here(self, document: Signable, way: SigningWay) -> SignedDocument:
        """Sign a document with the key at hand.

        Raises:
            InputError: as `prepared`.
            DocumentError: as `prepared`.
            SigningError: the key cannot sign in that way, or the signer was closed.

        """
        if not isinstance(way.profile, str | xml.SignatureProfile):
            as_signature_profile(way.profile)  # refuses it
        if isinstance(document, Registration) and way.at is None:
            form = self._dated(document)
            chosen = fitting_profile(form, way.document_profile)
            road = self._roads.get((chosen, way.profile)) or self._road(chosen, way)
            if road.forms is not None:
                content = road.forms.signed(form, way.signing_time or self._clock.now(), road.sign)
                return SignedDocument(
                    file_name=chosen.file_name,
                    content=content,
                    profile=chosen.name,
                    certificate=road.forms.certificate,
                    at=chosen.signature,
                )
        return self._long_way(document, way)

    def _long_way(self, document: Signable, way: SigningWay) -> SignedDocument:
        waiting = self.prepared(document, way)
        prepared = waiting.prepared
        value = self._opened_key()(prepared.digest, HashName.SHA256, prepared.profile.scheme)
        # RSA values were verified, here or by OpenSSL before it gave them out; ECDSA values by nobody so far.
        is_checked = prepared.profile.scheme is not SignatureScheme.ECDSA
        return _named(waiting, spliced(prepared, value) if is_checked else xml.complete(prepared, value))

    def _road(self, profile: xml.DocumentProfile, way: SigningWay) -> _Road:
        """Find out how forms of a profile are signed, and keep that for the next."""
        shape = as_signature_profile(way.profile)
        forms = FormSigning.of(profile, shape, self.certificate.certificate)
        road = _Road(forms, partial(self._opened_key(), hash_name=HashName.SHA256, scheme=shape.scheme))
        self._roads[profile, way.profile] = road
        return road

    def _opened_key(self) -> LocalKey:
        if self._key is None:
            raise SigningError("signing.closed", name=self._signer.capabilities.name)
        return self._key

    async def sign_there(self, documents: Sequence[Prepared]) -> list[SignedDocument]:
        """Have prepared documents signed in one call; every value is verified before it is used.

        Raises:
            SigningError: no signature was made; see its subclasses.
            StillWaitingError: nobody confirmed in time.
            UnknownOutcomeError: it is unknown whether the provider started.

        """
        jobs = [self._job(waiting) for waiting in documents]
        try:
            values = await signers.sign(
                self._signer, jobs, self.certificate, self._ask, self._clock, self._on_pending
            )
        except Exception:
            self._ask.forget()
            raise
        return [
            _named(waiting, spliced(waiting.prepared, values[job.document_id]))
            for waiting, job in zip(documents, jobs, strict=True)
        ]

    def close(self) -> None:
        """Forget the key, and the answers that were given."""
        self._key = None
        self._roads.clear()
        self._ask.forget()

    def _form(self, form: Registration, way: SigningWay, moment: datetime) -> Prepared:
        form = self._dated(form)
        chosen = fitting_profile(form, way.document_profile)
        own = self.certificate.certificate
        if way.at is not None and way.at != chosen.signature:
            return self._finished(xml.build(form, chosen, certificate=own), way, moment)
        prepared = xml.prepare_form(form, chosen, certificate=own, signing_time=moment, signature=way.profile)
        return Prepared(prepared, chosen.file_name, chosen.name)

    def _dated(self, form: Registration) -> Registration:
        if form.made_on is None or form.starts_on is None:
            return form.dated(vietnamese_date(self._clock.now()))
        return form

    def _finished(self, document: Document, way: SigningWay, moment: datetime) -> Prepared:
        shape = as_signature_profile(way.profile)
        at = way.at
        if at is None and not shape.over:
            at = next((known.signature for known in xml.profiles() if known.name == document.profile), None)
        prepared = xml.prepare(
            document.content, self.certificate.certificate, at=at, signing_time=moment, profile=shape
        )
        return Prepared(prepared, document.file_name, document.profile)

    def _job(self, waiting: Prepared) -> SigningJob:
        prepared = waiting.prepared
        return SigningJob(
            document_id=self._clock.new_id(),
            digest=prepared.digest,
            document_name=waiting.file_name,
            signed_info=prepared.signed_info,
            scheme=prepared.profile.scheme,
        )


async def _only_one(signer: Signer, ask: Ask, clock: Clock) -> SigningCertificate:
    """Return the certificate that can sign now; a person decides between several."""
    offered, now = await certificates_of(signer, ask), clock.now()
    if not offered and not signer.capabilities.knows_certificate_first:
        return SigningCertificate.to_come()
    try:
        return await signers.choose(offered, None, now, ask)
    except PersonNeededError:
        return signers.choose_certificate(offered, None, now)  # raises, and lists those that fit


def _known(signer: Signer, certificate: SigningCertificate) -> SigningCertificate:
    """Refuse a certificate that comes only with the signature: many documents need it before."""
    if certificate.comes_later:
        raise CertificateUnusableError("signing.certificate_comes_later", name=signer.capabilities.name)
    return certificate


async def _key_at_hand(signer: Signer, certificate: SigningCertificate, ask: Ask) -> _KeyAtHand | None:
    """Open a key at hand; None where there is none, or where the token signs whole documents alone."""
    if not isinstance(signer, LocalSigner):
        return None
    try:
        key = await signer.local_key(certificate, ask)
    except UnsupportedOperationError:
        return None
    return _KeyAtHand(key, certificate, checks_values=signer.capabilities.checks_values)


class _KeyAtHand:
    """A key at hand whose values are verified, so that a wrong one signs nothing.

    Args:
        key: the key.
        certificate: the certificate that its values have to fit.
        checks_values: whether only the first value in each scheme is verified: the signer does so itself.

    """

    def __init__(self, key: LocalKey, certificate: SigningCertificate, *, checks_values: bool) -> None:
        self._key = key
        self._certificate = certificate
        self._checks_values = checks_values
        self._publics: dict[SignatureScheme, Any] = {}
        self.is_lost = False
        """Whether it failed, as when a token was pulled out: for the next call it has to be opened anew."""

    def __call__(self, digest: bytes, hash_name: HashName, scheme: SignatureScheme) -> bytes:
        try:
            value = self._key(digest, hash_name, scheme)
            if not self._checks_values or scheme not in self._publics:
                self._verify(value, digest, hash_name, scheme)
        except SigningError:
            self.is_lost = True
            raise
        return value

    def _verify(self, value: Any, digest: bytes, hash_name: HashName, scheme: SignatureScheme) -> None:  # noqa: ANN401  # what a foreign signer gave
        public = self._publics.get(scheme) or public_key(self._certificate.certificate, [scheme])
        job = SigningJob(document_id="one", digest=digest, hash_name=hash_name, scheme=scheme)
        if not isinstance(value, bytes) or not signature_fits(public, job, value):
            raise SignatureMismatchError("document.value_mismatch")
        self._publics[scheme] = public  # several threads may verify one each; all do until one has passed


def _named(waiting: Prepared, content: bytes) -> SignedDocument:
    prepared = waiting.prepared
    return SignedDocument(
        file_name=waiting.file_name,
        content=content,
        profile=waiting.profile,
        certificate=prepared.certificate,
        at=prepared.at,
    )
