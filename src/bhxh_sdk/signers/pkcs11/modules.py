"""The table of known PKCS#11 modules, shipped as data; read when it is first asked for.

`data/README.md` says where it comes from, how sure it is, and of what date it is.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from pathlib import PurePosixPath, PureWindowsPath

from attrs import frozen

__all__ = [
    "KnownModule",
    "is_left_out",
    "known_modules",
    "knows_name",
    "preference",
    "recognises",
]

_ORDER = {"ca": 0, "maker": 1, "": 2, "opensc": 3}


@frozen(kw_only=True)
class KnownModule:
    """A row of the table.

    Args:
        vendor: who gives it out.
        os: `windows`, `linux` or `macos`.
        path: a file name, or a path in the system's own manner; on Windows it may be relative to System32.
        certainty: how sure the row is; it begins with `SEEN`.
        note: what else is known.
        evidence: in how many independent sources the name was found.
        kind: `ca` (a certification authority's own build), `maker` (the chip's maker), `opensc`, or `never`.

    """

    vendor: str
    os: str
    path: str
    certainty: str
    note: str
    evidence: int
    kind: str

    @property
    def parts(self) -> tuple[str, ...]:
        """The path's parts, whatever system this process runs on; a full path begins with its root."""
        return (PureWindowsPath if self.os == "windows" else PurePosixPath)(self.path).parts

    @property
    def file_name(self) -> str:
        """The file's name alone."""
        return self.parts[-1]

    @property
    def is_full_path(self) -> bool:
        """Whether the row names a place and not a file alone."""
        return (PureWindowsPath if self.os == "windows" else PurePosixPath)(self.path).is_absolute()


def known_modules(system: str) -> tuple[KnownModule, ...]:
    """Return the rows of one operating system that are worth looking for, OpenSC last.

    Args:
        system: `windows`, `linux` or `macos`.

    """
    rows = (row for row in _table() if row.os == system and row.kind != "never")
    return tuple(sorted((row for row in rows if not is_left_out(row.file_name)), key=_rank))


def is_left_out(file_name: str) -> bool:
    """Tell whether a file is no token's driver although it looks like one."""
    return file_name.lower() in _left_out()


def knows_name(file_name: str) -> bool:
    """Tell whether some row has that file name; case does not matter."""
    return file_name.lower() in _kinds()


def preference(file_name: str) -> int:
    """Return a rank for choosing between modules that show the same token; the lowest is the best.

    A certification authority's own build goes before the chip maker's, that before an unknown one, and OpenSC
    is last: it lists many tokens and fails on newer ones.
    """
    name = file_name.lower()
    return _ORDER["opensc"] if "opensc" in name else _ORDER[_kinds().get(name, "")]


def recognises(name: str) -> bool:
    """Tell whether a folder, package or program sounds like a token's driver."""
    lowered = name.lower()
    return any(word in lowered for word in _words())


def _rank(row: KnownModule) -> tuple[int, int]:
    return _ORDER[row.kind], -row.evidence


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(_text(name).splitlines()))


def _text(name: str) -> str:
    return (files(__package__) / "data" / name).read_text(encoding="utf-8")


@cache
def _table() -> tuple[KnownModule, ...]:
    kinds = {row["vendor"]: row["kind"] for row in _rows("vendors.csv")}
    return tuple(
        KnownModule(
            vendor=row["vendor"],
            os=row["os"],
            path=row["path_or_file_name"],
            certainty=row["certainty"],
            note=row["note"],
            evidence=int(row["evidence"]),
            kind=kinds[row["vendor"]],
        )
        for row in _rows("modules.csv")
    )


@cache
def _kinds() -> dict[str, str]:
    found: dict[str, str] = {}
    for row in sorted((row for row in _table() if row.kind != "never"), key=_rank):
        found.setdefault(row.file_name.lower(), row.kind)
    return found


@cache
def _left_out() -> frozenset[str]:
    return frozenset(row["file_name"].lower() for row in _rows("left_out.csv"))


@cache
def _words() -> tuple[str, ...]:
    return tuple(_text("words.txt").split("\n")[:-1])
