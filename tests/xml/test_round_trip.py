"""Build and read again: 10,000 registrations of a plain generator, and fewer of hypothesis, which shrinks."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from strategies import any_registrations, any_text, attachments, plain_text, registrations

from bhxh_sdk import xml
from bhxh_sdk.errors import BhxhError
from bhxh_sdk.models import (
    Action,
    Agency,
    Attachment,
    Contact,
    DossierEnvelope,
    Ivan,
    Organisation,
    Portal,
    Registration,
    ResultDelivery,
    Stop,
    StopReason,
)
from bhxh_sdk.xml.writer import DECLARATION

TODAY = date(2026, 1, 2)
FULL = {"portal-register", "portal-adjust", "first-register", "ivan-register", "ivan-adjust"}
LETTERS = "aăâbcdđeêghiklmnoôơpqrstuưvxyĂÂĐÊÔƠƯỆỮẶ   <>&\"'.,-/()0123456789\u00a0\u0301€文😀]"


def words(random: Random) -> str:
    return "".join(random.choices(LETTERS, k=random.randrange(1, 25)))


def files(random: Random) -> list[Attachment]:
    return [
        Attachment(
            file_name=f"{words(random)}.pdf",
            content=random.randbytes(random.randrange(40)),
            form_code=random.choice(("CT-DK", "TK3-TS")),
            description=words(random),
        )
        for _ in range(random.choice((0, 0, 0, 1, 2)))
    ]


def a_day(random: Random) -> date:
    return date(1, 1, 1) + timedelta(days=random.randrange(3_652_058))


def a_registration(random: Random) -> Registration:
    action = random.choice(tuple(Action))
    number = f"{random.randrange(10**10):010}"
    stop = Stop(
        from_date=a_day(random),
        reason=random.choice((None, *StopReason)),
        text=random.choice(("x", words(random) + "x")),
    )
    return Registration(
        agency=Agency(code=number[:5], name=words(random)),
        organisation=Organisation(
            name=words(random),
            tax_code=number,
            unit_code=random.choice((None, f"TZ{number[:4]}Z")),
            address=words(random),
            phone=random.choice(("", f"028{number[:7]}", words(random))),
        ),
        contact=Contact(
            name=words(random), address=words(random), mobile=f"09{number[:8]}", email=f"{number}@example.com"
        ),
        transact_at=random.choice((Portal(), Ivan(number[:5], words(random) + "x"))),
        action=action,
        result_delivery=random.choice(tuple(ResultDelivery)),
        made_on=a_day(random),
        starts_on=a_day(random),
        changes=words(random) if action is Action.ADJUST else "",
        stop=stop if action is Action.STOP else None,
        attachments=files(random),
    )


def assert_comes_back(form: Registration) -> None:
    document = xml.build(form)
    back = xml.read(document.content)
    assert back == xml.carried(form)
    if document.profile in FULL:
        assert back == form


@pytest.mark.parametrize("seed", range(10))
def test_ten_thousand_registrations_come_back_as_they_were(seed: int):
    random = Random(seed)  # noqa: S311  # repeatable test data
    for _ in range(1000):
        assert_comes_back(a_registration(random))


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(registrations(use_certificate=True))
def test_valid_registrations_come_back(form: Registration):
    dated = form.dated(TODAY)
    back = xml.read(xml.build(dated).content)
    assert back == xml.carried(dated)
    if dated.action is not Action.STOP and dated.organisation.phone != dated.contact.mobile.value:
        assert back == dated


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(registrations(channel=Ivan, first=False), st.sampled_from(("2015-register", "2015-stop")))
def test_what_the_dialect_of_2015_carries_comes_back(form: Registration, name: str):
    action = Action.STOP if name == "2015-stop" else Action.REGISTER
    stop = Stop(from_date=TODAY, reason=StopReason.OTHER)
    dated = evolve(form, action=action, stop=stop, attachments=()).dated(TODAY)
    assert xml.read(xml.build(dated, name).content) == xml.carried(dated, name)


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(any_registrations())
def test_whatever_was_typed_gives_a_document_or_a_typed_error(form: Registration):
    try:
        document = xml.build(form)
    except BhxhError as error:
        if not error.field:
            raise
        return
    assert xml.read(document.content) == xml.carried(form)


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(st.one_of(plain_text(), any_text()), st.lists(attachments(), max_size=2), st.dates())
def test_envelopes_come_back(text: str, enclosed: list[Attachment], day: date):
    try:
        envelope = DossierEnvelope(
            ivan=Ivan("00099", text),
            organisation_name=text,
            tax_code=text,
            signer_name=text,
            agency_code="07906",
            procedure_code=text,
            period=day,
            made_on=day,
            files=enclosed,
        )
        document = xml.build_envelope(envelope)
    except BhxhError as error:
        if not error.field:
            raise
        return
    assert xml.read_envelope(document.content) == envelope


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(registrations())
def test_what_is_built_is_its_own_canonical_form(form: Registration):
    content = xml.build(form.dated(TODAY)).content
    body = content.removeprefix(DECLARATION)
    assert body != content
    assert b"\n" not in content
    tree = etree.ElementTree(etree.fromstring(body))
    assert etree.tostring(tree, method="c14n") == body
