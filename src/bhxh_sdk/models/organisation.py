"""The organisation that registers, and the person to reach there."""

from __future__ import annotations

from attrs import field, frozen
from attrs.converters import optional

from bhxh_sdk.models.identifiers import EmailAddress, MobileNumber, TaxCode, UnitCode, identifier_field
from bhxh_sdk.models.text import text_field

__all__ = ["Contact", "Organisation"]


def _as_unit_code(value: object) -> UnitCode | None:
    """Take an empty code for no code: forms and spreadsheets write it so."""
    code = value if isinstance(value, UnitCode) else UnitCode(value)  # type: ignore[arg-type]  # a wrong type is refused by the identifier itself
    return code or None


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

    name: str = text_field()
    tax_code: TaxCode = identifier_field(TaxCode)
    unit_code: UnitCode | None = field(default=None, converter=optional(_as_unit_code))
    address: str = text_field(default="")
    phone: str = text_field(default="")

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

    name: str = text_field()
    address: str = text_field(default="")
    mobile: MobileNumber = identifier_field(MobileNumber, default="")
    email: EmailAddress = identifier_field(EmailAddress, default="")
