"""Generated documents of every profile: 500 sets of invented data, each written as every kind of document."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, TypeVar

from attrs import evolve
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from strategies import registrations

from bhxh_sdk import xml
from bhxh_sdk.models import Action, DossierEnvelope, Ivan, Portal, Registration, Stop, StopReason

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["COUNT", "PROFILES", "Form", "documents", "read_again"]

COUNT = 500
PROFILES = tuple(known.name for known in xml.profiles())
TODAY = date(2026, 1, 2)
LONG = 40
"""How often a name is repeated where it is to be long: some 1,000 letters."""

T = TypeVar("T")
Form = Registration | DossierEnvelope


def drawn(strategy: st.SearchStrategy[T], count: int) -> list[T]:
    """Draw values, the same ones every time: a failure elsewhere can be repeated here."""
    found: list[T] = []

    @seed(3)
    @settings(
        max_examples=count, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(strategy)
    def collect(value: T) -> None:
        found.append(value)

    collect()
    return found


def documents() -> Iterator[tuple[str, int, Form, bytes]]:
    """Give profile, number, form and content of every document."""
    forms = drawn(registrations(channel=Ivan, first=False), COUNT)
    for number, form in enumerate(forms):
        for name in PROFILES:
            made = _envelope(form) if name == "envelope" else _registration(form, name, number)
            build = xml.build_envelope if name == "envelope" else xml.build
            yield name, number, made, build(made, name).content


def read_again(name: str, content: bytes) -> Form:
    """Read a document of this profile."""
    return xml.read_envelope(content) if name == "envelope" else xml.read(content, name)


def _registration(form: Registration, name: str, number: int) -> Registration:
    chosen = xml.profile(name)
    name_of = form.organisation.name * (LONG if number % 10 == 0 else 1)
    organisation = evolve(form.organisation, name=name_of)
    if name == "first-register":
        organisation = evolve(organisation, unit_code=None)
    stop = form.stop or Stop(from_date=TODAY, reason=StopReason.OTHER, text=form.contact.address)
    holds_files = any(rule.source == "attachments" for rule in chosen.fields)
    return evolve(
        form,
        organisation=organisation,
        action=chosen.action,
        transact_at=form.transact_at if chosen.transact_at == "ivan" else Portal(),
        stop=stop if chosen.action is Action.STOP else None,
        changes=form.contact.address if chosen.action is Action.ADJUST else "",
        attachments=form.attachments if holds_files else (),
    ).dated(TODAY)


def _envelope(form: Registration) -> DossierEnvelope:
    return DossierEnvelope(
        ivan=form.transact_at,
        organisation_name=form.organisation.name,
        unit_code=form.organisation.unit_code,
        tax_code=form.organisation.tax_code,
        signer_name=form.contact.name,
        phone=form.contact.mobile.value,
        agency_code=form.agency.code,
        procedure_name=form.contact.address,
        procedure_code="600-595",
        period=TODAY,
        made_on=TODAY,
        files=form.attachments,
    )
