"""Identifiers: what a person typed, normalised, parsed and judged, never refused.

An identifier keeps whatever text it was given. Its properties tell what it is and what is wrong with it, so
that `check` can report every mistake of a form at once.
"""

from __future__ import annotations

import re
from enum import Enum

import phonenumbers
from attrs import frozen
from email_validator import EmailNotValidError, validate_email
from stdnum.exceptions import ValidationError
from stdnum.vn import mst

from bhxh_sdk.errors import WrongTypeError
from bhxh_sdk.models.text import normalised

__all__ = [
    "AgencyCode",
    "EmailAddress",
    "Identifier",
    "MobileNumber",
    "PersonalId",
    "TaxCode",
    "TaxCodeKind",
    "UnitCode",
    "as_agency_code",
    "as_email_address",
    "as_mobile_number",
    "as_tax_code",
    "as_unit_code",
]


@frozen
class Identifier:
    """Hold the text of an identifier in its usual written form.

    Args:
        value: what was typed. Separators and case are brought to the usual form; nothing else is changed.

    Raises:
        WrongTypeError: the value is not text.

    """

    value: str

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.value, str):
            raise WrongTypeError(field=type(self).__name__, expected="str", got=type(self.value).__name__)
        object.__setattr__(self, "value", self._usual_form(normalised(self.value)))

    @staticmethod
    def _usual_form(text: str) -> str:
        return text

    @property
    def is_well_formed(self) -> bool:
        """Whether the text has the shape that such identifiers are known to have."""
        return bool(self.value)

    def __str__(self) -> str:
        return self.value

    def __bool__(self) -> bool:
        return bool(self.value)


def _without_separators(text: str) -> str:
    return re.sub(r"[\s.\-]", "", text)


class TaxCodeKind(Enum):
    """What a tax code stands for."""

    ORGANISATION = "organisation"
    BRANCH = "branch"
    PERSON = "person"
    OTHER = "other"


@frozen
class TaxCode(Identifier):
    """A tax code (mã số thuế): 10 digits, 10 and 3 for a branch, or the 12 digits of a personal id.

    Source: Circular 90/2026/TT-BTC, Art. 5. The check digit's formula agrees in two packages; no law text for
        it was
    found, so rules treat a wrong check digit as a warning.
    """

    @staticmethod
    def _usual_form(text: str) -> str:
        digits = _without_separators(text)
        return f"{digits[:10]}-{digits[10:]}" if re.fullmatch(r"[0-9]{13}", digits) else digits

    @property
    def kind(self) -> TaxCodeKind:
        """What the code stands for, by its shape alone."""
        if re.fullmatch(r"[0-9]{10}", self.value):
            return TaxCodeKind.ORGANISATION
        if re.fullmatch(r"[0-9]{10}-[0-9]{3}", self.value):
            return TaxCodeKind.BRANCH
        if re.fullmatch(r"[0-9]{12}", self.value):
            return TaxCodeKind.PERSON
        return TaxCodeKind.OTHER

    @property
    def is_well_formed(self) -> bool:
        """Whether it has 10, 10 and 3, or 12 digits."""
        return self.kind is not TaxCodeKind.OTHER

    @property
    def check_digit_fits(self) -> bool:
        """Whether the check digit is right; a 12-digit code has none and always fits."""
        if self.kind is TaxCodeKind.PERSON:
            return True
        try:
            mst.validate(self.value)
        except ValidationError:
            return False
        return True

    @property
    def organisation(self) -> str:
        """The code of the whole organisation: a branch's first ten digits, else the code itself."""
        return self.value[:10] if self.kind is TaxCodeKind.BRANCH else self.value

    @property
    def masked(self) -> str:
        """The code fit for a log: a 12-digit one is personal data and shows its last three digits only."""
        return "*" * 9 + self.value[-3:] if self.kind is TaxCodeKind.PERSON else self.value


@frozen
class UnitCode(Identifier):
    """A unit code (mã đơn vị tham gia BHXH).

    Until August 2026: two letters, four letters or digits, one letter. The format of the code set used since
    September 2026 is not public, so any other shape is only worth a warning.
    """

    @staticmethod
    def _usual_form(text: str) -> str:
        return _without_separators(text).upper()

    @property
    def is_well_formed(self) -> bool:
        """Whether it has the shape used until August 2026."""
        return re.fullmatch(r"[A-Z]{2}[0-9A-Z]{4}[A-Z]", self.value) is not None


@frozen
class AgencyCode(Identifier):
    """The code of a BHXH agency: 5 digits for a managing office, 3 for a province-level one, always text."""

    @staticmethod
    def _usual_form(text: str) -> str:
        return _without_separators(text)

    @property
    def is_well_formed(self) -> bool:
        """Whether it has 3 to 5 digits, the lengths met in documents."""
        return re.fullmatch(r"[0-9]{3,5}", self.value) is not None


@frozen
class PersonalId(Identifier):
    """A personal identification number (số định danh cá nhân, căn cước): 12 digits without a check digit."""

    @staticmethod
    def _usual_form(text: str) -> str:
        return _without_separators(text)

    @property
    def is_well_formed(self) -> bool:
        """Whether it has 12 digits."""
        return re.fullmatch(r"[0-9]{12}", self.value) is not None

    def __repr__(self) -> str:
        return f"PersonalId('*********{self.value[-3:]}')"


@frozen
class MobileNumber(Identifier):
    """A Vietnamese mobile number, written with ten digits from 0; `+84` and `84` in front are understood."""

    @staticmethod
    def _usual_form(text: str) -> str:
        digits = re.sub(r"[\s.\-()]", "", text)
        international = re.fullmatch(r"(?:\+|00)?84([0-9]{9})", digits)
        return f"0{international[1]}" if international else digits

    @property
    def is_well_formed(self) -> bool:
        """Whether it is a number of a Vietnamese mobile range."""
        if not re.fullmatch(r"0[0-9]{9}", self.value):
            return False
        number = phonenumbers.parse(self.value, "VN")
        return phonenumbers.number_type(number) is phonenumbers.PhoneNumberType.MOBILE


@frozen
class EmailAddress(Identifier):
    """An e-mail address. It is judged by its form alone; nothing is looked up on a network."""

    @property
    def is_well_formed(self) -> bool:
        """Whether it is one mail address by the rules of e-mail."""
        try:
            validate_email(self.value, check_deliverability=False, test_environment=True)
        except EmailNotValidError:
            return False
        return True


def as_tax_code(value: str | TaxCode) -> TaxCode:
    """Return a `TaxCode` for text; anything else raises `WrongTypeError`."""
    return value if isinstance(value, TaxCode) else TaxCode(value)


def as_unit_code(value: str | UnitCode) -> UnitCode:
    """Return a `UnitCode` for text; anything else raises `WrongTypeError`."""
    return value if isinstance(value, UnitCode) else UnitCode(value)


def as_agency_code(value: str | AgencyCode) -> AgencyCode:
    """Return an `AgencyCode` for text; anything else raises `WrongTypeError`."""
    return value if isinstance(value, AgencyCode) else AgencyCode(value)


def as_mobile_number(value: str | MobileNumber) -> MobileNumber:
    """Return a `MobileNumber` for text; anything else raises `WrongTypeError`."""
    return value if isinstance(value, MobileNumber) else MobileNumber(value)


def as_email_address(value: str | EmailAddress) -> EmailAddress:
    """Return an `EmailAddress` for text; anything else raises `WrongTypeError`."""
    return value if isinstance(value, EmailAddress) else EmailAddress(value)
