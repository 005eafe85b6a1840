"""The wire form that the sandbox's SIM service demands and answers in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

from bhxh_sdk.ports import Reply
from bhxh_sdk.signers.remote.soap import CONTENT_TYPE, Fault, Part, opened, packed, packed_fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bhxh_sdk.ports import Request

__all__ = ["ACTIONS", "Asked", "FaultError", "fault_reply", "message_reply", "read"]

ACTIONS = {
    "MSS_SignaturePort": "MSS_Signature",
    "MSS_StatusQueryPort": "MSS_StatusQuery",
    "MSS_RegistrationPort": "MSS_Registration",
}
"""The operation of each port."""

_NAMESPACE = "http://uri.etsi.org/TS102204/v1.1.2#"
_MESSAGES = {
    "MSS_Signature": ("MSS_SignatureReq", "MSS_SignatureResp"),
    "MSS_StatusQuery": ("MSS_StatusReq", "MSS_StatusResp"),
    "MSS_Registration": ("MSS_RegistrationReq", "MSS_RegistrationResp"),
}
_PARTS = {
    "MSS_Signature": (
        *("AP_Info", "MSSP_Info", "MobileUser", "DataToBeSigned", "DataToBeDisplayed"),
        *("SignatureProfile", "AdditionalServices", "MSS_Format"),
    ),
    "MSS_StatusQuery": ("AP_Info", "MSSP_Info"),
    "MSS_Registration": ("AP_Info", "MSSP_Info", "MobileUser"),
}
_ATTRIBUTES = {
    "MSS_Signature": ("MajorVersion", "MinorVersion", "MessagingMode", "TimeOut"),
    "MSS_StatusQuery": ("MajorVersion", "MinorVersion", "MSSP_TransID"),
    "MSS_Registration": ("MajorVersion", "MinorVersion"),
}
_OPTIONAL = frozenset({"AdditionalServices"})
_MODES = frozenset({"synch", "asynchClientServer"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class FaultError(Exception):
    """What the service refuses, with its number."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text


@frozen
class Asked:
    """A request that has the form that the interface demands.

    Args:
        operation: what is asked for.
        message: the message.

    """

    operation: str
    message: Part

    def about(self, name: str) -> str:
        """Return what the client says of itself."""
        part = self.message.first("AP_Info")
        return part.get(name) if part else ""

    def text(self, *names: str) -> str:
        """Return the text of an element."""
        part = self.message.first(*names)
        return part.text if part else ""

    @property
    def services(self) -> frozenset[str]:
        """The additional services that are asked for."""
        part = self.message.first("AdditionalServices")
        return frozenset(item.text for item in part.below() if item.name == "mssURI") if part else frozenset()


def read(request: Request, operation: str) -> Asked:
    """Return a request in the form that the interface demands.

    Args:
        request: the request.
        operation: that of its port.

    Raises:
        FaultError: something is missing or wrong.

    """
    headers = {name.lower(): value for name, value in request.headers}
    if headers.get("content-type") != CONTENT_TYPE or headers.get("soapaction") != f'"#{operation}"':
        raise FaultError("108", "INCOMPATIBLE_INTERFACE")
    try:
        wrapper = opened(request.body)
    except ValueError:
        raise FaultError("101", "no SOAP message") from None
    if isinstance(wrapper, Fault) or (wrapper.name, wrapper.namespace) != (operation, ""):
        raise FaultError("108", "the message is not wrapped")
    message = wrapper.parts[0] if wrapper.parts else wrapper
    if (message.name, message.namespace) != (_MESSAGES[operation][0], _NAMESPACE):
        raise FaultError("108", "another message")
    _demand_attributes(message, operation)
    _demand_parts(message, operation)
    return Asked(operation, message)


def _demand_attributes(message: Part, operation: str) -> None:
    if missing := [name for name in _ATTRIBUTES[operation] if not message.get(name)]:
        raise FaultError("102", missing[0])
    if (message.get("MajorVersion"), message.get("MinorVersion")) != ("1", "1"):
        raise FaultError("108", "version")
    if operation == "MSS_Signature" and message.get("MessagingMode") not in _MODES:
        raise FaultError("101", "MessagingMode")


def _demand_parts(message: Part, operation: str) -> None:
    wanted, found = _PARTS[operation], [part.name for part in message.parts]
    if missing := [name for name in wanted if name not in {*found, *_OPTIONAL}]:
        raise FaultError("102", missing[0])
    if found != [name for name in wanted if name in found]:
        raise FaultError("101", "order of the elements")
    if any(part.namespace != _NAMESPACE for part in message.below()):
        raise FaultError("101", "namespace")
    about = message.parts[0]
    if missing := [name for name in ("AP_ID", "AP_TransID", "AP_PWD", "Instant") if not about.get(name)]:
        raise FaultError("102", missing[0])
    if not _NAME.fullmatch(about.get("AP_TransID")) or not _INSTANT.fullmatch(about.get("Instant")):
        raise FaultError("101", "AP_TransID or Instant")
    if message.first("MSSP_Info", "MSSP_ID") is None:
        raise FaultError("102", "MSSP_ID")


def message_reply(
    asked: Asked,
    code: str,
    *,
    provider_id: str = "",
    extra: Sequence[Part] = (),
    detail: Sequence[Part] = (),
) -> Reply:
    """Return an answer with a status.

    Args:
        asked: the request.
        code: the status code.
        provider_id: the transaction's id.
        extra: what stands before the status.
        detail: what stands below `StatusDetail`.

    """
    status = [
        Part("StatusCode", _NAMESPACE, {"Value": code}),
        Part("StatusMessage", _NAMESPACE, text=f"status {code}"),
    ]
    if detail:
        status.append(Part("StatusDetail", _NAMESPACE, parts=tuple(detail)))
    about = {name: asked.about(name) for name in ("AP_ID", "AP_TransID", "Instant")}
    attributes = {"MajorVersion": "1", "MinorVersion": "1"}
    message = Part(
        _MESSAGES[asked.operation][1],
        _NAMESPACE,
        {**attributes, "MSSP_TransID": provider_id} if provider_id else attributes,
        parts=(
            Part("AP_Info", _NAMESPACE, {**about, "AP_PWD": ""}),
            Part("MSSP_Info", _NAMESPACE, parts=(Part("MSSP_ID", _NAMESPACE),)),
            *extra,
            Part("Status", _NAMESPACE, parts=tuple(status)),
        ),
    )
    return _reply(200, packed(f"{asked.operation}Response", message))


def fault_reply(code: str, text: str) -> Reply:
    """Return a refusal: a fault with HTTP status 500.

    Args:
        code: the service's number.
        text: the reason.

    """
    return _reply(500, packed_fault(code, text, _NAMESPACE))


def _reply(status: int, body: bytes) -> Reply:
    return Reply(status=status, headers=(("content-type", CONTENT_TYPE),), body=body)
