"""The SignedXml of .NET, run by Mono, by `SignedXmlPeer.cs`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.peers import answers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.peers import Answer, SigningKey

__all__ = ["Mono"]

_SOURCE = Path(__file__).with_name("SignedXmlPeer.cs")


class Mono:
    """Compile the program into a folder, and run it.

    Args:
        folder: where the compiled program goes.

    """

    def __init__(self, folder: Path) -> None:
        self._program = folder / "SignedXmlPeer.exe"
        if not self._program.exists():
            references = ["-r:System.Security", "-r:System.Xml"]
            subprocess.run(
                ["mcs", "-warnaserror", *references, f"-out:{self._program}", _SOURCE],  # noqa: S607  # wherever the system keeps it
                check=True,
            )

    def verify(self, folder: Path, *, preserve: bool, at: str | None = None) -> Mapping[str, Answer]:
        """Verify every file of a folder.

        Args:
            folder: the files, nothing else.
            preserve: whether documents are loaded with PreserveWhitespace.
            at: where the signature stands; None for every signature of a file.

        """
        mode = "--preserve" if preserve else "--collapse"
        return answers(self._run("verify", mode, folder, *([at] if at else [])))

    def sign(self, key: SigningKey, folder: Path, into: Path, at: Sequence[str], moment: str) -> None:
        """Sign every file of a folder.

        Args:
            key: who signs.
            folder: the files, nothing else.
            into: the folder for the signed files.
            at: paths; the first that a document has takes the signature.
            moment: the signing time, `yyyy-MM-ddTHH:mm:ssZ`.

        """
        self._run("sign", key.pkcs12, key.password, folder, into, ",".join(at), moment)

    def _run(self, *words: str | Path) -> str:
        command = ["mono", str(self._program), *words]
        return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
