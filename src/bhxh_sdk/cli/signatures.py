"""`bhxh certificates`, `bhxh sign` and `bhxh verify`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from bhxh_sdk.cli import options  # noqa: TC001  # typer reads the annotations at run time
from bhxh_sdk.cli.exit_codes import ExitCode, exit_code_of
from bhxh_sdk.cli.output import Output  # noqa: TC001  # named in annotations of local variables
from bhxh_sdk.cli.views import certificate_lines, offered_as_dict, offered_lines, signer_as_dict
from bhxh_sdk.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bhxh_sdk.cli.trusting import TrustOptions
    from bhxh_sdk.errors import BhxhError, VerificationError
    from bhxh_sdk.models import CertificateInfo, Document
    from bhxh_sdk.trust import TrustReport
    from bhxh_sdk.workflow import SigningOutcome
    from bhxh_sdk.xml import Verified

__all__ = ["certificates", "sign", "verify"]

_XmlFile = Annotated[Path, typer.Argument(metavar="FILE.xml")]


def certificates(ctx: typer.Context, signer: options.SignerUri) -> ExitCode:
    """List what a signer can sign with."""
    from bhxh_sdk.cli.signing import listed

    output: Output = ctx.obj
    offered, comes_later = listed(signer, output)
    nothing = output.text("cli.certificates.later" if comes_later else "cli.certificates.none")
    lines = offered_lines(offered, output) if offered else [nothing]
    output.answer([offered_as_dict(item) for item in offered], lines)
    return ExitCode.DONE


def sign(
    ctx: typer.Context,
    documents: Annotated[list[Path], typer.Argument(metavar="IN.xml...")],
    out: options.OutFile,
    signer: options.SignerUri,
    at: options.At = "Hoso/CKy_Dvi",
    certificate: Annotated[str, typer.Option("--certificate", metavar="SERIAL")] = "",
    force: options.Force = False,
) -> ExitCode:
    """Sign documents in the shape that the agency's systems use."""
    from bhxh_sdk.cli import files
    from bhxh_sdk.cli.signing import signing

    output: Output = ctx.obj
    targets = _targets(documents, out)
    for source, target in targets.items():
        files.refuse_to_overwrite(target, force=force)
        files.read(source, "IN")  # nothing is signed while one of them cannot be read
    with signing(signer, output, wanted=certificate) as opened:
        pairs = list(targets.items())
        run = opened.sign_all((_document(source) for source in targets), at=at)
        rows = [_written(outcome, *pairs[outcome.index], force=force) for outcome in run]
        chosen = opened.certificate
    if len(rows) == 1 and not out.is_dir():
        return _one_signed(rows[0], at, chosen, output)
    data = {"files": [_row_as_dict(row, output) for row in rows], "at": at, "signer": signer_as_dict(chosen)}
    output.answer(data, _rows_lines(rows, chosen, output))
    failed = [row.error for row in rows if row.error is not None]
    return exit_code_of(type(failed[0])) if failed else ExitCode.DONE


class _Written(NamedTuple):
    """Hold what became of one file."""

    source: Path
    target: Path
    size: int
    error: BhxhError | None


def _targets(documents: Sequence[Path], out: Path) -> dict[Path, Path]:
    """Return where each file goes: one to the file named, several into the folder named."""
    if len(documents) == 1 and not out.is_dir():
        return {documents[0]: out}
    if not out.is_dir():
        raise InputError("cli.no_folder", field="output", name=str(out))
    targets: dict[Path, Path] = {}
    for source in documents:
        if out / source.name in targets.values():
            raise InputError("cli.same_name", field="IN", name=source.name)
        targets[source] = out / source.name
    return targets


def _document(source: Path) -> Document:
    from bhxh_sdk.cli import files
    from bhxh_sdk.models import Document

    return Document(file_name=source.name, content=files.read(source, "IN"))


def _written(outcome: SigningOutcome, source: Path, target: Path, *, force: bool) -> _Written:
    from bhxh_sdk.cli import files

    if outcome.signed is None:
        return _Written(source, target, 0, outcome.error)
    files.write(target, outcome.signed.content, force=force)
    return _Written(source, target, len(outcome.signed.content), None)


def _one_signed(row: _Written, at: str, chosen: CertificateInfo, output: Output) -> ExitCode:
    if row.error is not None:
        raise row.error
    data = {"file": str(row.target), "bytes": row.size, "at": at, "signer": signer_as_dict(chosen)}
    done = output.text("cli.sign.done", path=str(row.target))
    output.answer(data, [done, *certificate_lines(chosen, output)])
    return ExitCode.DONE


def _row_as_dict(row: _Written, output: Output) -> dict[str, Any]:
    if row.error is not None:
        return {"source": str(row.source), "file": None, "error": row.error.as_dict(output.language)}
    return {"source": str(row.source), "file": str(row.target), "bytes": row.size, "error": None}


def _rows_lines(rows: Sequence[_Written], chosen: CertificateInfo, output: Output) -> Iterable[str]:
    for row in rows:
        if row.error is None:
            yield output.text("cli.sign.done", path=str(row.target))
        else:
            reason = f"{row.error.message(output.language)} [{row.error.code}]"
            yield output.text("cli.sign.not_done", path=str(row.source), reason=reason)
    yield from certificate_lines(chosen, output)


def verify(
    ctx: typer.Context,
    document: _XmlFile,
    *,
    at: Annotated[str | None, typer.Option("--at", metavar="PATH")] = None,
    profile: Annotated[str, typer.Option("--profile", metavar="NAME")] = "field",
    countersigned: Annotated[bool, typer.Option("--countersigned")] = False,
    size_limit: Annotated[int | None, typer.Option("--size-limit", metavar="MIB", min=1)] = None,
    roots: Annotated[Path | None, typer.Option("--roots", metavar="DIR")] = None,
    intermediates: Annotated[Path | None, typer.Option("--intermediates", metavar="DIR")] = None,
    crl: Annotated[list[Path] | None, typer.Option("--crl", metavar="FILE")] = None,
    online: Annotated[bool, typer.Option("--online")] = False,
    evidence: Annotated[Path | None, typer.Option("--evidence", metavar="OUT")] = None,
    force: options.Force = False,
    from_evidence: Annotated[Path | None, typer.Option("--from-evidence", metavar="FILE")] = None,
    revocation: Annotated[str, typer.Option("--revocation", metavar="MODE")] = "",
    moment: Annotated[datetime | None, typer.Option("--moment")] = None,
) -> ExitCode:
    """Verify a document's signature strictly, and the signer's certificate where roots are given."""
    from bhxh_sdk.cli.trusting import TrustOptions

    demanded = TrustOptions(
        roots=roots,
        intermediates=intermediates,
        crls=crl or (),
        online=online,
        evidence=evidence,
        force=force,
        from_evidence=from_evidence,
        revocation=revocation,
    )
    demanded.check()
    if at is not None and countersigned:
        raise InputError("cli.at_or_countersigned", field="at")
    wanted = _Wanted(at, profile, countersigned, size_limit)
    return _judged(document, wanted, demanded, _moment(moment, judged=roots is not None), ctx.obj)


class _Wanted(NamedTuple):
    """Say which signature is asked for."""

    at: str | None
    profile: str
    countersigned: bool
    mebibytes: int | None

    def place(self, error: VerificationError) -> str:
        from bhxh_sdk import xml

        return error.field if self.countersigned else self.at or xml.signature_profile(self.profile).at


def _judged(
    document: Path, wanted: _Wanted, demanded: TrustOptions, when: datetime | None, output: Output
) -> ExitCode:
    from bhxh_sdk.errors import VerificationError

    signatures: list[_Judged] = []
    known: Verified | None = None
    try:
        for known in _proven(document, wanted):
            signatures.append(_Judged(known, demanded.judged(known.certificate, when)))
    except VerificationError as error:
        facts = {"at": wanted.place(error)} if known is None else _verified_as_dict(known)
        answer = _invalid_as_dict(error, output) | facts | {"evidence": demanded.kept}
        output.answer(answer, _invalid_lines(error, known, demanded.kept, output))
        return ExitCode.REFUSED
    answer = _valid_as_dict(signatures, output) | {"evidence": demanded.kept}
    output.answer(answer, _valid_lines(signatures, demanded.kept, output))
    return ExitCode.DONE


class _Judged(NamedTuple):
    """Hold a valid signature and what is known of its certificate's path."""

    verified: Verified
    report: TrustReport | None


def _proven(document: Path, wanted: _Wanted) -> tuple[Verified, ...]:
    """Return the signatures, the employer's first."""
    from bhxh_sdk import xml
    from bhxh_sdk.cli import files

    limit = xml.SIZE_LIMIT if wanted.mebibytes is None else wanted.mebibytes * 1024 * 1024
    content = files.read(document, "FILE", largest=max(files.LARGEST_FILE, limit))
    if not wanted.countersigned:
        return (xml.verify(content, at=wanted.at, profile=wanted.profile, thorough=True, size_limit=limit),)
    both = xml.verify_countersigned(content, profile=wanted.profile, thorough=True, size_limit=limit)
    return both.employer, both.ivan


def _moment(asked: datetime | None, *, judged: bool) -> datetime | None:
    """Return when the certificate must have been valid: now, unless another time is asked for."""
    from bhxh_sdk.system import SystemClock

    if asked is None:
        return SystemClock().now() if judged else None
    try:
        return asked.astimezone(UTC)
    except (OverflowError, ValueError, OSError):
        raise InputError("cli.bad_moment", field="moment", name=asked.isoformat()) from None


def _invalid_as_dict(error: VerificationError, output: Output) -> dict[str, Any]:
    return {
        "valid": False,
        "reason": error.reason,
        "signer": None,
        "algorithm": None,
        "trust": None,
        "code": error.code,
        "message": error.message(output.language),
        "hint": error.hint(output.language),
    }


def _invalid_lines(
    error: VerificationError, known: Verified | None, kept: str | None, output: Output
) -> Iterable[str]:
    reason = f"{error.message(output.language)} [{error.code}]"
    if known is None:
        yield output.text("cli.verify.invalid")
        yield f"  {reason}"
    else:
        yield output.text("cli.verify.not_accepted", reason=reason)
        yield from certificate_lines(known.certificate, output)
    yield f"  → {error.hint(output.language)}"
    yield from _kept_lines(kept, output)


def _kept_lines(kept: str | None, output: Output) -> Iterable[str]:
    if kept:
        yield output.text("cli.verify.kept", path=kept)


def _verified_as_dict(verified: Verified) -> dict[str, Any]:
    claimed = verified.signing_time
    return {
        "signer": signer_as_dict(verified.certificate),
        "algorithm": verified.algorithm,
        "at": verified.at,
        "signing_time": claimed.isoformat() if claimed else None,
    }


def _judged_as_dict(judged: _Judged, output: Output) -> dict[str, Any]:
    from bhxh_sdk.cli.trusting import trust_as_dict

    trusted = {"trusted": judged.report is not None, "trust": trust_as_dict(judged.report, output)}
    return _verified_as_dict(judged.verified) | trusted


def _valid_as_dict(signatures: Sequence[_Judged], output: Output) -> dict[str, Any]:
    first, *above = signatures
    return {
        "valid": True,
        "reason": "",
        **_judged_as_dict(first, output),
        "countersignature": _judged_as_dict(above[0], output) if above else None,
        "signed": first.verified.content.decode(),
    }


def _valid_lines(signatures: Sequence[_Judged], kept: str | None, output: Output) -> Iterable[str]:
    from bhxh_sdk.cli.trusting import trust_lines

    for verified, report in signatures:
        yield output.text("cli.verify.valid", algorithm=verified.algorithm, at=verified.at)
        yield from certificate_lines(verified.certificate, output)
        yield from trust_lines(report, output)
    yield from _kept_lines(kept, output)
    yield output.text("cli.verify.signed")
    yield from signatures[0].verified.content.decode().expandtabs().split("\n")
