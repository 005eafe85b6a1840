"""Output: the answer on standard output, everything else on standard error.

With `--json` the answer is exactly one JSON document; an error is that document then.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from typing import TYPE_CHECKING, Any

from attrs import frozen

from bhxh_sdk import messages
from bhxh_sdk.cli.exit_codes import ExitCode, exit_code_of
from bhxh_sdk.cli.refusals import ChoiceNeededError
from bhxh_sdk.errors import InputError, RefusedError, SigningError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bhxh_sdk.errors import BhxhError
    from bhxh_sdk.findings import Finding
    from bhxh_sdk.messages import Language, Parameter

__all__ = ["Output", "OwnText", "finding_lines", "shown"]

# Controls, invisible marks (of direction too), line and paragraph separators, surrogates.
_UNSHOWN = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})

_WITH_FINDINGS = frozenset({"input.report", "cli.channel_file"})
_REMOTE_SECRET = "remote_"  # noqa: S105  # how the purpose of a question begins
_OF_SIGNING = ("signing.", "remote.")


class OwnText(str):
    """Text of our own whose line ends and colours a terminal shall get as they are."""

    __slots__ = ()


def shown(text: str) -> str:
    """Return one line for a terminal: what would steer or deceive it is spelt out as in JSON."""
    if text.isprintable() or isinstance(text, OwnText):
        return text
    return "".join(map(_spelt, text))


def _spelt(letter: str) -> str:
    if unicodedata.category(letter) not in _UNSHOWN:
        return letter
    return f"\\u{ord(letter):04x}" if ord(letter) <= 0xFFFF else f"\\U{ord(letter):08x}"  # noqa: PLR2004  # four digits hold no more


def _as_json(data: Any) -> str:  # noqa: ANN401  # any JSON value
    """Return a JSON document that a terminal may see too; Vietnamese letters stay readable."""
    content = json.dumps(data, ensure_ascii=False, indent=2)
    return "\n".join("".join(map(_json_spelt, line)) for line in content.split("\n"))


def _json_spelt(letter: str) -> str:
    return json.dumps(letter)[1:-1] if unicodedata.category(letter) in _UNSHOWN else letter


@frozen
class Output:
    """Speak to whoever runs the command.

    Args:
        language: the language of texts for people.
        as_json: whether standard output takes one JSON document and nothing else.

    """

    language: Language = "vi"
    as_json: bool = False

    @classmethod
    def from_arguments(cls, arguments: Sequence[str]) -> Output:
        """Read `--lang` and `--json` wherever they stand: a wrong call is answered in that manner too."""
        language: Language = "vi"
        for given, following in zip(arguments, (*arguments[1:], ""), strict=False):
            asked = following if given == "--lang" else given.removeprefix("--lang=")
            if given.startswith("--lang") and asked in messages.LANGUAGES:
                language = asked
        return cls(language, "--json" in arguments)

    def text(self, code: str, **parameters: Parameter) -> str:
        """Return the text of a code."""
        return messages.text(code, self.language, parameters)

    def answer(self, data: Any, lines: Iterable[str]) -> None:  # noqa: ANN401  # any JSON value
        """Give the answer: the data with `--json`, the lines to people."""
        content = _as_json(data) if self.as_json else "\n".join(map(shown, lines))
        print(content, flush=True)

    def note(self, code: str, **parameters: Parameter) -> None:
        """Tell a person something beside the answer."""
        self.aside(self.text(code, **parameters))

    def aside(self, line: str) -> None:
        """Write a line to standard error."""
        print(shown(line), file=sys.stderr, flush=True)

    def failure(self, error: BhxhError) -> ExitCode:
        """Tell what went wrong and what to do, and return the exit code."""
        if self.as_json:
            self.answer({"error": self._error_as_dict(error)}, ())
        else:
            for line in self._error_lines(error):
                self.aside(line)
        return exit_code_of(type(error))

    def _message(self, error: BhxhError) -> str:
        own = f"cli.own.{_own_code(error)}"
        text = messages.text(own, self.language, _places(error))
        return messages.text(error.code, self.language, _places(error)) if text == own else text

    def _hint(self, error: BhxhError) -> str:
        """Return what to do on the command line: a hint may be written for a caller in Python."""
        places = _places(error)
        filed = messages.hint(f"cli.filed.{error.code}", self.language, places) if "key" in places else ""
        own = filed or messages.hint(f"cli.own.{_own_code(error)}", self.language, places)
        return own or error.hint(self.language)

    def _error_as_dict(self, error: BhxhError) -> dict[str, Any]:
        data = {**error.as_dict(self.language), "reference": error.reference, "key": _key(error)}
        data |= {"message": self._message(error), "hint": self._hint(error)}
        if isinstance(error, InputError) and error.code in _WITH_FINDINGS:
            data["findings"] = error.report.as_dict(self.language)["findings"]
        if isinstance(error, ChoiceNeededError):
            from bhxh_sdk.cli.views import offered_as_dict

            data["certificates"] = [offered_as_dict(item) for item in error.offered]
        if isinstance(error, RefusedError):
            data |= {"agency_code": error.agency_code, "agency_text": error.agency_text}
        return data

    def _error_lines(self, error: BhxhError) -> Iterable[str]:
        yield f"{self.text('cli.error')}: {self._message(error)} [{error.code}]"
        if isinstance(error, InputError) and error.code in _WITH_FINDINGS:
            yield from finding_lines(error.report.errors, self)
        if isinstance(error, ChoiceNeededError):
            from bhxh_sdk.cli.views import offered_lines

            yield from offered_lines(error.offered, self)
        if hint := self._hint(error):
            yield f"  → {hint}"
        if key := _key(error):
            yield f"  {self.text('cli.reference')}: {key}"


def _key(error: BhxhError) -> str:
    """Return the registration's key; the reference of a signing error is a transaction, which is none."""
    of_signing = isinstance(error, SigningError) or error.code.startswith(_OF_SIGNING)
    return str(error.parameters.get("key", "" if of_signing else error.reference))


def _own_code(error: BhxhError) -> str:
    """Return the code of our own texts: a secret of a remote signer has a place in its profile."""
    asked = error.code == "person_needed.nobody_to_ask" and error.field.startswith(_REMOTE_SECRET)
    return "person_needed.remote_secret" if asked else error.code


def _places(error: BhxhError) -> dict[str, Parameter]:
    secret = error.field.removeprefix(_REMOTE_SECRET)
    places = {"field": error.field, "reference": error.reference, "secret": secret, **error.parameters}
    if error.code.startswith("workflow.") and "state" in places:
        places["state"] = messages.Term(f"state.{places['state']}")
    return places


def finding_lines(findings: Iterable[Finding], output: Output) -> Iterable[str]:
    """Yield each finding with its field and code, and how to mend it."""
    for finding in findings:
        kind = output.text(f"cli.severity.{finding.severity.value}")
        place = f"{finding.field}: " if finding.field else ""
        yield f"{kind}  {place}{finding.message(output.language)} [{finding.code}]"
        if hint := finding.hint(output.language):
            yield f"  → {hint}"
