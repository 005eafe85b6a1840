"""Look at a token without its driver in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Collection

    from bhxh_sdk.signers import SignerAddress

__all__ = ["apart"]


def apart(uri: str, address: SignerAddress, modules: Collection[str] = ()) -> str:
    """Return the address with its driver in a process of its own.

    There it may print, crash or hang: neither this process's output nor its exit code is touched. What the
    address says itself stays as it is.

    Args:
        uri: a `pkcs11:` address.
        address: the same, taken apart.
        modules: files of the drivers that are known to show the token; a single one is named, so that it is
            not searched for again.

    """
    options = {"isolated": "1"}
    different = set(modules)
    if len(different) == 1 and "module-name" not in address.options:
        options["module-path"] = quote(different.pop(), safe="")
    added = "&".join(f"{name}={value}" for name, value in options.items() if name not in address.options)
    if not added:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}{added}"
