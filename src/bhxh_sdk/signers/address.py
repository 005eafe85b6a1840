"""Addresses of signers: a text such as `softkey:key.p12?password-env=NAME`, taken apart."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from attrs import field, frozen

from bhxh_sdk.errors import InputError, SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bhxh_sdk.ports import Ask, Clock, Sender

__all__ = ["SignerAddress", "demand_no_secret", "plain_name"]

# Two letters at least: `C:\keys\a.p12` is a file on a drive.
_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]+", re.IGNORECASE)
_DRIVE_AFTER_SLASH = re.compile(r"/[a-z]:(?:[/\\]|$)", re.IGNORECASE)
_RFC_7512_PIN = re.compile("pin-(?:value|source)", re.IGNORECASE)
_PLAIN_NAME = re.compile(r"[a-z\-]{1,40}")
_SECRET_OPTION = re.compile(r"pass(?:word|wd|phrase)?|pwd|pin|otp|token|.*secret", re.IGNORECASE)


@frozen(kw_only=True)
class SignerAddress:
    """Hold the parts of a signer's address, and what an opener may need besides.

    Args:
        scheme: the backend's name, in lower case.
        path: what follows the scheme, percent-decoded.
        raw_path: the same as it was written, for schemes whose parts are decoded one by one.
        options: the decoded options behind `?`. None of them is a secret.
        base_dir: the folder that relative paths start from.
        ask: whom to ask for a password; None for nobody.
        clock: time; None where there is none.
        senders: makes what sends requests, for signers on the network: `HttpSender`, or a callable with its
            arguments; None where there is none.

    """

    scheme: str
    path: str
    raw_path: str = ""
    options: Mapping[str, str] = field(factory=dict, hash=False)
    base_dir: Path = field(factory=Path)
    ask: Ask | None = field(default=None, repr=False)
    clock: Clock | None = field(default=None, repr=False)
    senders: Callable[..., Sender] | None = field(default=None, repr=False)

    @classmethod
    def parse(
        cls,
        uri: str,
        *,
        base_dir: Path | None = None,
        ask: Ask | None = None,
        clock: Clock | None = None,
        senders: Callable[..., Sender] | None = None,
    ) -> SignerAddress:
        """Take an address apart.

        Raises:
            SetupError: it has no scheme.
            InputError: an option stands there twice, or would hold a secret (whose value is not shown).

        """
        scheme, colon, rest = uri.partition(":")
        if not colon or not _SCHEME.fullmatch(scheme):
            raise SetupError("signing.no_scheme")
        path, _, query = rest.partition("?")
        return cls(
            scheme=scheme.lower(),
            path=_plain_path(path),
            raw_path=path,
            options=_options(query),
            base_dir=base_dir or Path(),
            ask=ask,
            clock=clock,
            senders=senders,
        )

    def file(self, path: str) -> Path:
        """Return a path as a file: `~` is the home folder, a relative path starts at `base_dir`.

        Raises:
            InputError: there is no path, or no home folder to put in place of `~`.

        """
        if not path:
            raise InputError("signing.no_path", field="signer", scheme=self.scheme)
        try:
            return self.base_dir / Path(path).expanduser()
        except RuntimeError as error:
            raise InputError("signing.no_home", field="signer", name=path) from error

    def only(self, *names: str) -> None:
        """Refuse options that are not among these.

        Raises:
            InputError: there is another option; its value is not shown.

        """
        for name in self.options.keys() - set(names):
            raise InputError(
                "signing.unknown_option",
                field="signer",
                name=plain_name(name, self.options[name]),
                scheme=self.scheme,
                known=", ".join(names),
            )


def _plain_path(path: str) -> str:
    """Decode a path; `softkey:///a/b` and `softkey:///C:/a` are taken as `/a/b` and `C:/a`."""
    if path.startswith("///"):
        path = path[2:]
    path = unquote(path)
    return path[1:] if _DRIVE_AFTER_SLASH.match(path) else path


def _options(query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        name = unquote(name).strip().lower()
        demand_no_secret(name)
        if name in options:
            raise InputError("signing.doubled_option", field="signer", name=plain_name(name, value))
        options[name] = unquote(value)
    return options


def demand_no_secret(name: str) -> None:
    """Refuse an option that would hold a secret, whose value is not shown.

    Raises:
        InputError: it would.

    """
    if _RFC_7512_PIN.fullmatch(name):
        raise InputError("pin.in_address", field="signer", name=name)
    if _SECRET_OPTION.fullmatch(name):
        raise InputError("signing.secret_in_uri", field="signer", name=name)


def plain_name(name: str, value: object) -> str:
    """Return a name for people to see; empty for what may be a secret that stands where a name should be."""
    return name if value and _PLAIN_NAME.fullmatch(name) else ""
