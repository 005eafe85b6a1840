"""Look at one PKCS#11 module from a process of its own: `python -m bhxh_sdk.signers.pkcs11.probe PATH`.

Two lines of JSON on standard output: the first says that the process has begun, the second what was found. No
PIN is ever asked for or sent. A driver that crashes or hangs takes only this process with it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from attrs import field, frozen
from attrs.validators import in_

from bhxh_sdk.errors import BhxhError
from bhxh_sdk.signers.pkcs11.child import end_at_once, end_in, private_pipes
from bhxh_sdk.signers.pkcs11.contract import CkrError, TokenInfo
from bhxh_sdk.signers.pkcs11.file_header import fits_this_process, read_header
from bhxh_sdk.signers.pkcs11.wire import encoded, wire_value

if TYPE_CHECKING:
    from bhxh_sdk.signers.pkcs11.contract import Module

__all__ = [
    "BEGUN",
    "LONGEST_SECONDS",
    "OUTCOMES",
    "ProbeAnswer",
    "ProbedToken",
    "answer_for",
    "header_answer",
    "main",
]

LONGEST_SECONDS = 30.0
"""When the process ends itself, should nobody else do it."""

BEGUN = b'{"hello":"bhxh-pkcs11-probe"}\n'
"""The first line: what goes wrong after it is the driver's fault."""

OUTCOMES = frozenset(
    {
        *("not_there", "wrong_architecture", "not_pkcs11"),
        *("crashed", "hung", "failed", "no_token", "token"),
    }
)
"""The words for what became of a module."""


@frozen(kw_only=True)
class ProbedToken:
    """A token and the certificates that it shows without a PIN.

    Args:
        token: the token.
        certificates: DER, as the token gives them.

    """

    token: TokenInfo
    certificates: tuple[bytes, ...] = ()


@frozen(kw_only=True)
class ProbeAnswer:
    """What was found out about a module.

    Args:
        outcome: `not_there`, `wrong_architecture`, `not_pkcs11`, `failed`, `no_token` or `token`; who waited
            for the answer adds `crashed` and `hung`.
        detail: what else is known, such as a CKR.
        binding: the binding that loaded it.
        description: what the module calls itself.
        tokens: the tokens.

    """

    outcome: str = field(validator=in_(OUTCOMES))
    detail: str = ""
    binding: str = ""
    description: str = ""
    tokens: tuple[ProbedToken, ...] = ()


def header_answer(path: str) -> ProbeAnswer | None:
    """Tell by its header alone why a file cannot be loaded here; None where it can be tried.

    Args:
        path: the file.

    """
    header = read_header(path)
    if header.problem == "not_there":
        return ProbeAnswer(outcome="not_there")
    if not header.machines:
        return ProbeAnswer(outcome="not_pkcs11", detail=header.problem)
    if not fits_this_process(header):
        return ProbeAnswer(outcome="wrong_architecture", detail=", ".join(header.machines))
    if not header.exports_entry:
        return ProbeAnswer(outcome="not_pkcs11", detail=header.problem or "no_entry")
    return None


def answer_for(path: str, binding: str = "") -> ProbeAnswer:
    """Load a module in this process and look at its tokens.

    Args:
        path: the file.
        binding: the binding to use; empty for the one that is there.

    """
    if (known := header_answer(path)) is not None:
        return known
    from bhxh_sdk.signers.pkcs11.loading import load_module  # noqa: PLC0415  # after the cheap questions

    try:
        module = load_module(path, binding)
        return _looked_at(module)
    except CkrError as error:
        return ProbeAnswer(outcome="failed", detail=_told(error))
    except BhxhError as error:
        return ProbeAnswer(outcome="failed", detail=error.code)


def main(arguments: list[str]) -> None:
    """Answer for the module named first; a binding may be named after it."""
    _, out = private_pipes()
    end_in(LONGEST_SECONDS)
    out.write(BEGUN)
    out.flush()
    out.write(encoded(wire_value(answer_for(*arguments[:2]))))
    out.flush()
    end_at_once()


def _looked_at(module: Module) -> ProbeAnswer:
    tokens = tuple(ProbedToken(token=token, certificates=_shown(module, token)) for token in module.tokens())
    return ProbeAnswer(
        outcome="token" if tokens else "no_token",
        binding=module.binding,
        description=module.info().description,
        tokens=tokens,
    )


def _shown(module: Module, token: TokenInfo) -> tuple[bytes, ...]:
    try:
        session = module.open(token.slot)
    except CkrError:
        return ()
    try:
        return tuple(certificate.der for certificate in session.certificates())
    except CkrError:
        return ()
    finally:
        session.close()


def _told(error: CkrError) -> str:
    return f"{error.call}: {error.name or '?' if error.code is None else f'{error.code:#x}'}"


if __name__ == "__main__":
    main(sys.argv[1:])
