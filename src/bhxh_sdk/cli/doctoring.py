"""`bhxh doctor`: why a token does not work, and the fix; nobody is asked for a PIN."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path  # noqa: TC003  # typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

from bhxh_sdk.cli import options  # noqa: TC001  # typer reads the annotations at run time
from bhxh_sdk.cli.exit_codes import ExitCode
from bhxh_sdk.cli.output import Output, OwnText, shown
from bhxh_sdk.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.table import Table

    from bhxh_sdk.doctor import Check, Examination
    from bhxh_sdk.models import Organisation

    _Row = tuple[int, Check | str]
    """How deep it stands, and a check or a heading."""

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
    from bhxh_sdk.doctor.drivers import outcome_of

    rows = tuple(_laid_out(examination.checks))
    if sys.stdout.isatty() and not output.as_json:
        yield _table(rows, output)
    else:
        for depth, row in rows:
            yield from ("  " * depth + line for line in _row_lines(row, output))
    if not any(check.code == "doctor.module.ok" for check in examination) and examination.looked:
        yield output.text("cli.doctor.looked")
        for place in examination.looked:
            outcome = output.text(f"doctor.outcome.{outcome_of(place)}")
            yield f"  {place.path} ({output.text(f'doctor.origin.{place.origin}')}): {outcome}"
    yield _verdict(examination, output)


def _verdict(examination: Examination, output: Output) -> str:
    """Return the last line: all is well only where everything could be looked at."""
    failed, warnings = len(examination.failed), len(examination.warnings)
    if failed or warnings:
        return output.text("cli.doctor.troubles", failed=failed, warnings=warnings)
    unknown = dict.fromkeys(check.title(output.language) for check in examination.unknown)
    code = "cli.doctor.well_as_far" if unknown else "cli.doctor.all_well"
    return output.text(code, names=", ".join(unknown))


def _laid_out(checks: Sequence[Check]) -> Iterator[_Row]:
    """Give each token and certificate once, as a heading, and what speaks of it below."""
    below: dict[str, list[Check]] = {}
    for check in checks:
        if check.headings:
            below.setdefault(check.headings[0], []).append(check)
    first = next((place for place, check in enumerate(checks) if check.headings), len(checks))
    yield from ((0, check) for check in checks[:first])
    for heading, own in below.items():
        yield 0, heading
        above: tuple[str, ...] = (heading,)
        for check in own:
            if check.headings not in {above, (heading,)}:
                yield 1, check.headings[-1]
            above = check.headings
            yield len(above), check
    yield from ((0, check) for check in checks[first:] if not check.headings)


def _row_lines(row: Check | str, output: Output) -> Iterable[str]:
    if isinstance(row, str):
        yield row
        return
    yield f"{_mark(row, output)}  {row.title(output.language)}: {_cause(row, output)}"
    if fix := row.fix(output.language):
        yield f"  → {fix}"


def _mark(check: Check, output: Output) -> str:
    state = check.state.value
    return f"{_MARKS[state]} {output.text(f'doctor.state.{state}')}"


def _cause(check: Check, output: Output) -> str:
    return check.cause(output.language, below_headings=True)


def _table(rows: Sequence[_Row], output: Output) -> str:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console()
    checks = [row for _, row in rows if not isinstance(row, str)]
    widths = [
        max((len(text(check)) for check in checks), default=0)
        for text in (lambda check: _mark(check, output), lambda check: check.title(output.language))
    ]
    with console.capture() as capture:
        for (depth, heading), run in groupby(rows, _place):
            below = [row for _, row in run if not isinstance(row, str)]
            shape = _checks_table(below, widths, output) if below else Text(shown(heading), style="bold")
            console.print(Padding(shape, (0, 0, 0, 2 * depth)))
    return OwnText(capture.get().rstrip("\n"))


def _place(row: _Row) -> tuple[int, str]:
    """Return what keeps rows in one table: their depth, and no heading among them."""
    depth, what = row
    return depth, what if isinstance(what, str) else ""


def _checks_table(checks: Iterable[Check], widths: Sequence[int], output: Output) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False, box=None, pad_edge=False)
    for width in widths:
        table.add_column(min_width=width)
    for check in checks:
        found = Text(shown(_cause(check, output)))
        if fix := check.fix(output.language):
            found.append(f"\n→ {shown(fix)}", style="bold")
        mark = Text(_mark(check, output), style=_STYLES[check.state.value])
        table.add_row(mark, Text(check.title(output.language)), found)
    return table
