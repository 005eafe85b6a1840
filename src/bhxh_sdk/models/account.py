"""The account that a registration leads to: activation code, credentials, session."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  # attrs and cattrs read the annotations at run time

from attrs import field, frozen

from bhxh_sdk.secret import Secret  # noqa: TC001  # attrs and cattrs read the annotations at run time

__all__ = ["Account", "ActivationCode", "Credentials", "Session", "Unit"]


@frozen(kw_only=True)
class ActivationCode:
    """The code mailed after a registration (mã kích hoạt).

    Args:
        code: the code itself.
        link: the address behind «(bấm vào đây)», as received; it is shown, never followed.

    """

    code: Secret
    link: str = field(default="", repr=False)


@frozen(kw_only=True)
class Account:
    """The account that activation made.

    Args:
        user_name: the name to log in with; empty when it comes by e-mail.
        credentials_by_mail: whether user name and password come by e-mail.

    """

    user_name: str = ""
    credentials_by_mail: bool = True


@frozen(kw_only=True)
class Credentials:
    """User name and password of an account."""

    user_name: str
    password: Secret


@frozen(kw_only=True)
class Unit:
    """A unit that a log-in may act for.

    Args:
        unit_code: BHXH unit code as received.
        name: unit name.
        tax_code: tax code as received.
        agency_code: managing agency as received.
        internal_id: the other side's own id, as text.

    """

    unit_code: str
    name: str = ""
    tax_code: str = ""
    agency_code: str = ""
    internal_id: str = ""


@frozen(kw_only=True)
class Session:
    """A log-in that is open.

    Args:
        user_name: who is logged in.
        token: the bearer token.
        expires_at: when it ends, None when the other side does not say; it cannot be renewed without a new
            log-in.
        units: every unit that the log-in may act for.
        unit: the unit chosen.
        must_change_password: whether the other side asks for a new password first.
        client_header: the encrypted client header that goes with the token, if any.

    """

    user_name: str
    token: Secret
    expires_at: datetime | None = None
    units: tuple[Unit, ...] = ()
    unit: Unit | None = None
    must_change_password: bool = False
    client_header: str = field(default="", repr=False)
