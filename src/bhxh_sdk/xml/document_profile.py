"""The document profile: what one kind of document looks like, as a value.

Profiles are read from data (`profile_data`); the shipped ones are listed in `profiles`.
"""

from __future__ import annotations

from attrs import field, frozen

from bhxh_sdk.models import Action, Certainty

__all__ = ["FILE_ELEMENT", "DocumentProfile", "FieldRule", "FileRule"]

FILE_ELEMENT = "FileToKhai"
"""The element that holds one file of a dossier; seen in three sources."""


@frozen(kw_only=True)
class FieldRule:
    """Say how one element of a document is written and read.

    Args:
        element: its path below the profile's content element, such as `MaSoThue` or `TTDVI/TEN_DVI`.
        source: path of the model's value; empty for a constant.
        format: name of the format, such as `date`.
        value: the constant text; None for a value of the model.
        presence: `required` (never empty), `always` (an empty element for an empty text) or `optional` (left
            out when there is no value).
        fallback: source whose value is written when this one is empty.
        checked: whether a constant read back must be the same.
        certainty: how well name, place and format are proven.
        note: what is known about it.

    """

    element: str
    source: str = ""
    format: str = "text"
    value: str | None = None
    presence: str = "always"
    fallback: str = ""
    checked: bool = True
    certainty: Certainty = Certainty.UNKNOWN
    note: str = ""
    path: tuple[str, ...] = field(init=False, eq=False, repr=False)

    @path.default
    def _path(self) -> tuple[str, ...]:
        return tuple(self.element.split("/"))

    @property
    def from_certificate(self) -> bool:
        """Whether its value comes from the signer's certificate; such values are written, never read back."""
        return self.source.startswith("certificate.")


@frozen(kw_only=True)
class FileRule:
    """Name one child of `FileToKhai` and the part of a file that it holds."""

    element: str
    part: str
    certainty: Certainty
    note: str = ""


@frozen(kw_only=True, cache_hash=True)
class DocumentProfile:
    """Describe one kind of document.

    Args:
        name: the profile's name.
        kind: `registration` or `envelope`.
        title: the form's name.
        file_name: name under which the document travels.
        procedure_code: the procedure's code in plain ASCII, empty when none is known.
        procedure_code_vietnamese: the same with Vietnamese letters.
        action: the act that it declares; None for an envelope.
        transact_at: `portal` or `ivan`.
        root: name of the root element.
        content: name of the child of the root that holds the fields.
        signature: path of the element that takes the signature.
        other_signatures: children of the root that other parties sign in; reading passes over them.
        file_length: what `DoDaiFile` counts: `base64_chars` or `bytes`.
        legal_basis: the text that the form rests on.
        certainty: how well root, file name and signature place are proven.
        note: what is known about the document.
        namespaces: prefix and URI of the declarations on the root.
        fields: the elements in their order.
        elements: every element's path (derived).
        needed: the paths of the elements that every document has (derived).
        containers: the paths of the elements that only hold others (derived).

    """

    name: str
    kind: str = "registration"
    title: str = ""
    file_name: str = "document.xml"
    procedure_code: str = ""
    procedure_code_vietnamese: str = ""
    action: Action | None = None
    transact_at: str = "ivan"
    root: str
    content: str
    signature: str
    other_signatures: tuple[str, ...] = ()
    file_length: str = "base64_chars"
    legal_basis: str = ""
    certainty: Certainty = Certainty.UNKNOWN
    note: str = ""
    namespaces: tuple[tuple[str, str], ...] = ()
    fields: tuple[FieldRule, ...]
    elements: frozenset[str] = field(init=False, eq=False, repr=False)
    needed: frozenset[str] = field(init=False, eq=False, repr=False)
    containers: frozenset[tuple[str, ...]] = field(init=False, eq=False, repr=False)

    @elements.default
    def _elements(self) -> frozenset[str]:
        return frozenset(rule.element for rule in self.fields)

    @needed.default
    def _needed(self) -> frozenset[str]:
        return frozenset(rule.element for rule in self.fields if rule.presence != "optional")

    @containers.default
    def _containers(self) -> frozenset[tuple[str, ...]]:
        paths = (rule.path for rule in self.fields)
        return frozenset(path[:depth] for path in paths for depth in range(1, len(path)))

    @property
    def signature_element(self) -> str:
        """Name of the child of the root that takes the signature."""
        return self.signature.rpartition("/")[2]
