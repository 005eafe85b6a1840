"""Reading the agency's mails: the activation code with its link, and the account.

A mail is given as pasted text or as its source; nothing here fetches mail, follows a link or trusts a sender.
What no pattern finds, a person types in.
"""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from attrs import field, frozen

from bhxh_sdk.errors import InputError, WrongTypeError
from bhxh_sdk.models import ActivationCode, Credentials
from bhxh_sdk.models.text import without_marks
from bhxh_sdk.secret import Secret
from bhxh_sdk.transport.mail_text import MailText, mail_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["DEFAULT_MAIL_PATTERNS", "MailPatterns", "activation_code_in", "credentials_in", "link_host"]

_LARGEST_MAIL = 1_000_000


def _compiled(patterns: Iterable[str | re.Pattern[str]]) -> tuple[re.Pattern[str], ...]:
    return tuple(one if isinstance(one, re.Pattern) else _pattern(one) for one in patterns)


def _pattern(text: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(text, re.MULTILINE)
    except (re.error, TypeError, OverflowError, RecursionError):
        raise InputError("mail.bad_pattern", field="patterns", pattern=str(text)) from None
    if pattern.groups != 1:
        raise InputError("mail.bad_pattern", field="patterns", pattern=text)
    return pattern


@frozen(kw_only=True)
class MailPatterns:
    """Where the values stand in the mails.

    A pattern is a regular expression with one group, tried on the lines of the readable text in NFC; keep its
    repetitions bounded, for the text comes from anybody.

    Args:
        activation_code: where the code stands.
        link: where the address behind «(bấm vào đây)» stands in plain text.
        link_words: the words of that link in HTML.
        user_name: where the user name stands.
        password: where the password stands.
        largest_mail: how many bytes a mail may have.

    Raises:
        InputError: a pattern is no regular expression with one group.

    """

    activation_code: tuple[re.Pattern[str], ...] = field(converter=_compiled)
    link: tuple[re.Pattern[str], ...] = field(converter=_compiled)
    link_words: tuple[str, ...] = field(converter=tuple)
    user_name: tuple[re.Pattern[str], ...] = field(converter=_compiled)
    password: tuple[re.Pattern[str], ...] = field(converter=_compiled)
    largest_mail: int = _LARGEST_MAIL

    def with_overrides(self, overrides: Mapping[str, Any]) -> MailPatterns:
        """Return the patterns with some of them replaced, as a TOML table of the same names gives them.

        Raises:
            InputError: an unknown name, or a pattern that is no regular expression with one group.

        """
        unknown = sorted(overrides.keys() - _names())
        if unknown:
            raise InputError("mail.unknown_patterns", field="patterns", names=", ".join(unknown))
        own = {name: getattr(self, name) for name in _names()}
        return MailPatterns(**{**own, **overrides})


def _names() -> set[str]:
    return {"activation_code", "link", "link_words", "user_name", "password", "largest_mail"}


def _shipped() -> MailPatterns:
    text = resources.files("bhxh_sdk.transport").joinpath("data", "mail", "patterns.toml").read_text("utf-8")
    table = tomllib.loads(text)
    return MailPatterns(**{name: value for name, value in table.items() if name in _names()})


DEFAULT_MAIL_PATTERNS = _shipped()
"""The patterns that come with the package; no source shows the real mails."""


def activation_code_in(
    mail: str | bytes, *, patterns: MailPatterns = DEFAULT_MAIL_PATTERNS
) -> ActivationCode:
    """Return the activation code of a mail (step 25), with the link that goes with it.

    What HTML hides and what stands in quoted lines (`> …`) is no code.

    Args:
        mail: what a person pasted, or the bytes of an `.eml` file.
        patterns: where the values stand.

    Raises:
        InputError: there is no code (`mail.no_code`), or several, hidden ones too (`mail.many_codes`);
            nothing is guessed.

    """
    text = _readable(mail, patterns)
    codes, hidden = (_found(patterns.activation_code, part) for part in (text.lines, text.hidden))
    if not codes:
        raise InputError("mail.no_code", field="mail")
    if (count := len({*codes, *hidden})) > 1:
        raise InputError("mail.many_codes", field="mail", count=count)
    return ActivationCode(code=Secret(codes[0]), link=_link(text, patterns))


def credentials_in(mail: str | bytes, *, patterns: MailPatterns = DEFAULT_MAIL_PATTERNS) -> Credentials:
    """Return user name and password of a mail (steps 28 and 29).

    Args:
        mail: what a person pasted, or the bytes of an `.eml` file.
        patterns: where the values stand.

    Raises:
        InputError: there is no account (`mail.no_account`), or more than one (`mail.many_accounts`).

    """
    text = _readable(mail, patterns)
    names, passwords = (_found(which, text.lines) for which in (patterns.user_name, patterns.password))
    if not names or not passwords:
        raise InputError("mail.no_account", field="mail")
    hidden = (_found(which, text.hidden) for which in (patterns.user_name, patterns.password))
    count = max(len({*seen, *unseen}) for seen, unseen in zip((names, passwords), hidden, strict=True))
    if count > 1:
        raise InputError("mail.many_accounts", field="mail", count=count)
    return Credentials(user_name=names[0], password=Secret(passwords[0]))


def link_host(link: str) -> str:
    """Return the host that a link really leads to, for a person to see first; empty without one."""
    try:
        parts = urlsplit(link.strip())
        host = parts.hostname or ""
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"}:
        return ""
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _readable(mail: str | bytes, patterns: MailPatterns) -> MailText:
    if not isinstance(mail, str | bytes):
        raise WrongTypeError(field="mail", expected="str or bytes", got=type(mail).__name__)
    return mail_text(mail, largest=patterns.largest_mail)


def _found(patterns: Iterable[re.Pattern[str]], text: str) -> list[str]:
    """Return the different values that the patterns find: text and HTML of one mail say the same."""
    return list(dict.fromkeys(match[1] for pattern in patterns for match in pattern.finditer(text)))


def _link(text: MailText, patterns: MailPatterns) -> str:
    """Return the one address behind the link's words; empty when there is none, or several to choose from."""
    words = [without_marks(word) for word in patterns.link_words]
    named = [address for label, address in text.links if any(word in without_marks(label) for word in words)]
    links = {link for link in (*named, *_found(patterns.link, text.lines)) if link_host(link)}
    return links.pop() if len(links) == 1 else ""
