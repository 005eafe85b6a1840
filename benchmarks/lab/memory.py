"""What a process takes, read from where Linux tells it; elsewhere memory and CPU of others are 0."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from benchmarks.lab.turns import Cost

__all__ = ["Watched", "forget_peak", "held_mb", "peak_mb"]

_TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
_USER, _SYSTEM = 11, 12  # fields of /proc/PID/stat behind the name


class Watched:
    """Watch another process from now on.

    Args:
        pid: its number.

    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._before = held_mb(pid)
        self._cpu = self._ticks()

    def cost(self, ms: float, runs: int) -> Cost:
        """Tell what it took for so many runs since it was last asked."""
        cpu, self._cpu = self._cpu, self._ticks()
        return Cost(ms, (self._cpu - cpu) * _TICK_MS / runs, peak_mb(self._pid) - self._before)

    def _ticks(self) -> int:
        with suppress(OSError):
            fields = Path(f"/proc/{self._pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            return int(fields[_USER]) + int(fields[_SYSTEM])
        return 0


def forget_peak() -> None:
    """Begin to count this process's peak anew."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def held_mb(pid: int | str = "self") -> float:
    """Tell how much memory a process holds."""
    return _status(pid, "VmRSS:")


def peak_mb(pid: int | str = "self") -> float:
    """Tell how much memory a process held at most."""
    return _status(pid, "VmHWM:")


def _status(pid: int | str, name: str) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(name):
                return int(line.split()[1]) / 1024
    return 0.0
