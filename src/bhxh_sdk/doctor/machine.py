"""What can be told of this machine without touching a driver: bindings, service, session."""

from __future__ import annotations

import os
import platform
import re
import struct
import subprocess
import sys
from datetime import UTC, datetime
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from bhxh_sdk.signers.pkcs11 import places

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BINDINGS", "Machine", "ServiceState", "installed_bindings", "service_state", "session_kind"]

BINDINGS: Mapping[str, tuple[str, str]] = {
    "python-pkcs11": ("pkcs11", "token"),
    "pykcs11": ("PyKCS11", "pykcs11"),
}
"""The bindings: what each is imported as, and the extra that installs it."""

_SYSTEMS = {"linux": "linux", "win32": "windows", "cygwin": "windows", "darwin": "macos"}
_STATE_LINE = re.compile(r":\s+([1-7])\s+[A-Z_]+")
_RUNNING = "4"
_NO_SUCH_SERVICE = 1060
_PATIENCE_SECONDS = 10


class ServiceState(Enum):
    """Whether the system's smart-card service runs."""

    RUNNING = "running"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


@frozen(kw_only=True)
class Machine:
    """The facts about a machine that decide whether a token can be seen.

    Args:
        system: `linux`, `windows`, `macos`, or another system's own name.
        architecture: of the processor as this process sees it, such as `x86_64`.
        bits: of this process, 32 or 64.
        bindings: the bindings that are installed: `python-pkcs11`, `pykcs11`.
        service: the smart-card service.
        session: what stands between the person and the machine: `rdp`, `citrix`, `ssh`, `wsl`, `container`,
            `unknown` where it cannot be told; empty for nothing.
        installed_at: when this package's files were written; None where that is not known.
        folders: the folders in which drivers lie beside other libraries, those that are there.

    """

    system: str = "linux"
    architecture: str = "x86_64"
    bits: int = 64
    bindings: frozenset[str] = frozenset({"python-pkcs11"})
    service: ServiceState = ServiceState.UNKNOWN
    session: str = ""
    installed_at: datetime | None = None
    folders: tuple[str, ...] = ()

    @classmethod
    def here(cls) -> Machine:
        """Look at the machine that this runs on; no driver is loaded and nothing is asked for."""
        system = _SYSTEMS.get(sys.platform, sys.platform)
        folders = places.library_folders(places.Machine())
        return cls(
            system=system,
            architecture=platform.machine(),
            bits=struct.calcsize("P") * 8,
            bindings=installed_bindings(),
            service=service_state(system),
            session=session_kind(system, os.environ),
            installed_at=datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC),
            folders=tuple(str(folder) for folder in folders if folder.is_dir()),
        )


def installed_bindings() -> frozenset[str]:
    """Return the bindings that could be imported, without importing them."""
    return frozenset(name for name, (module, _) in BINDINGS.items() if find_spec(module) is not None)


def service_state(system: str, root: Path = Path("/")) -> ServiceState:
    """Tell whether the smart-card service runs, as far as it can be told.

    Args:
        system: as in `Machine`.
        root: the root folder of the file system.

    """
    if system == "windows":
        return _windows_service()
    if system == "macos":
        return ServiceState.RUNNING  # a part of the system that is started when it is needed
    if system != "linux":
        return ServiceState.UNKNOWN
    return ServiceState.RUNNING if _pcscd_runs(root) else ServiceState.STOPPED


def _pcscd_runs(root: Path) -> bool:
    """Look for the daemon's socket, which systemd opens before the daemon runs, or for its process."""
    if (root / "run/pcscd/pcscd.comm").exists():
        return True
    return any(_command(process) == "pcscd" for process in (root / "proc").glob("[0-9]*/comm"))


def _command(process: Path) -> str:
    try:
        return process.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # it has ended meanwhile
        return ""


def _windows_service() -> ServiceState:
    """Ask the service manager; only the number of the state is the same in every language of Windows."""
    program = Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32" / "sc.exe"
    try:
        done = subprocess.run(  # noqa: S603  # the system's own program, fixed arguments
            [str(program), "query", "SCardSvr"],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_PATIENCE_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ServiceState.UNKNOWN
    if done.returncode == _NO_SUCH_SERVICE:
        return ServiceState.STOPPED
    found = _STATE_LINE.search(done.stdout)
    if found is None:
        return ServiceState.UNKNOWN
    return ServiceState.RUNNING if found[1] == _RUNNING else ServiceState.STOPPED


def session_kind(system: str, environment: Mapping[str, str], root: Path = Path("/")) -> str:
    """Tell what stands between the person and this machine's USB ports, as `Machine.session` names it.

    Args:
        system: as in `Machine`.
        environment: the environment variables.
        root: the root folder of the file system.

    """
    if system == "windows":
        return _windows_session(environment.get("SESSIONNAME", ""))
    marks = {
        "wsl": "WSL_DISTRO_NAME" in environment,
        "container": any((root / mark).exists() for mark in (".dockerenv", "run/.containerenv")),
        "rdp": "XRDP_SESSION" in environment,
        "ssh": "SSH_CONNECTION" in environment,
    }
    return next((kind for kind, holds in marks.items() if holds), "")


def _windows_session(name: str) -> str:
    """Windows names the session: `Console`, `RDP-Tcp#3`, `ICA-tcp#1`; a service has none."""
    kinds = {"CONSOLE": "", "RDP-": "rdp", "ICA-": "citrix"}
    return next((kind for start, kind in kinds.items() if name.upper().startswith(start)), "unknown")
