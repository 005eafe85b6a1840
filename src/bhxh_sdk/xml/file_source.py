"""A file that goes into a document without being held in memory: it is read in blocks when it is written."""

from __future__ import annotations

from binascii import b2a_base64
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

from attrs import field, frozen

from bhxh_sdk.errors import InputError, UnreadableFileError, WrongTypeError
from bhxh_sdk.models import Attachment, without_decree_number
from bhxh_sdk.models.text import as_text, is_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["FileSource", "base64_blocks", "sources_of"]

_BLOCK = 3 * 128 * 1024  # three bytes are four characters, so that only the last block may need padding


def _as_code(value: str) -> str:
    given: Any = as_text(value)
    return without_decree_number(given) if isinstance(given, str) else given


def _is_callable(_instance: object, _attribute: object, value: Any) -> None:  # noqa: ANN401  # a wrong type is what it looks for
    if not callable(value):
        raise WrongTypeError(field="FileSource.open", expected="Callable", got=type(value).__name__)


def _is_length(_instance: object, _attribute: object, value: Any) -> None:  # noqa: ANN401  # as above
    if not isinstance(value, int):
        raise WrongTypeError(field="FileSource.length", expected="int", got=type(value).__name__)
    if value < 0:
        raise InputError("xml.negative_length", field="FileSource.length", value=value)


@frozen(kw_only=True)
class FileSource:
    """Attach a file that is opened and read only while the document is written.

    Args:
        file_name: name with its extension.
        open: opens the file for reading bytes; it is closed after reading.
        length: how many bytes it has. The document says so before it holds them, and a file that yields
            another number is refused.
        form_code: the form's code such as `TK3-TS`, or `CT-DK` for any other document.
        description: what it is, in words.

    Raises:
        WrongTypeError: a value has the wrong type.
        InputError: the length is negative.

    """

    file_name: str = field(converter=as_text, validator=is_text)
    open: Callable[[], BinaryIO] = field(validator=_is_callable, repr=False)
    length: int = field(validator=_is_length)
    form_code: str = field(converter=_as_code, validator=is_text, default="CT-DK")
    description: str = field(converter=as_text, validator=is_text, default="")

    @classmethod
    def from_path(
        cls, path: Path, *, file_name: str = "", form_code: str = "CT-DK", description: str = ""
    ) -> FileSource:
        """Attach a file of this machine; its length is taken now.

        Args:
            path: the file.
            file_name: name with its extension; empty for the file's own.
            form_code: as of `FileSource`.
            description: as of `FileSource`.

        Raises:
            UnreadableFileError: there is no such file, or it may not be looked at.

        """
        try:
            length = path.stat().st_size
        except (OSError, ValueError) as error:
            raise _unreadable(error, "path", str(path)) from error
        return cls(
            file_name=file_name or path.name,
            open=partial(_opened, path),
            length=length,
            form_code=form_code,
            description=description,
        )


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


def sources_of(files: Any) -> tuple[FileSource, ...]:  # noqa: ANN401  # what a caller gave
    """Return files of either kind as sources.

    Raises:
        WrongTypeError: it is not iterable, or holds something else.

    """
    try:
        given = tuple(files)
    except TypeError as error:
        raise WrongTypeError(field="files", expected="Iterable", got=type(files).__name__) from error
    return tuple(_source_of(file, f"files[{number}]") for number, file in enumerate(given))


def _source_of(file: object, where: str) -> FileSource:
    if isinstance(file, FileSource):
        return file
    if not isinstance(file, Attachment):
        raise WrongTypeError(field=where, expected="FileSource or Attachment", got=type(file).__name__)
    return FileSource(
        file_name=file.file_name,
        open=partial(BytesIO, file.content),
        length=len(file.content),
        form_code=file.form_code,
        description=file.description,
    )


def base64_blocks(source: FileSource, where: str) -> Iterator[bytes]:
    """Read a file and give it in base64, block by block.

    Args:
        source: the file.
        where: what an error names it.

    Raises:
        UnreadableFileError: it cannot be opened or read.
        InputError: it does not have the length that it was said to have.

    """
    read = 0
    try:
        with _handle(source, where) as handle:
            while read <= source.length and (block := _block(handle, where)):
                read += len(block)
                yield b2a_base64(block, newline=False)
                if len(block) % 3:
                    break  # it was the last: a block after its padding would not be base64
            # A file that goes on after it told its end is not the one whose length was taken.
            if read == source.length and _read(handle, 1, where):
                read += 1
    except (OSError, ValueError) as error:
        raise _unreadable(error, where, source.file_name) from error
    if read != source.length:
        raise InputError(
            "xml.file_length", field=f"{where}.length", name=source.file_name, expected=source.length
        )


def _handle(source: FileSource, where: str) -> BinaryIO:
    handle: Any = source.open()
    if not all(hasattr(handle, name) for name in ("read", "__enter__", "__exit__")):
        raise WrongTypeError(field=f"{where}.open", expected="BinaryIO", got=type(handle).__name__)
    return handle  # type: ignore[no-any-return]  # it can be read and closed


def _block(handle: BinaryIO, where: str) -> bytes:
    """Read a block whose length three divides unless it is the last; a pipe may give less than asked for."""
    block = _read(handle, _BLOCK, where)
    while (missing := -len(block) % 3) and (more := _read(handle, missing, where)):
        block += more
    return block


def _read(handle: BinaryIO, size: int, where: str) -> bytes:
    block: Any = handle.read(size)
    if not isinstance(block, bytes):
        raise WrongTypeError(field=where, expected="bytes", got=type(block).__name__)
    return block


def _unreadable(error: OSError | ValueError, where: str, name: str) -> UnreadableFileError:
    reason = getattr(error, "strerror", None) or str(error)
    return UnreadableFileError("input.unreadable_file", field=where, name=name, reason=reason)
