"""`bhxh agencies`: find the managing agency, without accents and in spite of misspellings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bhxh_sdk.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from bhxh_sdk.cli.output import Output
    from bhxh_sdk.models import Agency

__all__ = ["agencies"]


def agencies(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT")],
    limit: Annotated[int, typer.Option("--limit", min=1)] = 10,
) -> ExitCode:
    """List the agencies whose name or code comes nearest to a text."""
    from bhxh_sdk import catalogue

    output: Output = ctx.obj
    found = catalogue.find_agencies(text, limit=limit)
    lines = [f"{agency.code}  {agency.name}" for agency in found] or [output.text("cli.agencies.none")]
    output.answer([_as_dict(agency) for agency in found], lines)
    return ExitCode.DONE


def _as_dict(agency: Agency) -> dict[str, Any]:
    return {"code": str(agency.code), "name": agency.name, "certainty": agency.certainty.value}
