"""Drivers named by an address or an environment variable: what is wrong with the file that is named."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bhxh_sdk.messages import Term
from bhxh_sdk.signers.pkcs11.discovery import NAMES
from bhxh_sdk.signers.pkcs11.places import Machine, in_library_folders
from bhxh_sdk.signers.pkcs11.probe import header_answer
from bhxh_sdk.token_errors import DriverError

if TYPE_CHECKING:
    from bhxh_sdk.signers import SignerAddress

__all__ = ["demand_named_module", "naming_variable"]


def naming_variable() -> str:
    """Return the environment variable by which the driver is named; empty where none does."""
    return next((name for name in NAMES if os.environ.get(name)), "")


def demand_named_module(address: SignerAddress) -> None:
    """Refuse an address whose driver is named, by itself or by a variable, and is none; no driver is loaded.

    Args:
        address: a `pkcs11:` address; one that names its driver itself needs no variable.

    Raises:
        DriverError: the file is not there, or is no PKCS#11 module; the text names path and variable.

    """
    variable = naming_variable()
    path = address.options.get("module-path") or os.environ.get(variable, "")
    answer = header_answer(_in_its_folder(path)) if path else None
    if answer is None or answer.outcome not in {"not_there", "not_pkcs11"}:
        return
    place = "path" if address.options.get("module-path") else "variable"
    matter = "folder" if Path(path).is_dir() else answer.outcome
    reason = Term(f"doctor.detail.{answer.detail}") if answer.detail else ""
    raise DriverError(f"driver.{place}_{matter}", name=variable, path=path, reason=reason)


def _in_its_folder(path: str) -> str:
    """Return the file that a name without a folder stands for, as a search for drivers takes it."""
    if Path(path).is_file() or Path(path).name != path:
        return path
    return str(in_library_folders(path, Machine()) or path)
