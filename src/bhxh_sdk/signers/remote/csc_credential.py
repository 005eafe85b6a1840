"""Credentials of a CSC service: what `credentials/info` says, and what a person has to enter for them.

Source: CSC API 1.0.4 and 2.0, credentials/info. Numbers and truth values also come as text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from bhxh_sdk.errors import CertificateUnusableError
from bhxh_sdk.models import CertificateInfo, SignatureScheme
from bhxh_sdk.signers.contract import SigningCertificate
from bhxh_sdk.signers.remote.csc_expression import chosen
from bhxh_sdk.signers.remote.reading import as_number, as_text, certificate_of, word
from bhxh_sdk.signers.verdicts import Meaning, Verdict, verdict_error

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SHA256", "Credential", "Entry", "algorithm_of", "credential_of"]

SHA256 = "2.16.840.1.101.3.4.2.1"
_RSA = "1.2.840.113549.1.1.1"
_SHA256_RSA = "1.2.840.113549.1.1.11"
_SHA256_ECDSA = "1.2.840.10045.4.3.2"
_UNUSABLE = frozenset({"REVOKED", "SUSPENDED"})  # that it has expired is told by its dates
_SECRETS = {"PIN": "pin", "OTP": "otp", "PASSWORD": "password"}


@frozen(kw_only=True)
class Entry:
    """Something that a person enters.

    Args:
        secret: its name in the profile: `pin`, `otp`, `password`; empty for a kind that is not known.
        place: the member of `authorize` (v1), or the id in `authData` (v2).
        label: what it is, for people.
        sent: whether it comes only when asked for.

    """

    secret: str
    place: str
    label: str = ""
    sent: bool = False


@frozen(kw_only=True)
class Credential:
    """What the service says of a credential.

    Args:
        name: the provider's id.
        certificate: the certificate; None where it cannot be read.
        obstacle: the provider's word for why it cannot sign now, such as `disabled`; empty for none.
        mode: `implicit`, `explicit` or `oauth2code`.
        algorithms: OIDs of what it signs with; none where the service does not tell.
        most: the most hashes in one authorisation; 0 where the service does not tell.
        entries: what a person has to enter.

    """

    name: str
    certificate: CertificateInfo | None
    obstacle: str = ""
    mode: str = "implicit"
    algorithms: frozenset[str] = frozenset()
    most: int = 0
    entries: tuple[Entry, ...] = ()

    def listed(self, *, has_key: bool) -> SigningCertificate | None:
        """Return it as signers list certificates; None where there is no certificate."""
        if self.certificate is None:
            return None
        return SigningCertificate(certificate=self.certificate, key_id=self.name, has_private_key=has_key)

    def demand_usable(self, reference: str) -> None:
        """Refuse a credential that cannot sign, before anybody is asked.

        Raises:
            CertificateUnusableError: its key is disabled, or its certificate revoked or suspended.

        """
        if self.obstacle:
            raise verdict_error(Meaning(Verdict.CERTIFICATE), text=self.obstacle, reference=reference)
        for entry in self.entries:
            if not entry.secret:
                raise CertificateUnusableError(
                    "remote.unknown_confirmation", reference=reference, name=entry.label
                )


def credential_of(name: str, answer: Mapping[str, Any], *, ask_optional: bool = False) -> Credential:
    """Read an answer of `credentials/info`, of either version.

    Args:
        name: the credential's id.
        answer: the answer.
        ask_optional: whether what is optional is asked for.

    """
    key, certificate, auth = (_part(answer, member) for member in ("key", "cert", "auth"))
    return Credential(
        name=name,
        certificate=_certificate(certificate.get("certificates")),
        obstacle=_obstacle(key, certificate),
        mode=as_text(auth.get("mode") or answer.get("authMode")).lower() or "implicit",
        algorithms=frozenset(as_text(item) for item in _list(key.get("algo"))),
        most=int(max(0, as_number(answer.get("multisign")) or 0)),
        entries=_objects(auth) if auth else _members(answer, ask_optional=ask_optional),
    )


def algorithm_of(credential: Credential, scheme: SignatureScheme) -> tuple[str, bool]:
    """Return the OID of the algorithm to sign with, and whether the hash has to be named beside it."""
    if scheme is SignatureScheme.ECDSA:
        return _SHA256_ECDSA, False
    if _SHA256_RSA in credential.algorithms or not credential.algorithms:
        return _SHA256_RSA, False
    return _RSA, True


def _obstacle(key: Mapping[str, Any], certificate: Mapping[str, Any]) -> str:
    if word(key.get("status")) == "DISABLED":
        return "disabled"
    status = certificate.get("status")
    return as_text(status) if word(status) in _UNUSABLE else ""


def _certificate(texts: Any) -> CertificateInfo | None:  # noqa: ANN401  # foreign JSON
    """Return the first certificate, which is the signer's."""
    return certificate_of(next(iter(_list(texts)), None))


def _members(answer: Mapping[str, Any], *, ask_optional: bool) -> tuple[Entry, ...]:
    """Return what version 1 asks for: a PIN, a one-time code, or both."""
    wanted = {"TRUE", "OPTIONAL"} if ask_optional else {"TRUE"}
    found = []
    for member in ("PIN", "OTP"):
        asked = _part(answer, member)
        if word(asked.get("presence")) in wanted:
            label = as_text(asked.get("label") or asked.get("description"))
            sent = word(asked.get("type")) == "ONLINE"
            found.append(Entry(secret=_SECRETS[member], place=member, label=label, sent=sent))
    return tuple(found)


def _objects(auth: Mapping[str, Any]) -> tuple[Entry, ...]:
    """Return what version 2 asks for: the objects that its expression needs."""
    entries = {}
    for item in _list(auth.get("objects")):
        if isinstance(item, dict) and (place := as_text(item.get("id"))):
            label = as_text(item.get("label") or item.get("description")) or place
            secret = _SECRETS.get(word(place)) or _SECRETS.get(word(item.get("type")), "")
            entries[place] = Entry(secret=secret, place=place, label=label)
    return tuple(entries[place] for place in chosen(as_text(auth.get("expression")), tuple(entries)))


def _part(answer: Mapping[str, Any], member: str) -> Mapping[str, Any]:
    value = answer.get(member)
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:  # noqa: ANN401  # foreign JSON
    return value if isinstance(value, list) else []
