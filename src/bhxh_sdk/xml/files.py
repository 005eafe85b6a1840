"""Files inside a document: `FileToKhai` with the file's bytes in base64, written and read."""

from __future__ import annotations

import base64
import binascii
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from bhxh_sdk.errors import DocumentError, InputError
from bhxh_sdk.models import Attachment, without_decree_number
from bhxh_sdk.models.text import control_characters
from bhxh_sdk.xml.document_profile import FILE_ELEMENT
from bhxh_sdk.xml.file_source import FileSource
from bhxh_sdk.xml.profiles import file_rules
from bhxh_sdk.xml.sink import LATER
from bhxh_sdk.xml.tree import children, name_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lxml import etree

    from bhxh_sdk.xml.writer import CanonicalWriter

__all__ = ["read_files", "write_files"]


def write_files(
    writer: CanonicalWriter, files: Iterable[Attachment | FileSource], source: str, file_length: str
) -> None:
    """Write one `FileToKhai` for each file; the list's own element is open already.

    A mark stands in place of the content of a file that is read later.
    """
    for number, file in enumerate(files):
        parts = _parts(file, file_length)
        writer.start(FILE_ELEMENT)
        for rule in file_rules():
            if rule.part != "content":
                _check_text(parts[rule.part], f"{source}[{number}].{rule.part}")
            writer.leaf(rule.element, parts[rule.part])
        writer.end()


def _parts(file: Attachment | FileSource, file_length: str) -> Mapping[str, str]:
    if isinstance(file, FileSource):
        length, content = file.length, LATER
    else:
        length, content = len(file.content), base64.b64encode(file.content).decode()
    return {
        "form_code": without_decree_number(file.form_code),
        "description": file.description,
        "file_name": file.file_name,
        "extension": PurePosixPath(file.file_name).suffix,
        "length": str((length + 2) // 3 * 4 if file_length == "base64_chars" else length),
        "content": content,
    }


def _check_text(text: str, field: str) -> None:
    if characters := control_characters(text):
        raise InputError("xml.control_characters", field=field, characters=", ".join(characters))


def read_files(element: etree._Element, where: str) -> tuple[Attachment, ...]:
    """Read the files of a list.

    Raises:
        DocumentError: an element is missing, repeated or unknown, or the content does not fit its length.

    """
    return tuple(
        _file(child, f"{where}/{FILE_ELEMENT}") for child in children(element, where, (FILE_ELEMENT,))
    )


def _file(element: etree._Element, where: str) -> Attachment:
    names = {rule.element: rule.part for rule in file_rules()}
    parts: dict[str, str] = {}
    for child in children(element, where, names):
        part, here = names[name_of(child)], f"{where}/{name_of(child)}"
        if part in parts:
            raise DocumentError("document.repeated_element", field=here)
        parts[part] = text_of(child, here)
    for name, part in names.items():
        if part not in parts:
            raise DocumentError("document.missing_element", field=f"{where}/{name}")
    return Attachment(
        file_name=parts["file_name"],
        content=_content(parts["content"], parts["length"], where),
        form_code=parts["form_code"],
        description=parts["description"],
    )


def _content(text: str, length: str, where: str) -> bytes:
    encoded = "".join(text.split())
    try:
        content = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        raise DocumentError("document.not_base64", field=where) from None
    if length.strip() not in {str(len(encoded)), str(len(content))}:
        raise DocumentError("document.file_length", field=where, value=length[:40])
    return content
