"""Who is registered already, compared with who files now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk.models import Action
from bhxh_sdk.sandbox.reasons import Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bhxh_sdk.models import Registration
    from bhxh_sdk.sandbox.case import Case
    from bhxh_sdk.sandbox.settings import AgencySettings

__all__ = ["check_holders"]


def check_holders(
    form: Registration, channel: str, holders: Mapping[str, Case], settings: AgencySettings
) -> None:
    """Compare a filing with who is registered.

    Args:
        form: what is filed.
        channel: where it comes in.
        holders: the case that holds for each unit code.
        settings: whether a unit may be at several places, and an address serve several.

    Raises:
        Refusal: the unit is registered already, or is not registered here, or another unit is in the way.

    """
    holder = holders.get(str(form.unit_code or ""))
    if form.action is not Action.REGISTER:
        if holder is None or holder.channel != channel:
            raise Refusal(Reason.NOT_REGISTERED)
    elif holder is not None and (settings.exclusive or holder.channel == channel):
        raise Refusal(Reason.ALREADY_REGISTERED)
    tax_code, email = str(form.organisation.tax_code), str(form.contact.email)
    if form.is_first and any(case.tax_code == tax_code for case in holders.values()):
        raise Refusal(Reason.TAX_CODE_EXISTS)
    taken = any(case.email == email and case.tax_code != tax_code for case in holders.values())
    if settings.one_unit_per_email and taken:
        raise Refusal(Reason.EMAIL_EXISTS)
