"""The catalogue: every code list, looked up as of a date and searched by name."""

from __future__ import annotations

from datetime import date
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import evolve, field, frozen

from bhxh_sdk.catalogue import rows
from bhxh_sdk.catalogue.files import read_rows, read_sources
from bhxh_sdk.catalogue.refresh import ListDifference, ListUpdate, compared, laid_over
from bhxh_sdk.catalogue.search import ranked, similar
from bhxh_sdk.catalogue.values import Authority, ListedIvan, ListSource, Province, ProvinceMerge, Ward
from bhxh_sdk.errors import UnknownCodeError, WrongTypeError
from bhxh_sdk.models import Agency, AgencyCode, Certainty, Ivan
from bhxh_sdk.models.text import normalised

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bhxh_sdk.catalogue.search import Keys

__all__ = ["Catalogue"]


T = TypeVar("T")

_READERS: Mapping[str, Callable[[Any], tuple[Any, ...]]] = {
    "agencies": rows.agencies,
    "ivans": rows.ivans,
    "provinces": rows.provinces,
    "province_merges": rows.province_merges,
    "wards": rows.wards,
    "authorities": rows.authorities,
}


@cache
def _shipped_list(name: str) -> tuple[Any, ...]:
    return _READERS[name](read_rows(name))


@frozen(kw_only=True)
class Catalogue:
    """Look up and search agencies, I-VANs, provinces, wards and certification authorities.

    It is a value: the shipped lists and the updates laid over them. A shipped list is read when first asked
    for. Any look-up raises `SetupError` when a shipped file is missing or changed.

    Args:
        updates: newer rows, oldest first; use `refreshed` to add some.

    """

    updates: tuple[ListUpdate, ...] = field(default=())

    # Agencies

    @cached_property
    def _agencies(self) -> tuple[Agency, ...]:
        return self._current("agencies")

    def agencies(self) -> tuple[Agency, ...]:
        """Return every agency, those of the past included."""
        return self._agencies

    def agency(self, code: str | AgencyCode, on: date | None = None) -> Agency:
        """Return an agency by its code.

        Args:
            code: 3 to 5 digits as text, such as `07906`.
            on: the day that counts. An agency is left out only when it is proven not to be in force then;
                where its dates are not proven, look at `validity_certainty`.

        Raises:
            UnknownCodeError: no agency has the code, or none had it on that day.

        """
        wanted = code if isinstance(code, AgencyCode) else AgencyCode(code)
        found = [agency for agency in self._agencies if agency.code == wanted]
        best = _as_of(found, on)
        if best is None:
            raise _unknown("agency.code", wanted.value, self._agencies, _agency_keys)
        return best

    def find_agencies(self, text: str, on: date | None = None, limit: int = 10) -> tuple[Agency, ...]:
        """Search agencies by code or name, marks and small misspellings aside, best match first.

        Args:
            text: part of a code or name: `binh thanh` finds 07906.
            on: leaves out those proven not to be in force that day.
            limit: how many at most.

        """
        return ranked(text, (row for row in self._agencies if _possible(row, on)), _agency_keys, limit)

    # I-VANs

    @cached_property
    def _ivans(self) -> tuple[ListedIvan, ...]:
        return self._current("ivans")

    def ivans(self) -> tuple[Ivan, ...]:
        """Return every I-VAN of the portal's list."""
        return tuple(row.ivan for row in self._ivans)

    def ivan(self, code: str) -> Ivan:
        """Return an I-VAN by its five-digit code.

        Raises:
            UnknownCodeError: no I-VAN has the code.

        """
        return self.listed_ivan(code).ivan

    def listed_ivan(self, code: str) -> ListedIvan:
        """Return all that the list tells about an I-VAN.

        Raises:
            UnknownCodeError: no I-VAN has the code.

        """
        return _only("transact_at.code", code, self._ivans, _keys)

    def find_ivans(self, text: str, limit: int = 10) -> tuple[Ivan, ...]:
        """Search I-VANs by code or name, best match first."""
        return tuple(row.ivan for row in ranked(text, self._ivans, _keys, limit))

    # Provinces and wards

    @cached_property
    def _provinces(self) -> tuple[Province, ...]:
        return self._current("provinces")

    def provinces(self, on: date | None = None) -> tuple[Province, ...]:
        """Return the provinces of a day; without one those of today and those of the past."""
        return tuple(row for row in self._provinces if on is None or row.in_force_on(on))

    def province(self, code: str, on: date | None = None) -> Province:
        """Return a province by its two-digit code.

        Args:
            code: as text; one code may have meant another province before July 2025.
            on: the day that counts; None for the newest province of that code.

        Raises:
            UnknownCodeError: no province has the code, or none had it on that day; for one that was merged
                the error's code is `catalogue.merged` and its parameters name today's province.

        """
        wanted = _text("province.code", code)
        found = [row for row in self.provinces(on) if row.code == wanted]
        if found:
            return max(found, key=lambda row: _preference(row, on))
        merge = next((row for row in _shipped_list("province_merges") if row.old_code == wanted), None)
        if merge is not None and on is not None and on >= merge.effective:
            raise UnknownCodeError(
                "catalogue.merged",
                field="province.code",
                value=f"{wanted} {merge.old_name}",
                effective=f"{merge.effective:%d/%m/%Y}",
                today=f"{merge.new_code} {merge.new_name}",
            )
        raise _unknown("province.code", wanted, self._provinces, _province_keys)

    def find_provinces(self, text: str, on: date | None = None, limit: int = 10) -> tuple[Province, ...]:
        """Search provinces by code or name, also by names of the past, best match first."""
        return ranked(text, self.provinces(on), _province_keys, limit)

    def merged_into(self, old_code: str) -> ProvinceMerge:
        """Tell which of today's provinces one of the 63 went into.

        Args:
            old_code: code until 2025-06-30.

        Raises:
            UnknownCodeError: none of the 63 had the code.

        """
        merges: tuple[ProvinceMerge, ...] = _shipped_list("province_merges")
        return _only("province.code", old_code, merges, lambda row: (row.old_code, (row.old_name,)))

    @cached_property
    def _wards(self) -> tuple[Ward, ...]:
        return self._current("wards")

    @cached_property
    def _wards_by_code(self) -> Mapping[str, Ward]:
        return {row.code: row for row in self._wards}

    def ward(self, code: str) -> Ward:
        """Return a ward by its five-digit code.

        Raises:
            UnknownCodeError: no ward has the code.

        """
        found = self._wards_by_code.get(_text("ward.code", code))
        return found or _only("ward.code", code, self._wards, _keys)

    def wards(self, province_code: str) -> tuple[Ward, ...]:
        """Return the wards of one of today's provinces.

        Raises:
            UnknownCodeError: no province has the code today.

        """
        wanted = _text("province.code", province_code)
        found = tuple(row for row in self._wards if row.province_code == wanted)
        if not found:
            raise _unknown("province.code", wanted, self._provinces, _province_keys)
        return found

    def find_wards(self, text: str, province_code: str | None = None, limit: int = 10) -> tuple[Ward, ...]:
        """Search wards by code or name, in one province or in all, best match first."""
        wards = self._wards if province_code is None else self.wards(province_code)
        return ranked(text, wards, _keys, limit)

    # Certification authorities

    def authorities(self) -> tuple[Authority, ...]:
        """Return the names of certification authorities met. It is no list of licences and gives no trust."""
        return self._current("authorities")

    # Provenance and refreshing

    def sources(self) -> tuple[ListSource, ...]:
        """Return where every list comes from; one line per update follows the shipped lists."""
        updates = (
            ListSource(
                name=update.list_name,
                rows=len(update.rows),
                as_of=update.as_of.isoformat(),
                source=update.source,
                refreshed=True,
            )
            for update in self.updates
        )
        return (*read_sources(), *updates)

    def refreshed(self, update: ListUpdate) -> Catalogue:
        """Return a new catalogue with an update laid over this one; this one stays as it is."""
        kept = (old for old in self.updates if not (update.complete and old.list_name == update.list_name))
        return evolve(self, updates=(*kept, update))

    def difference(self, update: ListUpdate) -> ListDifference:
        """Tell what an update would change here."""
        older = self._current(update.list_name)
        return compared(update.list_name, older, laid_over(older, update))

    def differences(self) -> tuple[ListDifference, ...]:
        """Tell how the refreshed lists differ from the shipped ones."""
        names = dict.fromkeys(update.list_name for update in self.updates)
        return tuple(compared(name, _shipped_list(name), self._current(name)) for name in names)

    def _current(self, name: str) -> tuple[Any, ...]:
        current = _shipped_list(name)
        for update in self.updates:
            if update.list_name == name:
                current = laid_over(current, update)
        return current


def _keys(row: ListedIvan | Ward) -> Keys:
    return row.code, (row.name,)


def _agency_keys(agency: Agency) -> Keys:
    return agency.code.value, (agency.name,)


def _province_keys(province: Province) -> Keys:
    return province.code, province.names


def _preference(province: Province, on: date | None) -> tuple[bool, bool, date]:
    """Rank provinces of one code: known dates first where a day counts, then the newest."""
    dated = bool(province.valid_from or province.valid_to)
    return on is not None and dated, province.valid_to is None, province.valid_from or date.min


def _possible(agency: Agency, on: date | None) -> bool:
    """Whether nothing proves that the agency is not in force."""
    return on is None or agency.in_force_on(on) or agency.validity_certainty is not Certainty.SEEN


def _as_of(found: Sequence[Agency], on: date | None) -> Agency | None:
    """Take one in force on the day, then one of which nothing proves the contrary; the newest row wins."""
    possible = [agency for agency in found if _possible(agency, on)]
    if on is not None:
        possible.sort(key=lambda agency: agency.in_force_on(on))
    return possible[-1] if possible else None


def _text(field_name: str, code: str) -> str:
    if not isinstance(code, str):
        raise WrongTypeError(field=field_name, expected="str", got=type(code).__name__)
    return normalised(code)


def _only(field_name: str, code: str, entries: Sequence[T], keys: Callable[[T], Keys]) -> T:
    wanted = _text(field_name, code)
    for entry in entries:
        if keys(entry)[0] == wanted:
            return entry
    raise _unknown(field_name, wanted, entries, keys)


def _unknown(
    field_name: str, value: str, entries: Sequence[T], keys: Callable[[T], Keys]
) -> UnknownCodeError:
    meant = similar(value, entries, keys)
    return UnknownCodeError("catalogue.unknown_code", field=field_name, value=value, similar=meant)
