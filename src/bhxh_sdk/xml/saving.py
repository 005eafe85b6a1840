"""Plain values that outlive a process: saved as JSON with a version and a checksum, and read back."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from bhxh_sdk.errors import BhxhError, DocumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["restored", "saved"]


def saved(data: Mapping[str, Any], version: int) -> bytes:
    """Return plain data as bytes for `restored`."""
    whole = {**data, "version": version}
    return json.dumps({**whole, "checksum": _checksum(whole)}, sort_keys=True).encode()


def restored(content: bytes, version: int, readers: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    """Read what `saved` gave.

    Args:
        content: the bytes.
        version: the version that is known.
        readers: what gives the value of each member.

    Raises:
        DocumentError: it is damaged, or of another version.

    """
    try:
        data = json.loads(content)
        found, is_whole = data["version"], data.pop("checksum") == _checksum(data)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise DocumentError("document.prepared_unreadable", field="saved") from error
    if found != version:
        raise DocumentError("document.prepared_version", version=str(found)[:40], known=version)
    if not is_whole:
        raise DocumentError("document.prepared_unreadable", field="checksum")
    return {name: _member(data, name, read) for name, read in readers.items()}


def _member(data: Mapping[str, Any], name: str, read: Callable[[Any], Any]) -> Any:  # noqa: ANN401  # each has a type of its own
    try:
        return read(data[name])
    except (ValueError, TypeError, LookupError, BhxhError) as error:
        raise DocumentError("document.prepared_unreadable", field=name) from error


def _checksum(data: Mapping[str, Any]) -> str:
    """Tell a damaged value from a whole one; no protection against somebody who changes it on purpose."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
