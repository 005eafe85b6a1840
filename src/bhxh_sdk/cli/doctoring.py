"""`bhxh doctor`: why a token does not work, and the fix; nobody is asked for a PIN."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003  # typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

from bhxh_sdk.cli import options  # noqa: TC001  # typer reads the annotations at run time
from bhxh_sdk.cli.exit_codes import ExitCode
from bhxh_sdk.cli.output import Output, OwnText, shown
from bhxh_sdk.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bhxh_sdk.doctor import Check, Examination
    from bhxh_sdk.models import Organisation

__all__ = ["doctor"]

_MARKS = {"ok": "✔", "warning": "!", "failed": "✘", "skipped": "-"}
_STYLES = {"ok": "green", "warning": "bold yellow", "failed": "bold red", "skipped": "dim"}


def doctor(
    ctx: typer.Context,
    signer: options.OptionalSignerUri = "pkcs11:",
    tax_code: Annotated[str, typer.Option("--organisation-tax-code", metavar="MST")] = "",
    form: Annotated[Path | None, typer.Option("--form", metavar="FORM")] = None,
) -> ExitCode:
    """Find out what keeps a signer from signing; 3 where something does, as for any missing set-up."""
    from bhxh_sdk.doctor import examine

    output: Output = ctx.obj
    examination = examine(signer, organisation=_organisation(tax_code, form))
    output.answer(examination.as_dict(output.language), _lines(examination, output))
    return ExitCode.DONE if examination.ok else ExitCode.SETUP_MISSING


def _organisation(tax_code: str, form: Path | None) -> Organisation | None:
    from bhxh_sdk.cli.form_files import read_form
    from bhxh_sdk.models import Organisation

    if tax_code and form is not None:
        raise InputError("cli.doctor.one_organisation", field="form")
    if form is not None:
        return read_form(form).organisation
    if not tax_code:
        return None
    organisation = Organisation(name="", tax_code=tax_code)
    if not organisation.tax_code.is_well_formed:
        raise InputError("cli.doctor.bad_tax_code", field="organisation_tax_code", name=tax_code)
    return organisation


def _lines(examination: Examination, output: Output) -> Iterable[str]:
    if sys.stdout.isatty() and not output.as_json:
        yield _table(examination.checks, output)
    else:
        for check in examination:
            yield from _check_lines(check, output)
    if not any(check.code == "doctor.module.ok" for check in examination) and examination.looked:
        yield output.text("cli.doctor.looked")
        for place in examination.looked:
            outcome = output.text(f"doctor.outcome.{place.outcome}")
            yield f"  {place.path} ({output.text(f'doctor.origin.{place.origin}')}): {outcome}"
    failed, warnings = len(examination.failed), len(examination.warnings)
    code = "cli.doctor.troubles" if failed or warnings else "cli.doctor.all_well"
    yield output.text(code, failed=failed, warnings=warnings)


def _check_lines(check: Check, output: Output) -> Iterable[str]:
    state, language = check.state.value, output.language
    mark = f"{_MARKS[state]} {output.text(f'doctor.state.{state}')}"
    yield f"{mark}  {check.title(language)}: {check.cause(language)}"
    if fix := check.fix(language):
        yield f"  → {fix}"


def _table(checks: Iterable[Check], output: Output) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False, box=None, pad_edge=False)
    for check in checks:
        state, language = check.state.value, output.language
        found = Text(shown(check.cause(language)))
        if fix := check.fix(language):
            found.append(f"\n→ {shown(fix)}", style="bold")
        mark = Text(f"{_MARKS[state]} {output.text(f'doctor.state.{state}')}", style=_STYLES[state])
        table.add_row(mark, Text(check.title(language)), found)
    console = Console()
    with console.capture() as capture:
        console.print(table)
    return OwnText(capture.get().rstrip("\n"))
