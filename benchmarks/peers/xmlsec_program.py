"""The program `xmlsec1` (libxmlsec and OpenSSL in C).

It is run with `--insecure`: who issued the certificate is not the question here, and the first key of KeyInfo
counts. `--enabled-key-data key-value,rsa` cannot be used: version 1.2.37 then finds no key in any document,
not even in one whose KeyInfo holds KeyValue alone.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from benchmarks.peers import DSIG, Answer, template, with_signature

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks.peers import SigningKey

__all__ = ["sign", "verify"]

_AT_ONCE = 2000
_IDS = [
    word
    for name in (f"{DSIG}:Object", f"{DSIG}:SignatureProperties", "SignatureProperties", "SignatureProperty")
    for word in ("--id-attr:Id", name)
]
"""Elements that a Reference may name: without a schema nothing else says which attributes are ids."""
_DECLARATION = b"<?xml "


def verify(folder: Path, at: str | None = None) -> Mapping[str, Answer]:
    """Verify every file of a folder, thousands in one process; it ends at a bad one, another goes on.

    Args:
        folder: the files, nothing else.
        at: where the signature stands; None for the first of a file.

    """
    steps = "/".join(f"*[local-name()='{name}']" for name in at.split("/")) if at else ""
    start = ["--node-xpath", f"/{steps}/*[local-name()='Signature']"] if at else []
    waiting = sorted(file.name for file in folder.iterdir())
    found: dict[str, Answer] = {}
    while waiting:
        tried = waiting[:_AT_ONCE]
        run = subprocess.run(
            ["xmlsec1", "--verify", "--insecure", *_IDS, *start, *tried],  # noqa: S607  # wherever the system keeps it
            cwd=folder,
            check=False,
            capture_output=True,
            encoding="utf-8",
            errors="replace",  # it repeats the document's bytes where they are no UTF-8
        )
        good = len(tried) if run.returncode == 0 else run.stderr.splitlines().count("OK")
        found |= dict.fromkeys(tried[:good], Answer("ok"))
        if good < len(tried):
            found[tried[good]] = Answer("bad", run.stderr[-300:])
        waiting = waiting[good + 1 if good < len(tried) else good :]
    return found


def sign(key: SigningKey, folder: Path, into: Path, at: Sequence[str], moment: str) -> None:
    """Sign every file of a folder by a template, all in one process: it writes them one behind the other.

    Args:
        key: who signs.
        folder: the files, nothing else.
        into: an empty folder for the signed files.
        at: paths; the first that a document has takes the signature.
        moment: the signing time, `yyyy-MM-ddTHH:mm:ssZ`.

    """
    signature = template(key, moment)
    names = sorted(file.name for file in folder.iterdir())
    for name in names:
        (into / name).write_bytes(with_signature((folder / name).read_bytes(), at, signature))
    signed = subprocess.run(
        ["xmlsec1", "--sign", "--pkcs12", key.pkcs12, "--pwd", key.password, *names],  # noqa: S607  # as above
        cwd=into,
        check=True,
        capture_output=True,
    ).stdout
    for name, content in zip(names, signed.split(_DECLARATION)[1:], strict=True):
        (into / name).write_bytes(_DECLARATION + content)
