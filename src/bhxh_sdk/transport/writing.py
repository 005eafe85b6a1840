"""Writing requests: from our names and values to the wire that an endpoint describes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from attrs import field, frozen

from bhxh_sdk.errors import InputError
from bhxh_sdk.ports import Request
from bhxh_sdk.secret import Secret
from bhxh_sdk.transport.http import multipart_body
from bhxh_sdk.transport.profile import Access, CodePlace, Encoding
from bhxh_sdk.transport.reading import as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bhxh_sdk.transport.profile import Endpoint

__all__ = ["Upload", "written"]

_PLACE = re.compile(r"\{(\w+)\}")


@frozen(kw_only=True)
class Upload:
    """A file that travels in a multipart body.

    Args:
        file_name: the name that the other side sees.
        content: its bytes.
        content_type: its media type.

    """

    file_name: str
    content: bytes = field(repr=False)
    content_type: str = "application/octet-stream"


def written(
    base_url: str,
    endpoint: Endpoint,
    values: Mapping[str, Any],
    *,
    bearer: Secret | None = None,
    headers: Mapping[str, str] | None = None,
    boundary: str = "",
) -> Request:
    """Return the request of a call.

    Args:
        base_url: the profile's base address.
        endpoint: how the operation is called.
        values: our name -> value. A value without a wire name, or that is None, is left out.
        bearer: the token of the session.
        headers: headers of this one call, such as the encrypted client id.
        boundary: the boundary of a multipart body; drawn by the caller.

    Raises:
        InputError: the profile puts a secret into the address.
        ValueError: a value cannot be encoded.

    """
    _demand_hidden(endpoint, values)
    sent = {wire: values[name] for name, wire in endpoint.request.items() if values.get(name) is not None}
    query = {wire[1:]: as_text(value) for wire, value in sent.items() if wire.startswith("?")}
    members = {wire: value for wire, value in sent.items() if wire[:1] not in {"?", "{"}}
    body = _body(endpoint, members, boundary)
    return Request(
        method=endpoint.method,
        url=base_url.rstrip("/") + _path(endpoint, sent) + (f"?{urlencode(query)}" if query else ""),
        headers=_headers(endpoint, body.content_type, bearer, headers or {}),
        body=body.content,
        deadline_seconds=float(endpoint.deadline_seconds),
    )


def _demand_hidden(endpoint: Endpoint, values: Mapping[str, Any]) -> None:
    for name, wire in endpoint.request.items():
        if wire[:1] in {"?", "{"} and isinstance(values.get(name), Secret):
            raise InputError("input.secret_in_address", field=f"request.{name}")


def _path(endpoint: Endpoint, sent: Mapping[str, Any]) -> str:
    places = {wire.strip("{}"): as_text(value) for wire, value in sent.items() if wire.startswith("{")}
    if endpoint.code_in is CodePlace.PATH:
        places["code"] = endpoint.code
    return _PLACE.sub(lambda match: quote(places.get(match[1], ""), safe=""), endpoint.path)


def _headers(
    endpoint: Endpoint, content_type: str, bearer: Secret | None, extra: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    headers = {"Accept": "application/json, text/plain, */*", **endpoint.headers, **extra}
    if content_type:
        headers["Content-Type"] = content_type
    if endpoint.access is Access.PUBLIC:
        headers["is_public"] = "true"
    if endpoint.access is Access.BEARER and bearer is not None:
        headers["Authorization"] = f"Bearer {bearer.reveal()}"
    if endpoint.code and endpoint.code_in is CodePlace.HEADER:
        headers["code"] = endpoint.code
    return tuple(headers.items())


@frozen
class _Body:
    """A written body. Its bytes are never bound to a variable, where a crash report would show them."""

    content_type: str = ""
    content: bytes = field(default=b"", repr=False)


def _body(endpoint: Endpoint, members: Mapping[str, Any], boundary: str) -> _Body:
    if endpoint.encoding is Encoding.NONE:
        return _Body()
    content = _content(endpoint, {**endpoint.fixed, **members})
    if endpoint.encoding is Encoding.FORM:
        fields = ((name, _plain(value)) for name, value in content.items())
        return _Body("application/x-www-form-urlencoded", urlencode(list(fields)).encode())
    if endpoint.encoding is Encoding.MULTIPART:
        return _multipart(content, boundary)
    return _Body("application/json", _json(content).encode())


def _plain(value: object) -> str:
    return value.reveal() if isinstance(value, Secret) else as_text(value)


def _content(endpoint: Endpoint, members: Mapping[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = dict(members)
    if endpoint.data_member:
        as_string = endpoint.encoding is Encoding.JSON_STRING_DATA
        content = {endpoint.data_member: Secret(_json(content)) if as_string else content}
    if endpoint.code and endpoint.code_in is CodePlace.BODY:
        content = {"code": endpoint.code, **content}
    return content


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_revealed)


def _revealed(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    msg = f"{type(value).__name__} is no JSON value"
    raise TypeError(msg)


def _multipart(content: Mapping[str, Any], boundary: str) -> _Body:
    fields: dict[str, Secret] = {}
    files: list[tuple[str, Upload]] = []
    for name, value in content.items():
        uploads = value if isinstance(value, list | tuple) else [value]
        for upload in uploads:
            if isinstance(upload, Upload):
                files.append((name, upload))
            else:
                fields[name] = Secret(_plain(upload))
    return _Body(
        *multipart_body(
            {name: value.reveal() for name, value in fields.items()},
            [(name, (file.file_name, file.content, file.content_type)) for name, file in files],
            boundary,
        )
    )
