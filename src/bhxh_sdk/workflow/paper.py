"""The declaration on paper: a printable page, filled in, for those who register without a certificate.

The layout is our own. The wording of the official form under Decree 164/2025/NĐ-CP is not known to us, so the
page names its legal basis as a text that can be changed, and the agency may ask for its own form.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from bhxh_sdk import messages
from bhxh_sdk.models import Action, Ivan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bhxh_sdk.messages import Language
    from bhxh_sdk.models import Registration

__all__ = ["declaration_html"]

_PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
@page {{ size: A4; margin: 20mm; }}
body {{ font-family: "Times New Roman", "Noto Serif", serif; font-size: 13pt; line-height: 1.4; }}
h1 {{ font-size: 14pt; text-align: center; }}
.basis, .to {{ text-align: center; }}
table {{ border-collapse: collapse; width: 100%; margin: 1em 0; }}
th, td {{ border: 1px solid #000; padding: 4pt 6pt; text-align: left; vertical-align: top; }}
th {{ width: 38%; font-weight: normal; }}
.signature {{ margin: 2em 0 6em 55%; text-align: center; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p class="basis">{basis}</p>
<p class="to">{to}</p>
<table>
{rows}
</table>
<p>{liability}</p>
<div class="signature"><p>{date}</p><p><strong>{signer}</strong></p></div>
</body>
</html>
"""


def declaration_html(form: Registration, language: Language = "vi") -> str:
    """Return the filled-in declaration as one self-contained HTML page, ready to print.

    Args:
        form: the declaration, with its dates filled in.
        language: the language of the labels; the agency reads Vietnamese.

    """
    rows = "\n".join(
        f"<tr><th>{escape(_text(f'paper.{name}', language))}</th><td>{escape(value)}</td></tr>"
        for name, value in _rows(form, language)
    )
    texts = {name: escape(_text(f"paper.{name}", language)) for name in ("basis", "liability", "signer")}
    title = escape(_text(f"paper.title.{form.action.value}", language))
    to = escape(_text("paper.to", language, agency=f"{form.agency.name} ({form.agency.code})"))
    date = form.made_on.strftime("%d/%m/%Y") if form.made_on else ""
    return _PAGE.format(language=language, title=title, to=to, rows=rows, date=date, **texts)


def _text(code: str, language: Language, **parameters: str) -> str:
    return messages.text(code, language, parameters)


def _rows(form: Registration, language: Language) -> Iterator[tuple[str, str]]:
    """Yield the label and the value of each line, leaving out what is empty."""
    organisation, contact = form.organisation, form.contact
    lines = {
        "name": organisation.name,
        "unit_code": str(organisation.unit_code or ""),
        "tax_code": str(organisation.tax_code),
        "address": organisation.address,
        "contact_address": contact.address,
        "contact_person": contact.name,
        "mobile": str(contact.mobile),
        "email": str(contact.email),
        "transact_at": _place(form, language),
        "starts_on": form.starts_on.strftime("%d/%m/%Y") if form.starts_on else "",
        "changes": form.changes if form.action is Action.ADJUST else "",
        "attachments": ", ".join(attachment.file_name for attachment in form.attachments),
        **_stop_lines(form, language),
    }
    yield from ((name, value) for name, value in lines.items() if value)


def _place(form: Registration, language: Language) -> str:
    if isinstance(form.transact_at, Ivan):
        return f"{form.transact_at.name} ({form.transact_at.code})".strip()
    return _text("paper.portal", language)


def _stop_lines(form: Registration, language: Language) -> dict[str, str]:
    if form.stop is None:
        return {}
    words = _text(f"stop.reason.{form.stop.reason.name.lower()}", language) if form.stop.reason else ""
    from_date = form.stop.from_date.strftime("%d/%m/%Y") if form.stop.from_date else ""
    return {"stop_from": from_date, "stop_reason": form.stop.text or words}
