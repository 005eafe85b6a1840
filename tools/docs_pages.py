"""Write the generated parts of the documentation (`write`) or tell whether they are current (`check`).

A page marks a generated part by the comments `<!-- made: NAME -->` and `<!-- end -->`; what stands around it
is written by hand. The parts are made from the tables and marks that the code itself works with, so that a
page cannot say anything else than the code does.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bhxh_sdk import catalogue, errors, messages, remote_errors, token_errors, transport, workflow, xml
from bhxh_sdk.cli.exit_codes import ExitCode, exit_code_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from bhxh_sdk.models import Certainty
    from bhxh_sdk.workflow import GuideStep

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"

_PART = re.compile(r"(<!-- made: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    head = tuple(head)
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


# What is proven


def documents() -> str:
    """Each document profile: how many of its elements are seen, likely and unknown."""
    marks = [mark.value for mark in _certainties()]
    rows = []
    for name in dict.fromkeys(proof.profile for proof in xml.proofs()):
        proofs = [proof for proof in xml.proofs() if proof.profile == name]
        whole = next(proof for proof in proofs if not proof.element)
        elements = [proof for proof in proofs if proof.element]
        counts = [sum(proof.certainty.value == mark for proof in elements) for mark in marks]
        rows.append([f"`{name}`", whole.certainty.value, *map(str, counts), whole.note])
    return table(("profile", "the document as a whole", *(f"{mark} elements" for mark in marks), "why"), rows)


def _certainties() -> tuple[Certainty, ...]:
    used = {proof.certainty for proof in xml.proofs()}
    return tuple(mark for mark in type(next(iter(used))) if mark in used)


def unproven_elements() -> str:
    """Every element that is not seen, with the reason given in the data."""
    proofs = (proof for proof in xml.proofs() if proof.element and proof.certainty.value != "seen")
    return table(
        ("profile", "element", "certainty", "note"),
        ((f"`{proof.profile}`", f"`{proof.element}`", proof.certainty.value, proof.note) for proof in proofs),
    )


def endpoints() -> str:
    """Every operation of the shipped endpoint profiles."""
    return table(
        ("profile", "operation", "certainty", "tried on the live service", "note"),
        (row for profile in _live_profiles() for row in _endpoint_rows(profile)),
    )


def _live_profiles() -> Iterator[transport.EndpointProfile]:
    """The shipped profiles of real services; the sandbox's own prove nothing."""
    for file in sorted((ROOT / "src/bhxh_sdk/transport/data").glob("*.toml")):
        if not file.stem.endswith("-sandbox"):
            yield transport.EndpointProfile.shipped(file.stem)


def _endpoint_rows(profile: transport.EndpointProfile) -> Iterator[tuple[str, ...]]:
    tried = "yes" if profile.proven else "no"
    for name, endpoint in profile.operations.items():
        yield f"`{profile.name}`", f"`{name}`", endpoint.certainty.value, tried, endpoint.note


def lists() -> str:
    """Every shipped code list with its source."""
    return table(
        ("list", "rows", "as of", "source", "certainty", "gaps"),
        (
            (f"`{source.name}`", str(source.rows), source.as_of, source.source, source.certainty, source.gaps)
            for source in catalogue.sources()
        ),
    )


# Remote and SIM signing

_DIALECTS = ROOT / "src/bhxh_sdk/signers/remote/data"
_MEMBER = re.compile(r'(?P<name>\w+) *= *(?:"[^"]*"|[^"#])*(?:# *(?P<note>.*))?')
_TABLE = re.compile(r"\[(?P<name>\w+)\] *(?:# *(?P<note>.*))?")
_MARK = re.compile(
    r"(?P<mark>seen|likely|unknown|sources conflict)(?=$|[:,;]| (?:for|in|there)\b)(?P<why>.*)"
)
_MARKS = ("seen", "likely", "sources conflict", "unknown")
_TRIED = {"csc-v1": "the sandbox; certomancer-csc-dummy 0.4.2, a test server that others wrote"}


class Member(NamedTuple):
    """One member of a dialect: its mark, or an empty text, and what the data say beside it."""

    name: str
    mark: str
    why: str


def members(text: str) -> Iterator[Member]:
    """Every member of a dialect's file; one without a mark has that of the table or comment above it."""
    place = above = told = ""
    for line in text.splitlines():
        if table_head := _TABLE.fullmatch(line):
            place, above, told = f"{table_head['name']}.", table_head["note"] or told, ""
        elif member := _MEMBER.fullmatch(line):
            own = _MARK.match(member["note"] or "")
            found = own or _MARK.match(above if place else "")
            note = found["why"].strip(" :,;") if found else ""
            yield Member(f"{place}{member['name']}", found["mark"] if found else "", note)
        elif line.startswith("#"):
            told = f"{told} {line.strip('# ')}".strip()
        else:
            told = ""


def _dialects() -> Iterator[tuple[str, str]]:
    for file in sorted(_DIALECTS.glob("*.toml")):
        yield file.stem, file.read_text(encoding="utf-8")


def dialects() -> str:
    """Each shipped dialect: where it comes from, its marks, and what it was tried with."""
    rows = []
    for name, text in _dialects():
        marks = [member.mark for member in members(text)]
        counts = [str(marks.count(mark)) for mark in (*_MARKS, "")]
        rows.append([f"`{name}`", _origin(text), *counts, _TRIED.get(name, "the sandbox"), "nobody"])
    head = (*_MARKS, "without a mark", "tried with", "with a live service")
    return table(("dialect", "where it comes from", *head), rows)


def _origin(text: str) -> str:
    """The comment at the head of a file, and its own word on its certainty."""
    head = text.split("\n\n", 1)[0]
    comment = " ".join(line.strip("# ") for line in head.splitlines() if line.startswith("#"))
    return f"{comment} {tomllib.loads(text).get('certainty', '')}".strip()


def unproven_members() -> str:
    """Every member of a dialect that is marked as not seen."""
    rows = (
        (f"`{name}`", f"`{member.name}`", member.mark, member.why)
        for name, text in _dialects()
        for member in members(text)
        if member.mark not in {"", "seen"}
    )
    return table(("dialect", "member", "certainty", "note"), rows)


# Steps and states


def steps() -> str:
    """The 29 steps: what finishes each, and the routes it belongs to."""
    return table(("step", "tiếng Việt", "English", "done by", "routes"), map(_step_row, workflow.STEPS))


def _step_row(step: GuideStep) -> tuple[str, ...]:
    events = ", ".join(f"`{kind.value}`" for kind in sorted(step.done_by, key=lambda kind: kind.value))
    routes = ", ".join(route.value for route in workflow.Route if route in step.routes)
    return str(step.number), step.title("vi"), step.title("en"), events, routes


def state_diagram() -> str:
    """The table of states as a diagram."""
    return f"```mermaid\n{workflow.mermaid()}\n```"


def states() -> str:
    """Every state, and what somebody has to do in it."""
    return table(
        ("state", "tiếng Việt", "what comes next"),
        (
            (
                f"`{state.value}`",
                messages.text(f"state.{state.value}", "vi"),
                messages.text(f"next.{state.value}", "en", {"key": "KEY"}),
            )
            for state in workflow.State
        ),
    )


# Errors


def error_table() -> str:
    """Every class of the error tree."""
    return table(
        ("class", "code", "exit code", "retry", "what it means"), map(_error_row, _tree(errors.BhxhError))
    )


def _tree(kind: type[errors.BhxhError]) -> Iterator[type[errors.BhxhError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ in {errors.__name__, remote_errors.__name__, token_errors.__name__}:
            yield from _tree(child)


def _error_row(kind: type[errors.BhxhError]) -> tuple[str, ...]:
    first_line = (kind.__doc__ or "").strip().splitlines()[0]
    code = str(int(exit_code_of(kind)))
    return f"`{kind.__name__}`", f"`{kind.default_code}`", code, kind.retry.value, first_line


_EXIT_CODES = {
    ExitCode.DONE: "done",
    ExitCode.REFUSED: "verification failed, or the agency refused",
    ExitCode.WRONG_INPUT: "the input is wrong, or the command is",
    ExitCode.SETUP_MISSING: "set-up is missing: an extra, a journal, a channel, a signer",
    ExitCode.NOT_SIGNED: "signing failed; nothing was sent",
    ExitCode.OUTCOME_UNKNOWN: "the outcome is unknown, or nothing was sent: `bhxh resume` later",
    ExitCode.PERSON_NEEDED: "waiting for a person",
    ExitCode.UNFORESEEN: "a fault of the program; look at `bhxh status` before repeating anything",
    ExitCode.INTERRUPTED: "stopped by Ctrl-C",
}


def exit_codes() -> str:
    """Every exit code of the command line."""
    return table(("exit code", "meaning"), ((str(int(code)), _EXIT_CODES[code]) for code in ExitCode))


# Names

_ROOMS = (
    "", "models", "catalogue", "trust", "rules", "xml", "signers", "signers.pkcs11", "transport", "workflow",
    "doctor", "sandbox", "findings", "errors", "token_errors", "remote_errors", "ports",
)  # fmt: skip


def public_names() -> str:
    """Every public name of the front door and the rooms, with the first line of its documentation."""
    return "\n\n".join(_room_section(f"bhxh_sdk.{room}".rstrip(".")) for room in _ROOMS)


def _room_section(module_name: str) -> str:
    module = importlib.import_module(module_name)
    rows = ((f"`{name}`", _first_line(getattr(module, name))) for name in sorted(module.__all__))
    return f"## `{module_name}`\n\n{table(('name', 'what it is'), rows)}"


def _first_line(value: object) -> str:
    described = inspect.isclass(value) or inspect.isroutine(value) or inspect.ismodule(value)
    lines = (inspect.getdoc(value) or "").splitlines() if described else []
    return lines[0] if lines else f"a {type(value).__name__}"


PARTS: dict[str, Callable[[], str]] = {
    "documents": documents,
    "unproven-elements": unproven_elements,
    "endpoints": endpoints,
    "lists": lists,
    "dialects": dialects,
    "unproven-members": unproven_members,
    "steps": steps,
    "state-diagram": state_diagram,
    "states": states,
    "errors": error_table,
    "exit-codes": exit_codes,
    "public-names": public_names,
}
"""Every generated part by its name."""


def renewed(text: str) -> str:
    """A page with its generated parts made anew."""
    return _PART.sub(lambda part: f"{part[1]}\n{PARTS[part['name']]()}\n\n{part[3]}", text)


def stale(docs: Path = DOCS) -> list[Path]:
    """Pages whose generated parts are not what the code says."""
    pages = sorted(docs.rglob("*.md"))
    return [page for page in pages if renewed(text := page.read_text(encoding="utf-8")) != text]


def main(arguments: list[str], docs: Path = DOCS) -> int:
    """Run `write` or `check`."""
    if arguments not in (["write"], ["check"]):
        print("usage: docs_pages.py write|check", file=sys.stderr)
        return 2
    for page in (found := stale(docs)):
        print(page.relative_to(docs))
        if arguments == ["write"]:
            page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")
    return 1 if found and arguments == ["check"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
