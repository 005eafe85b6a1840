"""The shipped document profiles: which there are, which a registration needs, how well each is proven."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from attrs import frozen

from bhxh_sdk.errors import InputError
from bhxh_sdk.models import Certainty, Ivan
from bhxh_sdk.xml.document_profile import FILE_ELEMENT, FileRule
from bhxh_sdk.xml.profile_data import profile_from_mapping, read_toml, with_overrides

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bhxh_sdk.models import Registration
    from bhxh_sdk.xml.document_profile import DocumentProfile

__all__ = [
    "Proof",
    "file_rules",
    "load_profile",
    "profile",
    "profile_for",
    "profiles",
    "proofs",
]

_NAMES = (
    "portal-register",
    "portal-adjust",
    "portal-stop",
    "first-register",
    "ivan-register",
    "ivan-adjust",
    "ivan-stop",
    "2015-register",
    "2015-stop",
    "envelope",
)


@frozen(kw_only=True)
class Proof:
    """Tell how well an element of a profile is proven; an empty element stands for the whole document."""

    profile: str
    element: str
    certainty: Certainty
    note: str


@cache
def _data(name: str) -> Mapping[str, Any]:
    file = resources.files("bhxh_sdk.xml").joinpath("data", f"{name}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


@cache
def profiles() -> tuple[DocumentProfile, ...]:
    """Return the shipped profiles."""
    return tuple(profile_from_mapping(_data(name)) for name in _NAMES)


@cache
def file_rules() -> tuple[FileRule, ...]:
    """Return the children of `FileToKhai` in their order."""
    return tuple(
        FileRule(
            element=row["element"],
            part=row["part"],
            certainty=Certainty(row["certainty"]),
            note=row.get("note", ""),
        )
        for row in _data("files")["fields"]
    )


def profile(name: str) -> DocumentProfile:
    """Return a shipped profile.

    Args:
        name: such as `portal-register` or `ivan-stop`.

    Raises:
        InputError: there is no such profile.

    """
    for known in profiles():
        if known.name == name:
            return known
    raise InputError("xml.unknown_profile", field="profile", name=str(name), known=", ".join(_NAMES))


def load_profile(source: Path | str) -> DocumentProfile:
    """Return an integrator's profile.

    Args:
        source: a TOML file (`Path`) or TOML text (`str`). With `base`, the name of a shipped profile, the
            rest are the changes that `with_overrides` takes; without it, it is a whole profile.

    Raises:
        UnreadableFileError: the file cannot be read or is not TOML.
        InputError: a key is unknown, missing or has an impossible value; `field` names it.

    """
    data = read_toml(source)
    if "base" not in data:
        return profile_from_mapping(data)
    return with_overrides(profile(data.pop("base")), data)


def profile_for(form: Registration) -> DocumentProfile:
    """Return the profile of today for a registration: by place of transaction, action and unit code."""
    if not isinstance(form.transact_at, Ivan):
        return profile(f"portal-{form.action.value}")
    return profile("first-register" if form.is_first else f"ivan-{form.action.value}")


def proofs() -> tuple[Proof, ...]:
    """Return how well every element of every shipped profile is proven, in the order of the documents."""
    return tuple(proof for known in profiles() for proof in _proofs_of(known))


def _proofs_of(known: DocumentProfile) -> Iterator[Proof]:
    yield Proof(profile=known.name, element="", certainty=known.certainty, note=known.note)
    for rule in known.fields:
        yield Proof(profile=known.name, element=rule.element, certainty=rule.certainty, note=rule.note)
        if rule.format == "files":
            for part in file_rules():
                element = f"{rule.element}/{FILE_ELEMENT}/{part.element}"
                yield Proof(profile=known.name, element=element, certainty=part.certainty, note=part.note)
