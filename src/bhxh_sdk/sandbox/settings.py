"""What may be set about the sandbox's agency: everything that no source proves about the real one."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # attrs reads the annotations at run time
from datetime import timedelta

from attrs import field, frozen

__all__ = ["AgencySettings", "KnownUnit"]


@frozen(kw_only=True)
class KnownUnit:
    """What the agency knows about a unit code.

    Args:
        agency_code: the agency that manages the unit.
        tax_code: the unit's tax code; empty to accept any.
        name: the unit's name; empty to accept any.

    """

    agency_code: str
    tax_code: str = ""
    name: str = ""


@frozen(kw_only=True)
class AgencySettings:
    """How the agency behaves.

    Args:
        known_units: what the agency knows by unit code; None to know every unit.
        refuse_at_once: whether what is wrong with a registration's facts is answered at once; otherwise the
            filing is taken and refused later, with a mail. A document that cannot be read or trusted is
            always refused at once.
        activation_before_decision: whether the activation code is mailed before the agency has decided.
        decided_after: how long the agency takes to decide; None to wait for `decide`.
        first_decided_after: the same for an employer without a unit code.
        numbered_after: how long a filing waits for its dossier number; with zero the next question shows it.
        code_alphabet: the characters of activation codes.
        code_length: how long activation codes are.
        code_lifetime: how long an activation code is good.
        tries: how many wrong codes are borne before the code is dead.
        activation_for_ivans: whether registrations through an I-VAN are activated by code too.
        exclusive: whether a unit transacts at one place only.
        one_unit_per_email: whether an e-mail address serves one tax code only.
        unusable_emails: addresses that the agency cannot reach.
        activation_link: the address behind «(bấm vào đây)».
        sender: who the mails come from.

    """

    known_units: Mapping[str, KnownUnit] | None = field(default=None, hash=False)
    refuse_at_once: bool = True
    activation_before_decision: bool = True
    decided_after: timedelta | None = timedelta()
    first_decided_after: timedelta | None = timedelta(days=2)
    numbered_after: timedelta = timedelta()
    code_alphabet: str = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    code_length: int = 8
    code_lifetime: timedelta = timedelta(hours=24)
    tries: int = 5
    activation_for_ivans: bool = True
    exclusive: bool = True
    one_unit_per_email: bool = False
    unusable_emails: frozenset[str] = frozenset()
    activation_link: str = "http://127.0.0.1/sandbox/kich-hoat"
    sender: str = "Cổng BHXH thử nghiệm (sandbox) <no-reply@sandbox.example>"
