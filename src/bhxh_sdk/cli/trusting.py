"""Trust for `bhxh verify`: certificates and lists from files, the authorities online, kept evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from attrs import evolve, field, frozen

from bhxh_sdk import trust
from bhxh_sdk.cli import files
from bhxh_sdk.cli.certificates import certificates_in_folder
from bhxh_sdk.cli.output import Output  # noqa: TC001  # named in annotations of local variables
from bhxh_sdk.errors import InputError, UnreadableFileError, VerificationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from bhxh_sdk.models import CertificateInfo
    from bhxh_sdk.trust import Evidence, TrustPolicy, TrustReport

__all__ = ["TrustOptions", "trust_as_dict", "trust_lines"]

_LARGEST = 100_000_000
"""Most bytes of a revocation list: those of big authorities have tens of millions."""


@frozen(kw_only=True)
class TrustOptions:
    """Hold the options of `bhxh verify` that are about trust.

    Args:
        roots: folder of trusted certificates; None not to look at trust at all.
        intermediates: folder of certificates that may lie between.
        crls: files with revocation lists.
        online: whether the authorities are asked.
        evidence: where to keep what they said.
        force: whether a file there is replaced.
        from_evidence: file with kept evidence, to judge again from it alone.
        revocation: the mode; empty for `require` where there is something to judge by, else `off`.

    """

    roots: Path | None
    intermediates: Path | None = None
    crls: Sequence[Path] = ()
    online: bool = False
    evidence: Path | None = None
    force: bool = False
    from_evidence: Path | None = None
    revocation: str = ""
    _gathered: list[Evidence] = field(factory=list, init=False)

    def check(self) -> None:
        """Refuse options that do not go together, before anything is read.

        Raises:
            InputError: `field` names the option.

        """
        fresh = bool(self.crls) or self.online
        if self.roots is None and (fresh or self.intermediates or self.from_evidence or self.revocation):
            raise InputError("cli.roots_needed", field="roots")
        if self.from_evidence and fresh:
            raise InputError("cli.one_evidence", field="from_evidence")
        if self.evidence and not fresh:
            raise InputError("cli.no_evidence", field="evidence")
        if self.evidence:
            files.refuse_to_overwrite(self.evidence, force=self.force)

    @property
    def kept(self) -> str | None:
        """The file in which evidence was kept; None while none was."""
        return str(self.evidence) if self.evidence and self._gathered else None

    def judged(self, certificate: CertificateInfo, moment: datetime | None) -> TrustReport | None:
        """Judge a signer's certificate; what the authorities said is kept first, whatever the verdict.

        Args:
            certificate: the signer's.
            moment: when it must have been valid; None not to ask.

        Returns:
            What is known of its path; None where no roots are given.

        Raises:
            VerificationError: the certificate is not to be trusted.
            InputError: a file is not what it should be.

        """
        if moment is None:
            return None
        if self.roots is None:
            trust.check_validity(certificate, moment)
            return None
        policy = self._policy()
        evidence = self._evidence(certificate, policy, moment)
        if self.evidence and evidence:
            self._keep(self.evidence, evidence)
        return trust.judge(certificate, policy, moment, evidence)

    def _keep(self, path: Path, evidence: Evidence) -> None:
        """Write what is known of this signer and of those before it into one file."""
        self._gathered.append(evidence)
        force = self.force or len(self._gathered) > 1
        files.write(path, _together(self._gathered).to_bytes(), force=force)

    def _policy(self) -> TrustPolicy:
        proofs = self.crls or self.online or self.from_evidence
        return trust.TrustPolicy(
            roots=certificates_in_folder(self.roots, "roots") if self.roots else (),
            intermediates=(
                certificates_in_folder(self.intermediates, "intermediates") if self.intermediates else ()
            ),
            revocation=self.revocation or ("require" if proofs else "off"),
        )

    def _evidence(
        self, certificate: CertificateInfo, policy: TrustPolicy, moment: datetime
    ) -> Evidence | None:
        from bhxh_sdk.system import SystemClock

        if self.from_evidence:
            return _kept_in(self.from_evidence)
        if not self.crls and not self.online:
            return None
        lists = tuple(
            trust.RevocationList(content=trust.read_crl(files.read(path, "crl", largest=_LARGEST)))
            for path in self.crls
        )
        if not self.online:
            return trust.Evidence(gathered_at=SystemClock().now(), lists=lists)
        found = _asked(certificate, policy, moment)
        return evolve(found, lists=(*found.lists, *lists))


def _kept_in(path: Path) -> Evidence:
    try:
        return trust.Evidence.from_bytes(files.read(path, "from_evidence"))
    except VerificationError as error:  # it speaks of the file that was named, not of the document
        raise UnreadableFileError(error.code, field="from_evidence", name=str(path)) from error


def _together(gathered: Sequence[Evidence]) -> Evidence:
    """Return the evidence for several signers as one, each thing once."""
    return evolve(
        gathered[0],
        certificates=tuple(dict.fromkeys(each for one in gathered for each in one.certificates)),
        lists=tuple(dict.fromkeys(each for one in gathered for each in one.lists)),
        answers=tuple(dict.fromkeys(each for one in gathered for each in one.answers)),
        failures=tuple(dict.fromkeys(each for one in gathered for each in one.failures)),
    )


def _asked(certificate: CertificateInfo, policy: TrustPolicy, moment: datetime) -> Evidence:
    """Ask the authorities that a valid path names; no other host is called."""
    from bhxh_sdk.blocking import run_blocking
    from bhxh_sdk.system import SystemClock
    from bhxh_sdk.transport import HttpSender, Limits

    clock = SystemClock()
    hosts = {urlsplit(url).netloc for url in trust.addresses(certificate, policy, moment)}
    limits = Limits(raw_bytes=_LARGEST, decoded_bytes=_LARGEST)
    sender = HttpSender(clock, allowed_hosts=hosts, limits=limits)
    return run_blocking(trust.gather(certificate, policy, sender, clock, moment=moment))


def trust_as_dict(report: TrustReport | None, output: Output) -> dict[str, Any] | None:
    """Return the member `trust` of the JSON answer."""
    if report is None:
        return None
    return {
        "moment": report.moment.isoformat(),
        "revocation_proven": report.revocation_proven,
        "path": [
            {
                "subject": each.certificate.subject,
                "serial": each.certificate.serial_text,
                "revocation": each.revocation.value,
                "cause": each.cause,
                "source": each.source,
                "revoked_at": each.revoked_at.isoformat() if each.revoked_at else None,
            }
            for each in report.path
        ],
        "warnings": [
            {"code": each.code, "message": each.message(output.language)} for each in report.warnings
        ],
    }


def trust_lines(report: TrustReport | None, output: Output) -> Iterable[str]:
    """Yield what a person should know of the path."""
    if report is None:
        yield output.text("cli.verify.untrusted")
        return
    yield output.text("cli.verify.trusted", name=report.path[-1].certificate.common_name)
    if report.revocation_proven:
        yield output.text("cli.verify.not_revoked")
    for warning in report.warnings:
        yield f"  {warning.message(output.language)} [{warning.code}]"
