"""Endpoint profiles: how to talk to one portal or I-VAN, as data.

A profile says where each operation lives, how its request is written and how its answer is read; the channels
know no address and no wire name. The shipped profiles mark how well each operation is proven. An integrator
who has learned more gives a table of overrides, or a profile of their own.

A request member is written where its wire name says: `MaSoThue` in the body, `?MaSoThue` in the query,
`{MaSoThue}` in the path. An answer member may have several candidate names, and a dot goes one object down.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping  # noqa: TC003  # attrs and cattrs read the annotations at run time
from enum import Enum
from typing import Any

from attrs import field, frozen

from bhxh_sdk.errors import UnsupportedOperationError
from bhxh_sdk.models import Certainty
from bhxh_sdk.transport import profile_data

__all__ = [
    "Access",
    "ClientHeader",
    "CodePlace",
    "Encoding",
    "Endpoint",
    "EndpointProfile",
    "Refusals",
    "ReplyKind",
    "SuccessRule",
]


class Encoding(Enum):
    """How a request body is written."""

    NONE = "none"
    JSON = "json"
    JSON_STRING_DATA = "json_string_data"
    FORM = "form"
    MULTIPART = "multipart"


class CodePlace(Enum):
    """Where the operation code travels."""

    BODY = "body"
    HEADER = "header"
    PATH = "path"


class Access(Enum):
    """Who may call: anybody, anybody with the header `is_public: true`, or the holder of a bearer token."""

    OPEN = "open"
    PUBLIC = "public"
    BEARER = "bearer"


class ReplyKind(Enum):
    """What the answer's body is: JSON, a bare text, raw bytes, or anything (nothing too) but a page."""

    JSON = "json"
    TEXT = "text"
    BYTES = "bytes"
    ANY = "any"


@frozen(kw_only=True)
class ClientHeader:
    """How the encrypted client id is sent along.

    Args:
        name: the header's name.
        required: whether a call without it is useless, so that a passphrase must be given.
        quoted: whether the id is encrypted with its JSON quotes.
        spelling: what is written for single characters of the Base64 text.

    """

    name: str = "X-CLIENT"
    required: bool = True
    quoted: bool = True
    spelling: Mapping[str, str] = field(factory=dict, hash=False)


@frozen(kw_only=True)
class SuccessRule:
    """When an answer with a good HTTP status means yes.

    Args:
        member: the member to look at.
        equals: the values that mean yes, as text without regard to case.
        optional: whether an answer without the member means yes too.

    """

    member: str
    equals: tuple[str, ...]
    optional: bool = False


@frozen(kw_only=True)
class Refusals:
    """How a no is told.

    Args:
        code: candidate members for the refusal code.
        text: candidate members for the refusal text.
        kinds: what a code means: the name of an error kind, such as `already_registered`.
        statuses: what an HTTP status means, where the body has no known code.

    """

    code: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    kinds: Mapping[str, str] = field(factory=dict, hash=False)
    statuses: Mapping[str, str] = field(factory=dict, hash=False)


@frozen(kw_only=True)
class Endpoint:
    """How one operation is called.

    Args:
        path: path below the base address, with `{name}` places.
        method: HTTP method.
        code: operation code of a dispatch call.
        code_in: where the operation code goes.
        encoding: how the body is written.
        data_member: the member that holds the request members, when they are not at the top.
        access: who may call.
        headers: fixed headers.
        fixed: fixed body members.
        request: our name of a value -> wire name.
        reply: what the answer's body is.
        result: place of the payload within the answer.
        success: when the answer means yes; None when the HTTP status says it all.
        answer: our name of a value -> candidate wire names.
        refusals: how a no is told.
        states: raw state -> `processing`, `accepted` or `refused`.
        certainty: how well all of this is proven.
        note: where it comes from, for people.
        deadline_seconds: how long one call may take.

    """

    path: str
    method: str = "POST"
    code: str = ""
    code_in: CodePlace = CodePlace.BODY
    encoding: Encoding = Encoding.JSON
    data_member: str = ""
    access: Access = Access.OPEN
    headers: Mapping[str, str] = field(factory=dict, hash=False)
    fixed: Mapping[str, Any] = field(factory=dict, hash=False)
    request: Mapping[str, str] = field(factory=dict, hash=False)
    reply: ReplyKind = ReplyKind.JSON
    result: str = ""
    success: SuccessRule | None = None
    answer: Mapping[str, tuple[str, ...]] = field(factory=dict, hash=False)
    refusals: Refusals = Refusals()
    states: Mapping[str, str] = field(factory=dict, hash=False)
    certainty: Certainty = Certainty.UNKNOWN
    note: str = ""
    deadline_seconds: float = 30.0


@frozen(kw_only=True)
class EndpointProfile:
    """How to talk to one portal or I-VAN. Make one with `shipped`, `from_toml` or `from_data`.

    Args:
        name: the profile's name.
        kind: `portal` or `ivan`.
        base_url: scheme and host, https except on this machine.
        allowed_hosts: the hosts that may be called: a name for the scheme's usual port, or `name:port`.
        client_header: how the encrypted client id is sent; None when there is none.
        operations: the operations that this profile knows.
        settings: facts that belong to the whole channel, such as who signs.
        proven: whether somebody has tried the profile against the live service.
        certainty: how well the base address is proven.
        note: where it comes from, for people.
        source: the data that the profile was made of.

    """

    name: str
    kind: str
    base_url: str
    allowed_hosts: tuple[str, ...] = ()
    client_header: ClientHeader | None = None
    operations: Mapping[str, Endpoint] = field(factory=dict, hash=False)
    settings: Mapping[str, str] = field(factory=dict, hash=False)
    proven: bool = False
    certainty: Certainty = Certainty.UNKNOWN
    note: str = ""
    source: Mapping[str, Any] = field(factory=dict, repr=False, eq=False)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> EndpointProfile:
        """Make a profile of what a TOML reader gives.

        Raises:
            InputError: unknown, missing or wrong members; its report names them all.

        """
        profile = profile_data.structured(data, cls)
        profile_data.demand_sound(profile)
        return profile

    @classmethod
    def from_toml(cls, text: str) -> EndpointProfile:
        """Make a profile of TOML text.

        Raises:
            UnreadableFileError: the text is no TOML.
            InputError: unknown, missing or wrong members.

        """
        return cls.from_data(profile_data.toml_table(text))

    @classmethod
    def shipped(cls, name: str) -> EndpointProfile:
        """Return a profile that comes with the package, such as `portal-vss` or `portal-sandbox`.

        Raises:
            UnknownCodeError: there is no profile of that name.

        """
        return cls.from_toml(profile_data.shipped_text(name))

    def with_overrides(self, overrides: Mapping[str, Any]) -> EndpointProfile:
        """Return the profile with some of its data replaced; tables are merged, all else takes its place.

        Whoever names another `base_url` names `allowed_hosts` too, unless it is on this machine: that is what
        keeps a registration from a look-alike site.
        """
        data = profile_data.merged(copy.deepcopy(dict(self.source)), overrides)
        parts = profile_data.address(str(data.get("base_url", "")))
        moved = "base_url" in overrides and "allowed_hosts" not in overrides
        if moved and parts is not None and parts.hostname in profile_data.LOOPBACK:
            data["allowed_hosts"] = [parts.netloc]
        return type(self).from_data(data)

    def endpoint(self, operation: str) -> Endpoint:
        """Return how an operation is called.

        Raises:
            UnsupportedOperationError: the profile does not have it; the text names the keys to supply.

        """
        found = self.operations.get(operation)
        if found is None:
            keys = profile_data.keys_of(operation, self._example(operation))
            raise UnsupportedOperationError(
                "setup.operation_not_in_profile", operation=operation, profile=self.name, keys=", ".join(keys)
            )
        return found

    def _example(self, operation: str) -> Endpoint | None:
        """Return the sandbox's endpoint for an operation: it shows which names the channel works with."""
        sandbox = f"{self.kind}-sandbox"
        if self.name == sandbox or sandbox not in profile_data.shipped_names():
            return None
        return type(self).shipped(sandbox).operations.get(operation)
