"""The organisation that registers, and the person to reach there."""

from __future__ import annotations

from attrs import field, frozen

from bhxh_sdk.models.identifiers import (
    EmailAddress,
    MobileNumber,
    TaxCode,
    UnitCode,
    as_email_address,
    as_mobile_number,
    as_tax_code,
    as_unit_code,
)
from bhxh_sdk.models.text import as_text, is_text

__all__ = ["Contact", "Organisation"]

_NO_MOBILE = MobileNumber("")
_NO_EMAIL = EmailAddress("")


def _unit_code_or_none(value: str | UnitCode | None) -> UnitCode | None:
    """Take an empty code for no code: forms and spreadsheets write it so."""
    return None if value is None else as_unit_code(value) or None


@frozen(kw_only=True)
class Organisation:
    """Name an organisation that takes part in social insurance.

    Args:
        name: full name, as on the business licence and in the certificate.
        tax_code: 10 digits, 10 and 3 for a branch, or 12 for a household business.
        unit_code: the BHXH unit code; None for an employer that has none yet (first registration).
        address: registered address.
        phone: the organisation's telephone, any kind of number; empty to use the contact's mobile.

    """

    name: str = field(converter=as_text, validator=is_text)
    tax_code: TaxCode = field(converter=as_tax_code)
    unit_code: UnitCode | None = field(default=None, converter=_unit_code_or_none)
    address: str = field(converter=as_text, validator=is_text, default="")
    phone: str = field(converter=as_text, validator=is_text, default="")

    @property
    def has_unit_code(self) -> bool:
        """Whether the agency has given the organisation a unit code already."""
        return self.unit_code is not None


@frozen(kw_only=True)
class Contact:
    """Name the person in charge of social insurance and how to reach them.

    Args:
        name: full name.
        address: contact address: street line, ward, province.
        mobile: Vietnamese mobile number.
        email: the address that receives the activation code and the account.

    """

    name: str = field(converter=as_text, validator=is_text)
    address: str = field(converter=as_text, validator=is_text, default="")
    mobile: MobileNumber = field(converter=as_mobile_number, default=_NO_MOBILE)
    email: EmailAddress = field(converter=as_email_address, default=_NO_EMAIL)
