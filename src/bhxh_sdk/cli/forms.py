"""`bhxh check` and `bhxh build`: a form file is judged, and becomes the unsigned document."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bhxh_sdk.cli import options  # noqa: TC001  # typer reads the annotations at run time
from bhxh_sdk.cli.exit_codes import ExitCode
from bhxh_sdk.cli.output import Output, finding_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bhxh_sdk.findings import Report
    from bhxh_sdk.messages import Language
    from bhxh_sdk.models import Document, Registration
    from bhxh_sdk.xml import DocumentProfile

__all__ = ["build", "check"]

_CertificateFile = Annotated[Path | None, typer.Option("--certificate", metavar="FILE")]


def check(
    ctx: typer.Context,
    form: options.FormFile,
    certificate: _CertificateFile = None,
    signer: options.OptionalSignerUri = "",
    attachments_from: options.AttachmentsFrom = None,
) -> ExitCode:
    """Print every finding about a form."""
    from bhxh_sdk.cli.checking import report_on

    output: Output = ctx.obj
    report = report_on(
        form, output, certificate=certificate, signer=signer, attachments_from=attachments_from
    )
    output.answer(report.as_dict(output.language), _report_lines(report, output))
    return ExitCode.DONE if report.ok else ExitCode.WRONG_INPUT


def _report_lines(report: Report, output: Output) -> Iterable[str]:
    yield from finding_lines(report, output)
    code = "cli.check.ok" if report.ok else "cli.check.not_ok"
    yield output.text(code, errors=len(report.errors), warnings=len(report.warnings))


def build(
    ctx: typer.Context,
    form: options.FormFile,
    out: options.OutFile,
    profile: Annotated[str, typer.Option("--profile", metavar="NAME")] = "",
    certificate: _CertificateFile = None,
    signer: options.OptionalSignerUri = "",
    attachments_from: options.AttachmentsFrom = None,
    force: options.Force = False,
) -> ExitCode:
    """Write the unsigned document of a form that has no mistakes."""
    from bhxh_sdk import catalogue, xml
    from bhxh_sdk.cli import checking, files
    from bhxh_sdk.cli.form_files import read_form
    from bhxh_sdk.errors import InputError
    from bhxh_sdk.system import SystemClock
    from bhxh_sdk.workflow import completed, vietnamese_date

    output: Output = ctx.obj
    files.refuse_to_overwrite(out, force=force)
    read = read_form(form, attachments_from)
    chosen = checking.certificate_for(read, output, certificate=certificate, signer=signer)
    report = checking.judged(read, chosen)
    if not report.ok:
        raise InputError.of(report)
    ready = completed(read, catalogue.shipped(), vietnamese_date(SystemClock().now()))
    document = xml.build(ready, _profile(profile, ready), certificate=chosen)
    files.write(out, document.content, force=force)
    output.answer(
        _as_dict(out, document, report, output.language), _built_lines(out, document, report, output)
    )
    return ExitCode.DONE


def _profile(name: str, form: Registration) -> DocumentProfile:
    """Return a shipped profile by its name, or an integrator's from a TOML file."""
    from bhxh_sdk import xml
    from bhxh_sdk.cli import files

    if not name:
        return xml.profile_for(form)
    if not name.endswith(".toml"):
        return xml.profile(name)
    files.read(Path(name), "profile")
    return xml.load_profile(Path(name))


def _as_dict(out: Path, document: Document, report: Report, language: Language) -> dict[str, Any]:
    return {
        "file": str(out),
        "profile": document.profile,
        "bytes": len(document.content),
        "sha256": hashlib.sha256(document.content).hexdigest(),
        "warnings": [finding.as_dict(language) for finding in report.warnings],
    }


def _built_lines(out: Path, document: Document, report: Report, output: Output) -> Iterable[str]:
    yield from finding_lines(report.warnings, output)
    yield output.text("cli.build.done", path=str(out), profile=document.profile)
