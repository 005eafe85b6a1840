"""Calling an operation of a profile: write the request, send it, tell yes from no from nobody-knows.

Two ways to send. `read` is for calls that change nothing: repeated within limits, and what cannot be
understood is an `UnexpectedReplyError`. `once` is for everything else: sent one time; wrapped in `in_doubt`,
an answer that cannot be understood (a page, a cut JSON, a redirect, a server error) leaves the outcome
unknown, because the other side may have done what was asked.
"""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from bhxh_sdk.errors import (
    BhxhError,
    InputError,
    NotSentError,
    RefusedError,
    SessionExpiredError,
    UnexpectedReplyError,
    UnknownOutcomeError,
)
from bhxh_sdk.models import Outcome
from bhxh_sdk.secret import Secret
from bhxh_sdk.transport.exchange import nothing_left
from bhxh_sdk.transport.profile import Access, Encoding, ReplyKind
from bhxh_sdk.transport.reading import (
    as_flag,
    as_list,
    as_moment,
    as_object,
    as_text,
    json_value,
    member,
    unexpected,
)
from bhxh_sdk.transport.refusals import refusal
from bhxh_sdk.transport.retrying import RetryPolicy, send_reading
from bhxh_sdk.transport.writing import written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from bhxh_sdk.ports import Clock, Reply, Request, Sender
    from bhxh_sdk.transport.profile import Endpoint, EndpointProfile

__all__ = ["Answer", "Caller", "as_reading", "before_change", "in_doubt"]

_GOOD = range(200, 300)
_UNAUTHORISED = 401
_FIRST_SERVER_ERROR = 500
_LONGEST_TEXT = 4_000
_TOKEN = re.compile(r"[\x21-\x7e]+")
_NOT_NOW = frozenset({408, 425, 429})  # whoever answers so need not be the one who decides


@frozen
class Answer:
    """The payload of an answer, read by our names.

    Args:
        endpoint: whose answer it is.
        value: the JSON value, text or bytes.

    """

    endpoint: Endpoint
    value: Any = field(repr=False)

    def raw(self, name: str) -> Any:  # noqa: ANN401  # foreign data
        """Return a member as received; None when it is missing, null or has no wire name in the profile."""
        return member(self.value, *self.endpoint.answer.get(name, ()))

    def text(self, name: str) -> str:
        """Return a member as text; empty when it is not there, cut with an ellipsis at 4,000 characters."""
        text = as_text(self.raw(name))
        return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"

    def needed(self, name: str) -> str:
        """Return a member that must be there as text.

        Raises:
            UnexpectedReplyError: it is missing, empty or longer than 4,000 characters.

        """
        found = as_text(self.raw(name))
        if not 0 < len(found) <= _LONGEST_TEXT:
            raise UnexpectedReplyError("unexpected_reply.member", field=name)
        return found

    def token(self, name: str) -> Secret:
        """Return a member that must be there as a secret that fits into a header.

        Raises:
            UnexpectedReplyError: it is missing, empty, or holds anything but visible ASCII characters.

        """
        found = self.raw(name)
        if not isinstance(found, str) or not _TOKEN.fullmatch(found):
            raise UnexpectedReplyError("unexpected_reply.member", field=name)
        return Secret(found)

    def moment(self, name: str) -> datetime | None:
        """Return a member as a time in UTC; None when there is none."""
        return as_moment(self.raw(name))

    def flag(self, name: str) -> bool | None:
        """Return a member as a truth value; None when it says neither."""
        return as_flag(self.raw(name))

    def outcome(self, name: str = "state") -> Outcome:
        """Return the outcome that a raw state stands for; `UNKNOWN` when the profile does not list it."""
        return Outcome(self.endpoint.states.get(self.text(name), Outcome.UNKNOWN.value))

    def rows(self, name: str = "rows") -> tuple[Answer, ...]:
        """Return the objects of a list member, or of the answer itself when the profile does not name it.

        Raises:
            UnexpectedReplyError: there is something else than a list.

        """
        rows = as_list(self.raw(name) if name in self.endpoint.answer else self.value)
        return tuple(Answer(self.endpoint, as_object(row)) for row in rows)


@contextmanager
def in_doubt(reference: str = "") -> Iterator[None]:
    """Leave nothing but a no, a proof that nothing left, or an unknown outcome: around every change.

    An error that is marked (`nothing_left`) passes; every other one may have come after the request.
    """
    try:
        yield
    except RefusedError:
        raise
    except UnknownOutcomeError as error:
        error.reference = error.reference or reference
        raise
    except BhxhError as error:
        if error.nothing_left:
            raise
        status = error.parameters.get("status", "")
        raise UnknownOutcomeError(
            "unknown_outcome.reply", reference=reference, reason=error.code, status=status
        ) from error


@contextmanager
def before_change() -> Iterator[None]:
    """Say that nothing was sent when what only prepares a change fails: around it, and nothing else."""
    with nothing_left():
        try:
            yield
        except (RefusedError, UnexpectedReplyError) as error:
            status = error.parameters.get("status", "")
            raise NotSentError("not_sent.preparation", reason=error.code, status=status) from error


@contextmanager
def as_reading() -> Iterator[None]:
    """Turn a lost answer into an unexpected one: around every call that changes nothing."""
    try:
        yield
    except UnknownOutcomeError as error:
        host = error.parameters.get("host", "")
        raise UnexpectedReplyError("unexpected_reply.lost", reason=error.code, host=host) from error


class Caller:
    """Call the operations of one profile.

    Args:
        profile: how to call.
        sender: sends one request.
        clock: time and chance.
        policy: how reading calls are repeated.

    """

    def __init__(
        self, profile: EndpointProfile, sender: Sender, clock: Clock, policy: RetryPolicy | None = None
    ) -> None:
        self.profile = profile
        self._sender = sender
        self._clock = clock
        self._policy = policy or RetryPolicy()

    async def once(
        self,
        operation: str,
        values: Mapping[str, Any] | None = None,
        *,
        bearer: Secret | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call an operation, sending it one time.

        Args:
            operation: its name in the profile.
            values: our name -> value.
            bearer: the token of the session.
            headers: headers of this one call.

        Raises:
            UnsupportedOperationError: the profile does not have it; nothing was sent.
            InputError: a value cannot be written; nothing was sent.
            RefusedError: the other side said no.
            NotSentError: nothing left.
            UnknownOutcomeError: no complete answer came.
            UnexpectedReplyError: the answer cannot be understood.

        """
        endpoint = self.profile.endpoint(operation)
        with nothing_left():
            request = self._request(endpoint, values, bearer, headers)
        reply = await self._sender.send(request)
        return understood(endpoint, reply)

    async def read(
        self,
        operation: str,
        values: Mapping[str, Any] | None = None,
        *,
        bearer: Secret | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call an operation that changes nothing, repeating it within limits.

        Raises:
            UnsupportedOperationError: the profile does not have it; nothing was sent.
            RefusedError: the other side said no.
            NotSentError: nothing left.
            UnexpectedReplyError: no complete answer came, or it cannot be understood.

        """
        endpoint = self.profile.endpoint(operation)
        request = self._request(endpoint, values, bearer, headers)
        with as_reading():
            reply = await send_reading(self._sender, self._clock, request, self._policy)
        return understood(endpoint, reply)

    def _request(
        self,
        endpoint: Endpoint,
        values: Mapping[str, Any] | None,
        bearer: Secret | None,
        headers: Mapping[str, str] | None,
    ) -> Request:
        boundary = self._clock.new_id() if endpoint.encoding is Encoding.MULTIPART else ""
        with suppress(ValueError):
            return written(
                self.profile.base_url,
                endpoint,
                values or {},
                bearer=bearer,
                headers=headers,
                boundary=boundary,
            )
        raise InputError("input.request", field="request")  # Python's own error would carry the whole body


def understood(endpoint: Endpoint, reply: Reply) -> Answer:
    """Tell yes from no from nobody-knows.

    Returns:
        The payload of a yes.

    Raises:
        RefusedError: a no, as the kind that the profile gives its code.
        UnexpectedReplyError: neither.

    """
    if reply.status not in _GOOD:
        raise _bad_status(endpoint, reply)
    if endpoint.reply is ReplyKind.BYTES:
        return Answer(endpoint, reply.body)
    answer = Answer(endpoint, _value(endpoint, reply))
    _demand_success(answer, reply)
    return Answer(endpoint, member(answer.value, endpoint.result)) if endpoint.result else answer


def _value(endpoint: Endpoint, reply: Reply) -> Any:  # noqa: ANN401  # foreign data
    if endpoint.reply is ReplyKind.JSON:
        return json_value(reply)
    try:
        return json_value(reply)
    except UnexpectedReplyError as error:
        if error.code == "unexpected_reply.html":
            raise
    return reply.body.decode("utf-8", errors="replace").strip()


def _bad_status(endpoint: Endpoint, reply: Reply) -> RefusedError | UnexpectedReplyError:
    if reply.status >= _FIRST_SERVER_ERROR:
        return unexpected(reply, "unexpected_reply.server_error")
    session_over = reply.status == _UNAUTHORISED and endpoint.access is Access.BEARER
    try:
        said = _refused(
            endpoint, json_value(reply), reply.status, "session_expired" if session_over else "refused"
        )
    except UnexpectedReplyError as error:
        said, page = None, error.code == "unexpected_reply.html"
    else:
        page = False
    if session_over:
        return said or SessionExpiredError(agency_code=str(_UNAUTHORISED))
    return said or unexpected(reply, "unexpected_reply.html" if page else "unexpected_reply.status")


def _refused(endpoint: Endpoint, value: object, status: int, usual: str = "refused") -> RefusedError | None:
    """Return the no that an answer tells; None when it holds neither a code nor a text of one."""
    rules = endpoint.refusals
    code, text = as_text(member(value, *rules.code)), as_text(member(value, *rules.text))
    known = rules.kinds.get(code) or rules.statuses.get(str(status))
    if known is None and (status in _NOT_NOW or not (code or text)):
        return None
    return refusal(known or usual, code, text)


def _demand_success(answer: Answer, reply: Reply) -> None:
    endpoint, rule = answer.endpoint, answer.endpoint.success
    if rule is None:
        return
    found = as_text(member(answer.value, rule.member))
    told = member(answer.value, rule.member) is not None
    if not told and rule.optional and not as_text(member(answer.value, *endpoint.refusals.code)):
        return
    if found.casefold() in {equal.casefold() for equal in rule.equals}:
        return
    said = _refused(endpoint, answer.value, reply.status) if told or rule.optional else None
    raise said or unexpected(reply, "unexpected_reply.shape")
