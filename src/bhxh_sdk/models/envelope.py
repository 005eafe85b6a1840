"""The envelope of an ordinary dossier: who files which procedure, and the signed files that go with it."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from attrs import Attribute, evolve, field, frozen, validators

from bhxh_sdk.errors import WrongTypeError
from bhxh_sdk.models.identifiers import (
    AgencyCode,
    TaxCode,
    UnitCode,
    as_agency_code,
    as_tax_code,
    as_unit_code,
)
from bhxh_sdk.models.registration import Attachment, Ivan
from bhxh_sdk.models.text import as_text, is_text, normalised

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DossierEnvelope", "without_decree_number"]

_DECREE_NUMBER = re.compile(r"[-_](?:595|959|166)$")


def without_decree_number(code: str) -> str:
    """Return a procedure's or form's code without the number of its decree: `600-595` gives `600`.

    Source: the suffixes that I-VAN clients take off before they write a code.
    """
    return _DECREE_NUMBER.sub("", code)


def _as_code(value: object) -> Any:  # noqa: ANN401  # a wrong type is left for the validator, which knows the field's name
    return without_decree_number(normalised(value)) if isinstance(value, str) else value


def _as_unit_code(value: str | UnitCode | None) -> UnitCode | None:
    return None if value is None else as_unit_code(value) or None


def _as_files(files: Iterable[Attachment]) -> tuple[Attachment, ...]:
    files = tuple(files)
    for file in files:
        if not isinstance(file, Attachment):
            raise WrongTypeError(
                field="DossierEnvelope.files", expected="Attachment", got=type(file).__name__
            )
    return tuple(evolve(file, form_code=without_decree_number(file.form_code)) for file in files)


def _as_month(value: object) -> Any:  # noqa: ANN401  # as _as_code
    return value.replace(day=1) if isinstance(value, date) and not isinstance(value, datetime) else value


def _must_be(kind: type) -> Any:  # noqa: ANN401  # the type of attrs validators is not exported
    def check(_instance: object, attribute: Attribute[Any], value: object) -> None:
        # A datetime is a date to Python, and no date to a form.
        if not isinstance(value, kind) or isinstance(value, datetime):
            got = type(value).__name__
            raise WrongTypeError(field=f"DossierEnvelope.{attribute.name}", expected=kind.__name__, got=got)

    return check


@frozen(kw_only=True)
class DossierEnvelope:
    """Wrap the files of one dossier, `BHXHDienTu.xml`.

    Args:
        ivan: the I-VAN that carries the dossier, with its full name.
        organisation_name: name of the unit.
        unit_code: its BHXH unit code.
        tax_code: its tax code.
        signer_name: who signs for it.
        phone: its telephone.
        agency_code: the managing agency.
        procedure_name: name of the procedure.
        procedure_code: its code, such as `600`; the suffixes `-595`, `-959` and `-166` are taken off.
        period: any day of the month that it is about; kept as the first.
        made_on: date drawn up; None for the day it is built.
        files: the files, signed already.

    """

    ivan: Ivan = field(validator=_must_be(Ivan))
    organisation_name: str = field(converter=as_text, validator=is_text)
    unit_code: UnitCode | None = field(default=None, converter=_as_unit_code)
    tax_code: TaxCode = field(converter=as_tax_code)
    signer_name: str = field(converter=as_text, validator=is_text, default="")
    phone: str = field(converter=as_text, validator=is_text, default="")
    agency_code: AgencyCode = field(converter=as_agency_code)
    procedure_name: str = field(converter=as_text, validator=is_text, default="")
    procedure_code: str = field(converter=_as_code, validator=_must_be(str))
    period: date = field(converter=_as_month, validator=_must_be(date))
    made_on: date | None = field(default=None, validator=validators.optional(_must_be(date)))
    files: tuple[Attachment, ...] = field(default=(), converter=_as_files)

    @property
    def file_count(self) -> int:
        """How many files it holds."""
        return len(self.files)
