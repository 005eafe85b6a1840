"""The one driver of every protocol: it sends, asks, keeps notes, and takes a lost answer for a doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, SupportsIndex, TypeVar

from attrs import evolve

from bhxh_sdk.errors import (
    BhxhError,
    InputError,
    NotSentError,
    PersonNeededError,
    SigningError,
    UnexpectedReplyError,
    UnknownOutcomeError,
)
from bhxh_sdk.remote_errors import ProviderError
from bhxh_sdk.signers.contract import SigningState
from bhxh_sdk.signers.jobs import check_jobs
from bhxh_sdk.signers.remote.conversation import Call, Effect, Moment, MomentNeed, Note, SecretNeed
from bhxh_sdk.signers.remote.protocol import Order, planned
from bhxh_sdk.signers.verdicts import Meaning, Verdict, verdict_error

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bhxh_sdk.ports import Ask, CaptchaChallenge, Clock, Question, Reply, Sender
    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers.contract import Capabilities, SigningCertificate, SigningJob, SigningTransaction
    from bhxh_sdk.signers.remote.conversation import Conversation, Step
    from bhxh_sdk.signers.remote.protocol import RemoteProtocol
    from bhxh_sdk.signers.remote.secrets import ProviderSecrets

    Keep = Callable[[SigningTransaction], Awaitable[None]]

__all__ = ["RemoteSigner"]

T = TypeVar("T")

_TRIES = 3
"""How often a request is sent of which it is certain that no byte left before."""

_UNAUTHORISED, _FORBIDDEN = 401, 403
_FROM_PROVIDER = ("show", "reason_code", "reason_name", "reason")

_OPEN = frozenset({SigningState.INTENDED, SigningState.PENDING, SigningState.CONFIRMED})


class RemoteSigner:
    """Sign with a key that a provider keeps, or that lies in a SIM; see `bhxh_sdk.signers.Signer`.

    A call that may make a phone ring is never sent again by code. When its answer is lost, the transaction is
    asked after with our own id where the protocol lets us choose it, and is ambiguous where it does not.

    Args:
        protocol: the protocol in the provider's dialect, with our account.
        sender: sends requests; a blocking one for `Client`, an asynchronous one for `AsyncClient`.
        clock: time.
        secrets: where secrets come from.
        ask: whom to ask where a call is not given a person of its own.
        account: tells this account with this provider from others; a transaction of another one is refused.

    """

    def __init__(
        self,
        protocol: RemoteProtocol,
        sender: Sender,
        clock: Clock,
        *,
        secrets: ProviderSecrets,
        ask: Ask | None = None,
        account: str = "",
    ) -> None:
        self._account = account
        self._protocol = protocol
        self._sender = sender
        self._clock = clock
        self._secrets = secrets
        self._ask = ask or _Nobody()
        self._closed = False

    @property
    def capabilities(self) -> Capabilities:
        """What the provider can do."""
        return self._protocol.capabilities

    @property
    def asynchronous(self) -> bool:
        """Whether the sender is for an event loop."""
        return bool(getattr(self._sender, "asynchronous", False))

    async def certificates(self) -> tuple[SigningCertificate, ...]:
        """List what can sign.

        Raises:
            ProviderError: the provider refused; see its subclasses.
            PersonNeededError: a secret is kept nowhere and nobody is there to ask.

        """
        return await self.certificates_with(self._ask)

    async def certificates_with(self, ask: Ask) -> tuple[SigningCertificate, ...]:
        """List what can sign; the person is asked for secrets that are kept nowhere."""
        talk = self._talk(ask, None)
        return await talk.converse(self._protocol.certificates(self._clock.now()))

    async def start(
        self, jobs: Sequence[SigningJob], certificate: SigningCertificate, ask: Ask, clock: Clock
    ) -> SigningTransaction:
        """Start signing; see `start_noted`."""
        return await self.start_noted(jobs, certificate, ask, clock, None)

    async def start_noted(
        self,
        jobs: Sequence[SigningJob],
        certificate: SigningCertificate,
        ask: Ask,
        clock: Clock,
        note: Keep | None,
    ) -> SigningTransaction:
        """Start signing, and have the transaction kept before anything is sent that a person may notice.

        Args:
            jobs: what to sign.
            certificate: what to sign with.
            ask: whom to ask for a PIN or password.
            clock: time.
            note: keeps the transaction: as `INTENDED` before the first call that may make a phone ring.

        Returns:
            The transaction: waiting, done, ended, or `AMBIGUOUS` where the answer was lost and the protocol
            cannot be asked again.

        Raises:
            NotSentError: nothing was sent.
            ProviderError: the provider refused for certain; see its subclasses.

        """
        self._demand_open()
        check_jobs(jobs, self.capabilities)
        moment = clock.now()
        intended = planned(self._protocol, jobs, certificate, moment, clock.new_id())
        intended = evolve(intended, account=self._account)
        order = Order(transaction=intended, certificate=certificate, now=moment)
        return await self._advanced(self._protocol.start(order), intended, self._talk(ask, note))

    async def result(self, transaction: SigningTransaction, clock: Clock) -> SigningTransaction:
        """Ask how a transaction stands; see `result_noted`."""
        return await self.result_noted(transaction, clock, None)

    async def result_noted(
        self, transaction: SigningTransaction, clock: Clock, note: Keep | None
    ) -> SigningTransaction:
        """Ask how a transaction stands; one that has ended is given back as it is.

        Args:
            transaction: the transaction.
            clock: time.
            note: keeps the transaction before a further step that a person may notice.

        Raises:
            NotSentError: nothing was sent.
            UnknownOutcomeError: the question got no answer; it may be asked again.
            UnexpectedReplyError: the answer cannot be understood; the question may be asked again.
            ProviderError: the provider refused the question itself.
            InputError: the transaction was started with another account.

        """
        self._demand_open()
        if transaction.account not in {"", self._account}:
            raise InputError("signing.other_account", field="signer", reference=transaction.transaction_id)
        if transaction.state not in _OPEN:
            return transaction
        if transaction.state is SigningState.INTENDED and not self._protocol.chooses_id:
            return evolve(transaction, state=SigningState.AMBIGUOUS, reason="interrupted")
        conversation = self._protocol.result(transaction, clock.now())
        return await self._advanced(conversation, transaction, self._talk(self._ask, note))

    def close(self) -> None:
        """Forget tokens and entered secrets."""
        self._closed = True
        self._protocol.forget()
        self._secrets.forget()

    async def _advanced(
        self, conversation: Conversation[SigningTransaction], transaction: SigningTransaction, talk: _Talk
    ) -> SigningTransaction:
        """Lead a conversation to its end; one that breaks off after something was started is a doubt."""
        try:
            found = talk.clean(await talk.converse(conversation))
        except (NotSentError, UnknownOutcomeError, UnexpectedReplyError) as error:
            if not talk.in_doubt:
                raise
            return self._doubtful(talk.noted or transaction, error)
        return found

    def _doubtful(self, transaction: SigningTransaction, error: BhxhError) -> SigningTransaction:
        said = {name: str(error.parameters.get(f"provider_{name}", "")) for name in ("code", "text")}
        told = evolve(transaction, reason_code=said["code"], reason=said["text"])
        if self._protocol.chooses_id:
            return evolve(told, state=SigningState.PENDING)
        return evolve(told, state=SigningState.AMBIGUOUS, reason=told.reason or error.code)

    def _talk(self, ask: Ask, note: Keep | None) -> _Talk:
        self._demand_open()
        return _Talk(self._sender, self._clock, self._secrets, self._protocol, ask, note)

    def _demand_open(self) -> None:
        if self._closed:
            raise SigningError("signing.closed", name=self.capabilities.name)

    def __repr__(self) -> str:
        return f"RemoteSigner({self.capabilities.name!r})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        msg = "a signer may hold tokens and cannot be pickled or copied"
        raise TypeError(msg)


class _Talk:
    """One conversation under way.

    Attributes:
        noted: the transaction as it was noted last.
        in_doubt: whether a call that starts something has left; what breaks off after it leaves a doubt.

    """

    def __init__(
        self,
        sender: Sender,
        clock: Clock,
        secrets: ProviderSecrets,
        protocol: RemoteProtocol,
        ask: Ask,
        note: Keep | None,
    ) -> None:
        self.noted: SigningTransaction | None = None
        self.in_doubt = False
        self._sender = sender
        self._clock = clock
        self._secrets = secrets
        self._protocol = protocol
        self._ask = ask
        self._note = note
        self._names: set[str] = set()
        self._last = (Effect.READS, 0)

    async def converse(self, conversation: Conversation[T]) -> T:
        """Take the conversation's steps until it returns."""
        answer: Any = None
        try:
            while True:
                step = conversation.send(answer)
                answer = await self._take(step)
        except StopIteration as done:
            result: T = done.value
            return result
        except UnexpectedReplyError as error:
            self._mask(error)
            if (clearer := self._about_log_in()) is not None:
                raise clearer from error
            raise
        except BhxhError as error:
            self._mask(error)
            raise
        finally:
            conversation.close()

    def clean(self, transaction: SigningTransaction) -> SigningTransaction:
        """Return a transaction without the secrets that a provider repeats.

        Raises:
            UnexpectedReplyError: its id at the provider holds one: it would be written into an address.

        """
        if self._secrets.are_in(transaction.provider_id, self._protocol.hidden()):
            raise UnexpectedReplyError("remote.unexpected_reply")
        masked: dict[str, Any] = {name: self._masked(getattr(transaction, name)) for name in _FROM_PROVIDER}
        return evolve(transaction, **masked)

    def _about_log_in(self) -> BhxhError | None:
        """Return the error of an answer that nobody can read, where it has to do with logging in.

        Asked again and again while a person thinks, a wrong password would be sent until it is locked.
        """
        effect, status = self._last
        if status == _UNAUTHORISED:
            for name in self._names:
                self._secrets.refuse(name)
        if status in {_UNAUTHORISED, _FORBIDDEN} and self._names:
            return verdict_error(Meaning(Verdict.LOGIN), code=str(status))
        return ProviderError("remote.login_unclear", status=status) if effect is Effect.LOGS_IN else None

    async def _take(self, step: Step) -> Any:  # noqa: ANN401  # each step has an answer of its own
        if isinstance(step, Call):
            return await self._send(step)
        if isinstance(step, SecretNeed):
            self._names.add(step.name)
            return await self._secrets.secret(step, self._ask)
        if isinstance(step, MomentNeed):
            return await self._draw(step)
        if isinstance(step, Note):
            self.noted = self.clean(step.transaction)
            if self._note is not None:
                await self._note(self.noted)
            return None
        return self._secrets.refuse(step.name)

    async def _draw(self, step: MomentNeed) -> Moment:
        """Return the moment that it is, or the one to wait for."""
        if step.not_before is not None:
            left = (step.not_before - self._clock.now()).total_seconds()
            await self._clock.sleep(max(0.0, left))
        return Moment(now=self._clock.now(), new_id=self._clock.new_id())

    async def _send(self, call: Call) -> Reply:
        """Send a request; once more only where it is certain that no byte of it left."""
        for attempt in range(1, _TRIES):
            try:
                return await self._sent(call)
            except NotSentError:
                await self._clock.sleep(float(attempt))
        return await self._sent(call)

    async def _sent(self, call: Call) -> Reply:
        was_in_doubt, self.in_doubt = self.in_doubt, self.in_doubt or call.effect is Effect.STARTS
        try:
            reply = await self._sender.send(call.request)
        except NotSentError:
            self.in_doubt = was_in_doubt
            raise
        self._last = call.effect, reply.status
        return reply

    def _mask(self, error: BhxhError) -> None:
        for name, value in error.parameters.items():
            if isinstance(value, str):
                error.parameters[name] = self._masked(value)

    def _masked(self, text: str) -> str:
        return self._secrets.mask(text, self._protocol.hidden())


class _Nobody:
    """Stand in where nobody is there to ask."""

    async def secret(self, question: Question) -> Secret:
        raise PersonNeededError("person_needed.nobody_to_ask", field=question.purpose)

    async def captcha(self, challenge: CaptchaChallenge) -> str:
        raise PersonNeededError("person_needed.nobody_to_ask", field=challenge.purpose)

    async def choose(self, question: Question) -> int:
        raise PersonNeededError("person_needed.nobody_to_ask", field=question.purpose)

    async def confirm(self, question: Question) -> bool:
        raise PersonNeededError("person_needed.nobody_to_ask", field=question.purpose)
