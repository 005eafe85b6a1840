"""The choice between certificates where nobody sits at the terminal: refused, with the list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from bhxh_sdk.cli import people
from bhxh_sdk.cli.refusals import ChoiceNeededError
from bhxh_sdk.errors import PersonNeededError
from bhxh_sdk.system import AskPerson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bhxh_sdk.cli.output import Output
    from bhxh_sdk.ports import Question
    from bhxh_sdk.signers import Signer, SigningCertificate

__all__ = ["asking_for"]


def asking_for(
    signer: Signer | None, output: Output, code: str = ChoiceNeededError.default_code
) -> AskPerson:
    """Return whom to ask, as `people.asking` does; what nobody can choose from is listed in the refusal.

    Args:
        signer: what the certificates are on; None where none will be asked for.
        output: where people are asked.
        code: code of the refusal; its hint says how this command is told which one to take.

    """
    if signer is None or people.interactive():
        return people.asking(output)

    async def refuse(question: Question) -> NoReturn:
        if question.purpose != "choose_certificate":
            raise PersonNeededError("person_needed.nobody_to_ask", field=question.purpose)
        offered = tuple(item for item in await signer.certificates() if _is_among(item, question.choices))
        raise ChoiceNeededError(code, field=question.purpose, offered=offered, count=len(offered))

    return AskPerson(on_choose=refuse)


def _is_among(item: SigningCertificate, choices: Sequence[str]) -> bool:
    """Tell whether a certificate is one of those in the question, which tells their serial numbers."""
    return any(f", {item.certificate.serial_text}, " in choice for choice in choices)
