"""The making of checks, and what all of them know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from bhxh_sdk.doctor.values import Check, CheckState

if TYPE_CHECKING:
    from bhxh_sdk.messages import Parameter

__all__ = ["Maker"]


@frozen
class Maker:
    """Make the checks of one name.

    Args:
        name: the checks' name.
        subject: what they speak of.
        headings: as in `Check`.

    """

    name: str
    subject: str = ""
    headings: tuple[str, ...] = ()

    def ok(self, matter: str = "ok", **parameters: Parameter) -> Check:
        """Say that all is well."""
        return self._made(CheckState.OK, matter, parameters)

    def warning(self, matter: str, **parameters: Parameter) -> Check:
        """Say what a person should look at."""
        return self._made(CheckState.WARNING, matter, parameters)

    def skipped(self, matter: str, **parameters: Parameter) -> Check:
        """Say what cannot be told, or was not asked for."""
        return self._made(CheckState.SKIPPED, matter, parameters)

    def failed(self, matter: str, *, grave: bool = True, **parameters: Parameter) -> Check:
        """Say what keeps somebody from signing; a warning where there is another way to sign."""
        return self._made(CheckState.FAILED if grave else CheckState.WARNING, matter, parameters)

    def _made(self, state: CheckState, matter: str, parameters: dict[str, Parameter]) -> Check:
        code = f"doctor.{self.name}.{matter}"
        return Check(
            name=self.name,
            state=state,
            code=code,
            subject=self.subject,
            parameters=parameters,
            headings=self.headings,
        )
