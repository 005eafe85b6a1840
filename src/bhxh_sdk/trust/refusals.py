"""Refusals of this room: one code, and the same words as the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bhxh_sdk.errors import VerificationError

if TYPE_CHECKING:
    from bhxh_sdk.messages import Parameter

__all__ = ["refusal", "refusal_for"]

# The library's errors -> our code.
_BY_CLASS = {
    "PathBuildingError": "trust.untrusted",
    "DisallowedAlgorithmError": "trust.weak_algorithm",
}
# What the library's sentences say -> our code. Only the word depends on the sentence, never the verdict.
_BY_SENTENCE = (
    ("is not a CA", "trust.not_a_ca"),
    ("not allowed to sign certificates", "trust.not_a_ca"),
    ("maximum path length", "trust.path_length"),
    ("permitted namespace", "trust.name_constraints"),
    ("excluded from the namespace", "trust.name_constraints"),
    ("unsupported critical extension", "trust.critical_extension"),
    ("could not be verified", "trust.certificate_signature"),
    ("set of policies", "trust.certificate_policies"),
)


def refusal(code: str, **parameters: Parameter) -> VerificationError:
    """Return the error of that code; its reason is `revocation-stale` for `trust.revocation_stale`."""
    reason = code.removeprefix("trust.").replace("_", "-")
    facts: dict[str, Any] = {"reason": reason, **parameters}
    return VerificationError(code, **facts)


def refusal_for(error: Exception, name: str) -> VerificationError:
    """Return the refusal that an error of the library, or any other, stands for: when in doubt, no.

    Args:
        error: what came up.
        name: whose certificate was judged.

    """
    sentence = str(error)
    by_sentence = (code for fragment, code in _BY_SENTENCE if fragment in sentence)
    return refusal(_BY_CLASS.get(type(error).__name__) or next(by_sentence, "trust.unreadable"), name=name)
