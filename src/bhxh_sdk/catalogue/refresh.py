"""Newer lists: an update names its own source and date, and can be compared before it is used."""

from __future__ import annotations

from datetime import date  # noqa: TC003  # attrs reads the annotations at run time
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from bhxh_sdk.catalogue.values import Authority, ListedIvan, Province, Ward
from bhxh_sdk.errors import InputError, WrongTypeError
from bhxh_sdk.models import Agency

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["KINDS", "Entry", "ListDifference", "ListUpdate", "Renamed", "compared", "identity", "laid_over"]

Entry = Agency | ListedIvan | Province | Ward | Authority
"""What a list that can be refreshed holds."""

KINDS: Mapping[str, type[Entry]] = {
    "agencies": Agency,
    "ivans": ListedIvan,
    "provinces": Province,
    "wards": Ward,
    "authorities": Authority,
}


def _as_rows(rows: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(rows)


@frozen(kw_only=True)
class ListUpdate:
    """Bring newer rows for one list, for example from the portal.

    Args:
        list_name: `agencies`, `ivans`, `provinces`, `wards` or `authorities`.
        rows: `Agency`, `ListedIvan`, `Province`, `Ward` or `Authority` values, as the list wants.
        source: where they come from.
        as_of: the day on which they were true.
        complete: whether they are the whole list; otherwise they are laid over the older rows.

    Raises:
        InputError: there is no such list.
        WrongTypeError: a row is not what the list holds.

    """

    list_name: str
    rows: tuple[Any, ...] = field(converter=_as_rows)
    source: str
    as_of: date
    complete: bool = False

    def __attrs_post_init__(self) -> None:
        kind = KINDS.get(self.list_name)
        if kind is None:
            raise InputError("catalogue.no_such_list", field="list_name", value=str(self.list_name))
        for position, row in enumerate(self.rows):
            if not isinstance(row, kind):
                raise WrongTypeError(
                    field=f"rows[{position}]", expected=kind.__name__, got=type(row).__name__
                )


@frozen
class Renamed:
    """An entry that has another name now."""

    code: str
    old_name: str
    new_name: str


@frozen(kw_only=True)
class ListDifference:
    """Tell what an update changes in a list, by code.

    Args:
        list_name: the list.
        added: codes that are new.
        removed: codes that are gone; only a complete update removes any.
        renamed: codes with another name.

    """

    list_name: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    renamed: tuple[Renamed, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything changes."""
        return bool(self.added or self.removed or self.renamed)


def identity(entry: Entry) -> str:
    """Return what makes an entry the same one in another list: its code, or an authority's name.

    The 63 provinces keep their codes apart from those of the 34.
    """
    if isinstance(entry, Authority):
        return entry.name
    if isinstance(entry, Province):
        return f"{entry.code}/{entry.generation}"
    return str(entry.code)


def laid_over(older: Iterable[Any], update: ListUpdate) -> tuple[Any, ...]:
    """Return the rows of a list after an update."""
    if update.complete:
        return update.rows
    newer = {identity(row) for row in update.rows}
    return (*(row for row in older if identity(row) not in newer), *update.rows)


def compared(list_name: str, older: Iterable[Entry], newer: Iterable[Entry]) -> ListDifference:
    """Return what has changed from one state of a list to another."""
    old = {identity(row): row.name for row in older}
    new = {identity(row): row.name for row in newer}
    return ListDifference(
        list_name=list_name,
        added=tuple(code for code in new if code not in old),
        removed=tuple(code for code in old if code not in new),
        renamed=tuple(
            Renamed(code, old[code], name) for code, name in new.items() if old.get(code, name) != name
        ),
    )
