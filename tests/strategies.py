"""Hypothesis strategies: `registrations()` are valid, `any_registrations()` are whatever can be typed.

Every value is invented; a tax code satisfies its check digit by construction.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

from hypothesis import strategies as st

from bhxh_sdk import models
from bhxh_sdk.models.text import normalised

__all__ = [
    "any_registrations",
    "any_text",
    "attachments",
    "emails",
    "file_names",
    "mobiles",
    "person_names",
    "plain_text",
    "registrations",
    "tax_codes",
    "unit_codes",
]

VIETNAMESE = "aăâbcdđeêghiklmnoôơpqrstuưvxyáàảãạắằẳẵặấầẩẫậéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ"
PUNCTUATION = " .,-/()&<>'\""
MOBILE_PREFIXES = ("032", "039", "056", "070", "079", "081", "088", "090", "096", "098")
FAMILY_NAMES = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Đặng", "Đỗ", "Vũ", "Ngô")
GIVEN_NAMES = ("An", "Bình", "Diễm", "Đức", "Hòa", "Khuê", "Ngọc", "Phượng", "Thủy", "Ước")
AGENCY_CODES = ("07906", "00101", "04013", "001")
FIRST_DAY = date(2020, 1, 1)

_WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)


def _trimmed(text: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return text.map(normalised).filter(bool)


@cache
def plain_text(max_size: int = 40) -> st.SearchStrategy[str]:
    """One line of text without control or format characters: Vietnamese letters, or letters of any script."""
    vietnamese = st.text(
        VIETNAMESE + VIETNAMESE.upper() + "0123456789" + PUNCTUATION, min_size=1, max_size=max_size
    )
    broad = st.text(st.characters(categories=["L", "Mn", "N", "P", "S", "Zs"]), min_size=1, max_size=max_size)
    return _trimmed(st.one_of(vietnamese, vietnamese, broad))


@cache
def person_names() -> st.SearchStrategy[str]:
    """Names of people who do not exist."""
    return st.tuples(st.sampled_from(FAMILY_NAMES), st.sampled_from(GIVEN_NAMES)).map(" ".join)


def _organisation_code(stem: int) -> str:
    """Append the check digit to nine digits; where none exists, the ninth digit makes way."""
    digits = [int(digit) for digit in f"{stem:09}"]
    remainder = sum(weight * digit for weight, digit in zip(_WEIGHTS, digits, strict=True)) % 11
    return (
        f"{stem:09}{10 - remainder}" if remainder else _organisation_code(stem // 10 * 10 + (stem + 1) % 10)
    )


@cache
def _digits(count: int) -> st.SearchStrategy[str]:
    return st.integers(0, 10**count - 1).map(lambda number: f"{number:0{count}}")


@cache
def tax_codes() -> st.SearchStrategy[str]:
    """Tax codes of organisations, branches and household businesses."""
    organisation = st.integers(1, 999_999_999).filter(lambda stem: stem % 10**7).map(_organisation_code)
    branch = st.tuples(organisation, st.integers(1, 999)).map(lambda parts: f"{parts[0]}-{parts[1]:03}")
    return st.one_of(organisation, organisation, branch, _digits(12))


@cache
def unit_codes() -> st.SearchStrategy[str]:
    """Unit codes of the shape used until August 2026."""
    letters = st.tuples(*[st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ")] * 4).map("".join)
    return st.tuples(letters, _digits(3)).map(lambda parts: f"{parts[0][:3]}{parts[1]}{parts[0][3]}")


@cache
def mobiles() -> st.SearchStrategy[str]:
    """Vietnamese mobile numbers."""
    return st.tuples(st.sampled_from(MOBILE_PREFIXES), _digits(7)).map("".join)


@cache
def emails() -> st.SearchStrategy[str]:
    """Addresses in domains kept for examples."""
    words = st.lists(
        st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8), min_size=1, max_size=3
    )
    local = st.tuples(words, st.sampled_from(".-_")).map(lambda parts: parts[1].join(parts[0]))
    return st.tuples(local, st.sampled_from(("example.com", "example.org"))).map("@".join)


@cache
def file_names() -> st.SearchStrategy[str]:
    """Names of attached files, without folders."""
    stem = st.text(VIETNAMESE + "0123456789-", min_size=1, max_size=20).map(normalised)
    return st.tuples(stem, st.sampled_from((".pdf", ".jpg", ".xml"))).map("".join)


@cache
def _days() -> st.SearchStrategy[date]:
    return st.integers(0, 3000).map(lambda days: FIRST_DAY + timedelta(days=days))


@cache
def _optional_text() -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), plain_text())


@cache
def _optional_day() -> st.SearchStrategy[date | None]:
    return st.one_of(st.none(), _days())


@cache
def attachments() -> st.SearchStrategy[models.Attachment]:
    """Files that go with a form."""
    return st.builds(
        models.Attachment,
        file_name=file_names(),
        content=st.binary(min_size=1, max_size=60),
        form_code=st.sampled_from(("CT-DK", "TK3-TS")),
        description=_optional_text(),
    )


@cache
def _agencies() -> st.SearchStrategy[models.Agency]:
    code = st.one_of(st.sampled_from(AGENCY_CODES), _digits(4).map("0{}".format))
    return st.builds(models.Agency, code=code, name=plain_text())


@cache
def _stops() -> st.SearchStrategy[models.Stop]:
    reason = st.sampled_from(models.StopReason)
    return st.one_of(
        st.builds(models.Stop, from_date=_days(), reason=reason, text=_optional_text()),
        st.builds(models.Stop, from_date=_days(), text=plain_text()),
    )


@cache
def _ivans() -> st.SearchStrategy[models.Ivan]:
    return st.builds(models.Ivan, _digits(3).map("00{}".format), plain_text())


@cache
def _files(least: int) -> st.SearchStrategy[list[models.Attachment]]:
    return st.lists(
        attachments(), min_size=least, max_size=3, unique_by=lambda file: file.file_name.casefold()
    )


@cache
def _one_of(*choices: object) -> st.SearchStrategy[object]:
    return st.sampled_from(choices)


@cache
def _organisations(first: bool) -> st.SearchStrategy[models.Organisation]:
    return st.builds(
        models.Organisation,
        name=plain_text(),
        tax_code=tax_codes(),
        unit_code=st.none() if first else unit_codes(),
        address=plain_text(),
        phone=st.one_of(st.just(""), mobiles()),
    )


@cache
def _contacts() -> st.SearchStrategy[models.Contact]:
    return st.builds(
        models.Contact, name=person_names(), address=plain_text(), mobile=mobiles(), email=emails()
    )


@st.composite
def registrations(
    draw: st.DrawFn,
    *,
    action: models.Action | None = None,
    channel: type[models.Portal | models.Ivan] | None = None,
    use_certificate: bool | None = None,
    first: bool | None = None,
) -> models.Registration:
    """Valid registrations: `check` finds no error in them. Whatever is not asked for is drawn.

    Args:
        draw: given by hypothesis.
        action: register, adjust or stop.
        channel: `Portal` or `Ivan`.
        use_certificate: the electronic route or the paper route.
        first: whether the employer has no unit code yet; only for `register`.

    """
    if action is None:
        action = models.Action.REGISTER if first else draw(_one_of(*models.Action))
    if first is None:
        first = action is models.Action.REGISTER and draw(st.booleans())
    channel = draw(_one_of(models.Portal, models.Ivan)) if channel is None else channel
    return models.Registration(
        agency=draw(_agencies()),
        organisation=draw(_organisations(first)),
        contact=draw(_contacts()),
        transact_at=models.Portal() if channel is models.Portal else draw(_ivans()),
        use_certificate=draw(st.booleans()) if use_certificate is None else use_certificate,
        action=action,
        result_delivery=draw(_one_of(*models.ResultDelivery)),
        made_on=draw(_optional_day()),
        starts_on=draw(_optional_day()),
        changes=draw(plain_text()) if action is models.Action.ADJUST else "",
        stop=draw(_stops()) if action is models.Action.STOP else None,
        attachments=draw(_files(int(first))),
    )


NASTY = (
    "",
    " ",
    "\x00",
    "a\tb\r\nc",
    "\ud800",
    "ho\u0323\u0302 tên",
    "\u202eabc\u202c",
    "a\u200bb",
    "\u0410\u0412C",
    "\ufeff",
    "x" * 20_000,
    "@" * 300,
    "a@b@c",
    "a@example.com, b@example.com",
    "../../etc/passwd",
    "..\\a.pdf",
    "{field}",
    "%s{0}{}",
    "0100109107",
    "①②③",
    "\U0001f600",
)


@cache
def any_text() -> st.SearchStrategy[str]:
    """Whatever text Python can hold: controls, lone surrogates, every script, decomposed, huge."""
    everything = st.text(st.characters(exclude_categories=()), max_size=30)
    codes = st.text("0123456789ABCabc-. +@", max_size=20)
    return st.one_of(
        st.sampled_from(NASTY), everything, codes, plain_text(), emails(), mobiles(), tax_codes()
    )


@cache
def _any_agencies() -> st.SearchStrategy[models.Agency]:
    return st.builds(
        models.Agency,
        code=st.one_of(any_text(), st.sampled_from(AGENCY_CODES)),
        name=any_text(),
        level=st.one_of(st.none(), st.sampled_from(models.AgencyLevel)),
        province_code=any_text(),
        parent_code=any_text(),
        internal_id=any_text(),
        valid_from=st.one_of(st.none(), st.dates()),
        valid_to=st.one_of(st.none(), st.dates()),
        source=any_text(),
        certainty=st.sampled_from(models.Certainty),
        validity_certainty=st.sampled_from(models.Certainty),
    )


@cache
def any_registrations() -> st.SearchStrategy[models.Registration]:
    """Every registration that the models accept, however wrong."""
    text, day = any_text(), st.one_of(st.none(), st.dates())
    files = st.builds(
        models.Attachment, file_name=text, content=st.binary(max_size=20), form_code=text, description=text
    )
    return st.builds(
        models.Registration,
        agency=_any_agencies(),
        organisation=st.builds(
            models.Organisation,
            name=text,
            tax_code=text,
            unit_code=st.one_of(st.none(), text),
            address=text,
            phone=text,
        ),
        contact=st.builds(models.Contact, name=text, address=text, mobile=text, email=text),
        transact_at=st.one_of(st.builds(models.Portal), st.builds(models.Ivan, text, text)),
        use_certificate=st.booleans(),
        action=st.sampled_from(models.Action),
        result_delivery=st.sampled_from(models.ResultDelivery),
        made_on=day,
        starts_on=day,
        changes=text,
        stop=st.one_of(
            st.none(),
            st.builds(
                models.Stop,
                from_date=day,
                reason=st.one_of(st.none(), st.sampled_from(models.StopReason)),
                text=text,
            ),
        ),
        attachments=st.lists(files, max_size=3),
    )
