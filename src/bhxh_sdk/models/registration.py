"""The registration: one declaration for the three acts register, adjust and stop."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import Enum
from typing import Any, Literal

from attrs import Attribute, evolve, field, frozen, validators

from bhxh_sdk.errors import WrongTypeError
from bhxh_sdk.models.agency import Agency
from bhxh_sdk.models.identifiers import UnitCode  # noqa: TC001  # attrs and cattrs read the annotations at run time
from bhxh_sdk.models.organisation import Contact, Organisation
from bhxh_sdk.models.text import as_text, is_text

__all__ = [
    "Action",
    "Attachment",
    "Ivan",
    "Portal",
    "Registration",
    "ResultDelivery",
    "Stop",
    "StopReason",
]


class Action(Enum):
    """What the declaration asks for."""

    REGISTER = "register"
    ADJUST = "adjust"
    STOP = "stop"


class ResultDelivery(Enum):
    """How the organisation wants its results (the values' meaning is likely, not proven)."""

    AT_AGENCY = 0
    BY_POST = 1


class StopReason(Enum):
    """Why an organisation stops, with the codes of an I-VAN client."""

    CHANGE_NOTICE_EMAIL = 1
    CHANGE_UNIT_DATA = 2
    CHANGE_CERTIFICATE = 3
    MISSING_PROCEDURES = 4
    INCONVENIENT = 5
    POOR_SUPPORT = 6
    MOVE_TO_ANOTHER_IVAN = 7
    DISSOLVED = 8
    OTHER = 9


def _must_be(*kinds: type) -> Any:  # noqa: ANN401  # the type of attrs validators is not exported
    def check(instance: object, attribute: Attribute[Any], value: object) -> None:
        if not isinstance(value, kinds):
            expected = " or ".join(kind.__name__ for kind in kinds)
            raise WrongTypeError(
                field=f"{type(instance).__name__}.{attribute.name}",
                expected=expected,
                got=type(value).__name__,
            )

    return check


def _must_be_a_date(instance: object, attribute: Attribute[Any], value: object) -> None:
    if isinstance(value, datetime):
        raise WrongTypeError(
            field=f"{type(instance).__name__}.{attribute.name}", expected="date", got="datetime"
        )
    _must_be(date)(instance, attribute, value)


@frozen
class Portal:
    """Transact at the portal of Vietnam Social Security."""


@frozen
class Ivan:
    """Transact through an I-VAN.

    Args:
        code: the I-VAN's code, five digits as text, such as `00040`.
        name: its name; empty to take it from the catalogue.

    """

    code: str = field(converter=as_text, validator=is_text)
    name: str = field(converter=as_text, validator=is_text, default="")


@frozen(kw_only=True)
class Stop:
    """Tell from when and why electronic transactions stop.

    Args:
        from_date: the first day without them.
        reason: the reason's code; None when only a text is given.
        text: the reason in words; empty to use the reason's own words.

    """

    from_date: date | None = field(default=None, validator=validators.optional(_must_be_a_date))
    reason: StopReason | None = field(default=None, validator=validators.optional(_must_be(StopReason)))
    text: str = field(converter=as_text, validator=is_text, default="")


@frozen(kw_only=True)
class Attachment:
    """Attach a file to the declaration, such as the business licence.

    Args:
        file_name: name with its extension.
        content: the exact bytes; an XML form is signed already.
        form_code: the form's code such as `TK3-TS`, or `CT-DK` for any other document.
        description: what it is, in words.

    """

    file_name: str = field(converter=as_text, validator=is_text)
    content: bytes = field(repr=lambda content: f"<{len(content)} bytes>", validator=_must_be(bytes))
    form_code: str = field(converter=as_text, validator=is_text, default="CT-DK")
    description: str = field(converter=as_text, validator=is_text, default="")


def _as_attachments(value: Iterable[Attachment]) -> tuple[Attachment, ...]:
    """Make a tuple; leave anything else for the validator, which knows the field's name."""
    given: Any = value
    return tuple(given) if isinstance(given, Iterable) else given


def _as_action(value: Action | Literal["register", "adjust", "stop"]) -> Action:
    """Turn an action's word into it; leave anything else for the validator."""
    given: Any = value
    return Action(given) if isinstance(given, str) and given in {action.value for action in Action} else given


@frozen(kw_only=True)
class Registration:
    """Declare that an organisation registers, adjusts or stops electronic transactions.

    Source: the declaration of Decree 166/2016/NĐ-CP; steps 12 to 17 of the portal's guide; 04, 05 and 06
    of Decision 08/2015/QĐ-TTg for I-VANs.

    Args:
        agency: the managing agency.
        organisation: who registers.
        contact: whom to reach.
        transact_at: the portal or an I-VAN.
        use_certificate: whether it is signed with a certificate; otherwise it is printed and handed in on
            paper.
        action: `register`, `adjust` or `stop`.
        result_delivery: how results are wanted.
        made_on: date drawn up; None for the day it is built.
        starts_on: date from which it shall hold; None for the day it is drawn up.
        changes: what an adjustment changes, in words.
        stop: from when and why, for `stop`.
        attachments: files that go with it; a first registration needs the business licence.

    """

    agency: Agency = field(validator=_must_be(Agency))
    organisation: Organisation = field(validator=_must_be(Organisation))
    contact: Contact = field(validator=_must_be(Contact))
    transact_at: Portal | Ivan = field(factory=Portal, validator=_must_be(Portal, Ivan))
    use_certificate: bool = field(default=True, validator=_must_be(bool))
    action: Action = field(default=Action.REGISTER, converter=_as_action, validator=_must_be(Action))
    result_delivery: ResultDelivery = field(
        default=ResultDelivery.AT_AGENCY, validator=_must_be(ResultDelivery)
    )
    made_on: date | None = field(default=None, validator=validators.optional(_must_be_a_date))
    starts_on: date | None = field(default=None, validator=validators.optional(_must_be_a_date))
    changes: str = field(converter=as_text, validator=is_text, default="")
    stop: Stop | None = field(default=None, validator=validators.optional(_must_be(Stop)))
    attachments: tuple[Attachment, ...] = field(
        default=(),
        converter=_as_attachments,
        validator=validators.deep_iterable(_must_be(Attachment), _must_be(tuple)),
    )

    @property
    def is_first(self) -> bool:
        """Whether this is the registration of an employer without a unit code."""
        return self.action is Action.REGISTER and not self.organisation.has_unit_code

    @property
    def unit_code(self) -> UnitCode | None:
        """The organisation's unit code."""
        return self.organisation.unit_code

    def dated(self, today: date) -> Registration:
        """Return the registration with its empty dates filled in."""
        made_on = self.made_on or today
        return evolve(self, made_on=made_on, starts_on=self.starts_on or made_on)
