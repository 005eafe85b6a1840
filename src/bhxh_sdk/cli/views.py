"""Views: what a person reads in place of JSON."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from bhxh_sdk.cli.output import OwnText

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bhxh_sdk.cli.output import Output
    from bhxh_sdk.models import CertificateInfo
    from bhxh_sdk.signers import SigningCertificate
    from bhxh_sdk.workflow import RegistrationStatus, StepStatus

__all__ = [
    "certificate_lines",
    "offered_as_dict",
    "offered_lines",
    "signer_as_dict",
    "status_lines",
    "summary_line",
    "timeline_lines",
]

_MARKS = {"done": "✔", "current": "▶", "todo": "·", "not_applicable": "-"}
_STYLES = {"done": "green", "current": "bold yellow", "todo": "dim", "not_applicable": "dim"}


def timeline_lines(status: RegistrationStatus, output: Output) -> Iterable[str]:
    """Yield the 29 steps, as a table on a terminal, and how many of them are done."""
    if sys.stdout.isatty() and not output.as_json:
        yield _table(status.steps, output)
    else:
        for step in status.steps:
            mark, title = _MARKS[step.state.value], step.step.title(output.language)
            yield f"{step.step.number:>2} {mark} {title}"
    wanted = [step for step in status.steps if step.state.value != "not_applicable"]
    done = sum(step.state.value == "done" for step in wanted)
    yield f"{done}/{len(wanted)}"


def _table(steps: Iterable[StepStatus], output: Output) -> str:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        output.text("cli.table.number"), "", output.text("cli.table.step"), box=None, pad_edge=False
    )
    for step in steps:
        state = step.state.value
        title = step.step.title(output.language)
        table.add_row(str(step.step.number), _MARKS[state], title, style=_STYLES[state])
    console = Console()
    with console.capture() as capture:
        console.print(table)
    return OwnText(capture.get().rstrip("\n"))


def status_lines(status: RegistrationStatus, output: Output) -> Iterable[str]:
    """Yield where a registration stands, its steps, and what to do next."""
    yield summary_line(status, output)
    yield from timeline_lines(status, output)
    for name in ("sending_key", "dossier_number", "user_name", "agency_code", "agency_text"):
        if value := getattr(status, name):
            yield f"{output.text(f'cli.fact.{name}')}: {value}"
    yield f"→ {status.next_action(output.language)}"


def summary_line(status: RegistrationStatus, output: Output) -> str:
    """Return one line about a registration."""
    state = output.text(f"state.{status.state.value}")
    return f"{status.key}  {state}  {status.organisation}".rstrip()


def signer_as_dict(certificate: CertificateInfo) -> dict[str, Any]:
    """Return a certificate's facts in the shape that `--json` prints."""
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "serial": certificate.serial_text,
        "tax_code": certificate.tax_codes[0].value if certificate.tax_codes else None,
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
    }


def certificate_lines(certificate: CertificateInfo, output: Output) -> Iterable[str]:
    """Yield a certificate's facts."""
    facts = {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "serial": certificate.serial_text,
        "tax_code": ", ".join(str(code) for code in certificate.tax_codes) or "-",
        "validity": f"{certificate.not_before:%d/%m/%Y} - {certificate.not_after:%d/%m/%Y}",
    }
    for name, value in facts.items():
        yield f"  {output.text(f'cli.certificate.{name}')}: {value}"


def offered_as_dict(item: SigningCertificate) -> dict[str, Any]:
    """Return what a signer can sign with in the shape that `--json` prints."""
    own = {"key_id": item.key_id, "has_private_key": item.has_private_key, "token": _token_of(item)}
    return signer_as_dict(item.certificate) | own


def _token_of(item: SigningCertificate) -> str | None:
    """Return what people call the token that holds a certificate; None where no token does."""
    if not item.key_id.startswith("pkcs11:"):
        return None
    from bhxh_sdk.signers.pkcs11 import TokenAddress

    token = TokenAddress.parse(item.key_id).token
    return token.label or token.serial or token.model


def offered_lines(offered: Sequence[SigningCertificate], output: Output) -> Iterable[str]:
    """Yield what a signer can sign with, numbered."""
    for number, item in enumerate(offered, 1):
        key = output.text(f"cli.private_key.{str(item.has_private_key).lower()}")
        yield f"{number}. {item.certificate.common_name}  ({key})"
        if (token := _token_of(item)) is not None:
            yield f"  {output.text('cli.certificate.token')}: {token}"
        yield from certificate_lines(item.certificate, output)
        if token is not None:
            yield f"  {output.text('cli.certificate.address')}: {item.key_id}"
