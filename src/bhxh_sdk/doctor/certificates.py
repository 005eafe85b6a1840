"""Checks of certificates: whether one of them can sign for the organisation now."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from attrs import field, frozen

from bhxh_sdk.doctor.making import Maker
from bhxh_sdk.errors import SigningError
from bhxh_sdk.models import days_left
from bhxh_sdk.signers import choose_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from bhxh_sdk.doctor.values import Check
    from bhxh_sdk.models import Organisation
    from bhxh_sdk.signers import SigningCertificate

__all__ = ["SOON_DAYS", "Holder", "Judge"]

SOON_DAYS = 60
"""From so many days before its end a certificate's renewal is worth a warning."""


@frozen(kw_only=True)
class Holder:
    """What holds certificates: a token or a key file.

    Args:
        name: what people call it.
        certificates: what it shows.
        unreadable: how many certificates of it cannot be read.

    """

    name: str
    certificates: tuple[SigningCertificate, ...] = field(default=(), repr=False)
    unreadable: int = 0

    @property
    def signing(self) -> tuple[SigningCertificate, ...]:
        """The certificates that are for signing: an authority's own are not."""
        return tuple(item for item in self.certificates if item.certificate.signing_allowed)


@frozen(kw_only=True)
class Judge:
    """Judge certificates for an organisation at a moment.

    Args:
        organisation: who wants to sign; None when the owner does not matter.
        moment: when, with its zone.
        holders: everything that holds certificates.

    """

    organisation: Organisation | None
    moment: datetime
    holders: tuple[Holder, ...]

    @cached_property
    def fitting(self) -> tuple[SigningCertificate, ...]:
        """The certificates that could be used, each once; those of a named owner before those of nobody."""
        different = {item.certificate.der: item for holder in self.holders for item in holder.signing}
        usable = tuple(item for item in different.values() if self._usable(item))
        return tuple(item for item in usable if self._is_own(item)) or usable

    def _usable(self, item: SigningCertificate) -> bool:
        try:
            choose_certificate([item], self.organisation, self.moment)
        except SigningError:
            return False
        return True

    def _is_own(self, item: SigningCertificate) -> bool:
        return self.organisation is None or item.certificate.belongs_to(self.organisation.tax_code)

    def needs(self, holder: Holder) -> bool:
        """Tell whether somebody needs this holder to sign: it has what fits, or nothing has."""
        return not self.fitting or any(item in self.fitting for item in holder.signing)

    def checks(self) -> Iterator[Check]:
        """Judge every certificate of every holder, and what is left to choose from."""
        for holder in self.holders:
            yield from self._of_holder(holder)
            for item in holder.signing:
                yield from self._of_certificate(item, holder.name)
        if any(holder.signing for holder in self.holders):
            yield self._choice()

    def _of_holder(self, holder: Holder) -> Iterator[Check]:
        make = Maker("certificates", holder.name, (holder.name,))
        if holder.unreadable:
            yield make.warning("unreadable", name=holder.name, count=holder.unreadable)
        if not holder.certificates:
            yield make.failed("none", grave=not self.fitting, name=holder.name)
        elif not holder.signing:
            yield make.failed("none_for_signing", grave=not self.fitting, name=holder.name)
        else:
            count, signing = len(holder.certificates), len(holder.signing)
            yield make.ok(name=holder.name, count=count, signing=signing)

    def _of_certificate(self, item: SigningCertificate, holder: str) -> Iterator[Check]:
        owner = self._owner(item, holder)
        if owner.code != "doctor.owner.other_beside":
            yield self._key(item, holder)
            if item.certificate.key_kind != "rsa":
                yield self._algorithm(item, holder)
            yield self._validity(item, holder)
        yield owner

    def _key(self, item: SigningCertificate, holder: str) -> Check:
        make, name = self._maker("key", item, holder)
        if item.has_private_key is None:
            return make.skipped("unknown", name=name)
        if item.has_private_key:
            return make.ok(name=name)
        return make.failed("missing", grave=not self.fitting, name=name)

    def _algorithm(self, item: SigningCertificate, holder: str) -> Check:
        make, name = self._maker("algorithm", item, holder)
        kind = item.certificate.key_kind
        return make.failed("not_rsa", grave=not self.fitting, name=name, kind=kind)

    def _validity(self, item: SigningCertificate, holder: str) -> Check:
        make, name = self._maker("validity", item, holder)
        facts = item.certificate
        begin, end = f"{facts.not_before:%d/%m/%Y}", f"{facts.not_after:%d/%m/%Y}"
        if self.moment > facts.not_after:
            return make.failed("expired", grave=not self.fitting, name=name, end=end)
        if self.moment < facts.not_before:
            return make.failed("not_yet", grave=not self.fitting, name=name, begin=begin)
        left = days_left(facts, self.moment)
        if left <= SOON_DAYS:
            return make.warning("soon", name=name, end=end, days=left)
        return make.ok(name=name, end=end, days=left)

    def _owner(self, item: SigningCertificate, holder: str) -> Check:
        make, name = self._maker("owner", item, holder)
        codes = ", ".join(code.masked for code in item.certificate.tax_codes)
        if self.organisation is None:
            return make.skipped("not_asked", name=name, got=codes)
        wanted = self.organisation.tax_code
        if self._is_own(item):
            return make.ok(name=name, got=codes)
        if not codes:
            return make.failed("no_tax_code", grave=not self.fitting, name=name)
        if self.fitting:
            return make.skipped("other_beside", name=name, got=codes)
        return make.failed("other", name=name, got=codes, expected=wanted.masked)

    def _choice(self) -> Check:
        make, found = Maker("choice"), self.fitting
        serials = ", ".join(item.certificate.serial_text for item in found)
        if len(found) > 1:
            return make.warning("several", count=len(found), serials=serials)
        if not found:
            return make.failed("none")
        return make.ok(name=found[0].certificate.common_name, serial=serials)

    def _maker(self, name: str, item: SigningCertificate, holder: str) -> tuple[Maker, str]:
        facts = item.certificate
        certificate = f"{facts.common_name} ({facts.serial_text})"
        return Maker(name, facts.serial_text, (holder, certificate)), certificate
