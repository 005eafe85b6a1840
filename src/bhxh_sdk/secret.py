"""Secrets: values that cannot be shown, logged, copied into a pickle or serialised by accident."""

from __future__ import annotations

import hmac
from typing import NoReturn, SupportsIndex, final

__all__ = ["Secret"]

_MASK = "***"


@final
class Secret:
    """Hold a PIN, password, activation code or token so that only `reveal` shows it.

    Python cannot promise that a value is gone from memory: `wipe` overwrites the one copy kept here, not the
    copies that a driver, an HTTP library or the caller made.

    Args:
        value: the secret text, or its UTF-8 bytes.

    Raises:
        TypeError: the value is neither text nor bytes (no error ever shows the value).
        ValueError: the text or the bytes are not valid UTF-8.

    """

    __slots__ = ("_data",)

    def __init__(self, value: str | bytes | bytearray | Secret) -> None:
        self._data = bytearray(_utf8(value))

    def reveal(self) -> str:
        """Return the secret text: call it only where the value leaves for its destination."""
        return self._data.decode()

    def wipe(self) -> None:
        """Overwrite the copy kept here; the secret is empty afterwards."""
        for position in range(len(self._data)):
            self._data[position] = 0
        self._data.clear()

    def __bool__(self) -> bool:
        return bool(self._data)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._data, other._data)

    __hash__ = None  # type: ignore[assignment]  # a hash would leak equality into logs and dict dumps

    def __repr__(self) -> str:
        return f"Secret({_MASK})"

    def __str__(self) -> str:
        return _MASK

    def __format__(self, format_spec: str) -> str:
        return format(_MASK, format_spec)

    def __copy__(self) -> Secret:
        return Secret(self)

    def __deepcopy__(self, memo: dict[int, object]) -> Secret:
        return Secret(self)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        msg = "a Secret cannot be pickled"
        raise TypeError(msg)

    def __getstate__(self) -> NoReturn:
        msg = "a Secret has no state to show"
        raise TypeError(msg)


def _utf8(value: object) -> bytes:
    if isinstance(value, Secret):
        value = value.reveal()
    if not isinstance(value, str | bytes | bytearray):
        msg = f"a Secret is made of text or bytes, not {type(value).__name__}"
        raise TypeError(msg)
    try:
        return value.encode() if isinstance(value, str) else value.decode().encode()
    except UnicodeError:
        pass  # Python's own error carries the value, so it must not even be the cause of ours
    msg = "a Secret is made of valid UTF-8"
    raise ValueError(msg)
