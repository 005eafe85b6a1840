"""Values of this room as JSON, for the processes in which drivers are kept apart; bytes are base64."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from cattrs import Converter

from bhxh_sdk.signers.pkcs11.contract import TokenFlag

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["GarbledError", "decoded", "encoded", "value_of", "wire_value"]

T = TypeVar("T")


class GarbledError(Exception):
    """What came from the other process is not what was agreed."""


def encoded(message: dict[str, Any], other: Callable[[Any], str] | None = None) -> bytes:
    """Return a message as one line.

    Args:
        message: JSON.
        other: makes text of what is no JSON.

    """
    return json.dumps(message, separators=(",", ":"), default=other).encode() + b"\n"


def decoded(line: bytes) -> dict[str, Any]:
    """Return the message of a line.

    Raises:
        GarbledError: the line is no JSON object.

    """
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise GarbledError from error
    if not isinstance(message, dict):
        raise GarbledError
    return message


def wire_value(value: object) -> Any:  # noqa: ANN401  # JSON
    """Return a value of this room as JSON."""
    return _converter().unstructure(value)


def value_of(kind: type[T], found: object) -> T:
    """Return the value that JSON from another process stands for.

    Args:
        kind: the expected type.
        found: the JSON.

    Raises:
        GarbledError: it is something else.

    """
    try:
        return _converter().structure(found, kind)
    except Exception as error:
        raise GarbledError from error


@cache
def _converter() -> Converter:
    converter = Converter(detailed_validation=False)
    converter.register_unstructure_hook(bytes, lambda value: base64.b64encode(value).decode())
    converter.register_structure_hook(bytes, lambda text, _: base64.b64decode(text, validate=True))
    for plain in (str, int, bool):
        converter.register_structure_hook(plain, _exactly)
    converter.register_structure_hook(TokenFlag, lambda found, _: TokenFlag(_exactly(found, int)))
    converter.register_structure_hook_func(lambda kind: kind is type(None), _exactly)
    return converter


def _exactly(value: object, kind: type[T]) -> T:
    """Take a value of the right type as it is: another process's numbers are no texts."""
    if type(value) is not kind:
        raise GarbledError
    return value
