"""What the errors of a CSC service mean: the names of the specification, and the texts below one of them.

Many different matters are `invalid_request` and told apart by their text alone; so the text is kept, known
ones are understood, and an unknown one stays a request that was not taken. A call that a person may notice
ends only with an error that says what became of it. Source: CSC API 1.0.4 and 2.0; RFC 6749.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

from bhxh_sdk.signers.remote.reading import as_text, json_answer, unexpected
from bhxh_sdk.signers.remote.tables import meanings
from bhxh_sdk.signers.verdicts import Meaning, Verdict, verdict_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bhxh_sdk.errors import BhxhError
    from bhxh_sdk.ports import Reply

__all__ = ["ERRORS", "TEXTS", "CscErrors", "Refusal"]

ERRORS: Mapping[str, Verdict] = {
    "invalid_request": Verdict.REQUEST,
    "unauthorized_client": Verdict.LOGIN,
    "access_denied": Verdict.DECLINED,  # LIKELY: no source shows a person's refusal
    "unsupported_response_type": Verdict.REQUEST,
    "unsupported_grant_type": Verdict.REQUEST,
    "invalid_scope": Verdict.REQUEST,
    "server_error": Verdict.FAILED,
    "temporarily_unavailable": Verdict.UNREACHABLE,
    "expired_token": Verdict.EXPIRED,
    "invalid_token": Verdict.LOGIN,
    "invalid_pin": Verdict.SECRET,
    "invalid_otp": Verdict.SECRET,
    "authentication_error": Verdict.LOGIN,
    "invalid_client": Verdict.LOGIN,
    "invalid_grant": Verdict.LOGIN,
    "invalid_authentication_data": Verdict.SECRET,
}
"""The verdict of each error name."""

TEXTS: Mapping[str, Verdict] = {
    "pin locked": Verdict.LOCKED,
    "otp locked": Verdict.LOCKED,
    "credential locked": Verdict.LOCKED,
    "the credential identified by credentialid is disabled": Verdict.CERTIFICATE,
    "signing certificate": Verdict.CERTIFICATE,  # "Signing certificate '…' is expired."
    "sad expired": Verdict.EXPIRED,
    "numbers of signatures is too high": Verdict.REQUEST,
    "hash is not authorized by the sad": Verdict.REQUEST,
    "invalid digest value length": Verdict.REQUEST,
    "invalid parameter credentialid": Verdict.NO_CERTIFICATE,  # LIKELY: by the pattern of the others
    "invalid parameter sad": Verdict.REQUEST,
    "invalid base64 hash string parameter": Verdict.REQUEST,
    "string parameter hashalgo": Verdict.REQUEST,  # "Missing (or invalid type) string parameter hashAlgo"
}
"""The verdict of `invalid_request` by a part of its text, in lower case."""

_OF_TOKENS = frozenset({"access_denied", "expired_token"})
"""Names that concern our token, and not the signature, on calls that nobody confirms."""

_SERVER = 500
_REFUSED = 400
_UNAUTHORIZED = 401
_REFUSING = frozenset({400, 401, 403, 404})
"""HTTP statuses of a request that was not taken; seen as plain text, too."""

_GIVEN_UP = frozenset({408, 409, 425, 429, 499})
"""HTTP statuses with which what stands before a service gives up; the service may have taken the request."""

_TROUBLE = frozenset({Verdict.FAILED, Verdict.UNREACHABLE})
_STALE = frozenset({"invalid_token", "expired_token"})
_PAGE = re.compile(rb"<[!a-z]", re.IGNORECASE)


@frozen(kw_only=True)
class Refusal:
    """Hold a clear no.

    Args:
        meaning: what it means.
        code: the error's name, or the HTTP status where there is none.
        text: the text, as received.
        status: HTTP status.
        is_final: whether it says for certain that what the call started brings no signature.

    """

    meaning: Meaning
    code: str
    text: str
    status: int
    is_final: bool

    @property
    def verdict(self) -> Verdict:
        """What it means, in the words that all providers share."""
        return self.meaning.verdict

    @property
    def denies_login(self) -> bool:
        """Whether the application, its secret or its token was refused."""
        return self.meaning.verdict is Verdict.LOGIN

    @property
    def denies_token(self) -> bool:
        """Whether the application's token may be what was refused."""
        return self.status == _UNAUTHORIZED

    @property
    def names_token(self) -> bool:
        """Whether the service says that it was the token."""
        return self.code in _STALE

    def error(self, reference: str = "") -> BhxhError:
        """Return the error that it ends in."""
        return verdict_error(self.meaning, code=self.code, text=self.text, reference=reference)


class CscErrors:
    """Read the errors of one service.

    Args:
        more_errors: verdicts by error name, before the known ones.
        more_texts: verdicts by a part of the text, before the known ones.

    Raises:
        InputError: a verdict is none.

    """

    def __init__(self, more_errors: Mapping[str, str], more_texts: Mapping[str, str]) -> None:
        own = meanings(more_errors, "more_errors", str)
        self._own_errors = {name: found.verdict for name, found in own.items()}
        texts = meanings(more_texts, "more_texts", str.casefold)
        self._own_texts = {part: found.verdict for part, found in texts.items()}

    def refusal(self, reply: Reply, *, starts: bool) -> Refusal | None:
        """Return the clear no of an answer; None for a yes.

        Args:
            reply: the answer.
            starts: whether the call was one that a person confirms, or that signs, or asks after a person.

        Raises:
            UnexpectedReplyError: it is an error whose cause cannot be told: a page, or a bare 5xx.

        """
        if reply.status < _REFUSED:
            return None
        name, text = _told(reply)
        taught, known = self._taught(name, text), _known(name, text)
        verdict = taught or known or _usual(reply.status)
        if verdict is None:
            raise unexpected(reply)
        if not starts and name in _OF_TOKENS and verdict is ERRORS[name]:
            verdict = Verdict.LOGIN
        return Refusal(
            meaning=Meaning(verdict),
            code=name or str(reply.status),
            text=text,
            status=reply.status,
            is_final=taught is not None or _is_final(name, known, reply.status),
        )

    def _taught(self, name: str, text: str) -> Verdict | None:
        folded = text.casefold()
        by_text = next((verdict for part, verdict in self._own_texts.items() if part in folded), None)
        return by_text or self._own_errors.get(name)


def _known(name: str, text: str) -> Verdict | None:
    """Return what the specification means by a name and its text; None for what it does not know."""
    folded = text.casefold() if name == "invalid_request" else ""
    by_text = next((verdict for part, verdict in TEXTS.items() if part in folded), None)
    return by_text or ERRORS.get(name)


def _usual(status: int) -> Verdict | None:
    """Return what an error means that nobody knows: of the client's side a request that was not taken."""
    if status >= _SERVER:
        return None
    return Verdict.LOGIN if status == _UNAUTHORIZED else Verdict.REQUEST


def _is_final(name: str, known: Verdict | None, status: int) -> bool:
    """Tell whether an error says what became of a request, and not only that something went wrong with it."""
    if known in _TROUBLE or status in _GIVEN_UP:
        return False
    if known is None:
        return status == _UNAUTHORIZED or (not name and status in _REFUSING)
    return known is not Verdict.REQUEST or status in _REFUSING


def _told(reply: Reply) -> tuple[str, str]:
    """Return error name and text; plain text of a 4xx is taken, a page is not.

    Raises:
        UnexpectedReplyError: it is neither.

    """
    kind = reply.header("content-type").split(";")[0].strip().lower()
    if kind == "text/plain" and reply.status < _SERVER and not _PAGE.search(reply.body):
        return "", as_text(reply.body.decode("utf-8", "replace"))
    answer = json_answer(reply)
    name = as_text(answer.get("error"))
    if not name:
        raise unexpected(reply)
    return name, as_text(answer.get("error_description"))
