"""A file that is there whole or not at all: written beside its place, moved there at the end."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from bhxh_sdk.errors import WrongTypeError
from bhxh_sdk.xml.sink import writing

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["signed_file"]


@contextmanager
def signed_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes its name only when the `with` block ends well.

    Until then it is a hidden file in the same folder, which only its owner may read. Any error in the block
    removes it, and a file of that name that was there before stays as it was.

    Args:
        path: the file.

    Raises:
        WrongTypeError: the path is not a `Path`.
        InputError: the file cannot be made, written or moved to its place.

    """
    import tempfile  # noqa: PLC0415  # imported late: few need it, and it brings much

    if not isinstance(path, Path):
        raise WrongTypeError(field="path", expected="Path", got=type(path).__name__)
    with writing("path"):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:50]}.")
    temporary = Path(name)
    try:
        # Without a buffer of its own the file has nothing left to write, and to fail at, when it is closed.
        with os.fdopen(handle, "w+b", buffering=0) as file:
            yield file
            with writing("path"):
                os.fsync(file.fileno())
        with writing("path"):
            temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
