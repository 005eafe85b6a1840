"""The safe reader: bytes of unknown origin become an XML tree, or a typed error.

Markup that the documents never need is refused on the bytes, before anything is parsed: without `<!` there is
no document type, no entity, no comment and no CDATA section.
"""

from __future__ import annotations

import re
from functools import cache

from lxml import etree

from bhxh_sdk.errors import DocumentError, UnsafeDocumentError, VerificationError, WrongTypeError
from bhxh_sdk.xml.limits import check_bounds, check_depth
from bhxh_sdk.xml.writer import DECLARATION

__all__ = ["SIZE_LIMIT", "body_start", "opened", "opened_to_verify", "parsed"]

SIZE_LIMIT = 64 * 1024 * 1024
"""How many bytes a document may have unless the caller says otherwise."""

_UTF8_MARK = b"\xef\xbb\xbf"
_OTHER_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff", b"<\x00", b"\x00<")
_BIG_TEXT = (
    10_000_000  # libxml2 refuses longer texts, and deeper trees than 256, unless told that the tree is huge
)

_USUAL_START = DECLARATION + b"<"
_DECLARATION = re.compile(
    rb"""<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"1\.0"|'1\.0')"""
    rb"""(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"([A-Za-z0-9._-]{1,40})"|'([A-Za-z0-9._-]{1,40})'))?"""
    rb"""(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>"""
)
_START = re.compile(rb"[ \t\r\n]*+<")
_UNSAFE = re.compile(rb"<(?:!--|!\[CDATA\[|!|\?)")  # begins with a literal, which is searched for quickly
_UNSAFE_CODES = {
    b"<!--": "document.comment",
    b"<![CDATA[": "document.cdata",
    b"<!": "document.doctype",
    b"<?": "document.processing_instruction",
}


def parsed(content: bytes, *, size_limit: int = SIZE_LIMIT) -> etree._Element:
    """Parse a document and return its root.

    Args:
        content: the document, UTF-8, with or without a byte order mark.
        size_limit: how many bytes it may have.

    Raises:
        WrongTypeError: the content is not bytes.
        UnsafeDocumentError: document type, entity, comment, CDATA section, processing instruction, too
            large, too deep, or more elements, attributes or namespaces than a document needs.
        DocumentError: another encoding than UTF-8, or not well-formed.

    """
    return opened(content, size_limit=size_limit)[1]


def opened(
    content: bytes, *, size_limit: int = SIZE_LIMIT, to_sign: bool = False
) -> tuple[bytes, etree._Element]:
    """Parse a document and return its bytes after byte order mark and declaration, and its root.

    Args:
        content: as for `parsed`.
        size_limit: as for `parsed`.
        to_sign: whether a signature is still to come, which must be within the bounds too.

    Raises:
        WrongTypeError, UnsafeDocumentError, DocumentError: as `parsed`.

    """
    body = content[body_start(content, size_limit=size_limit) :]
    marked = b"!" in body or b"?" in body  # one byte is searched for much faster than two
    if marked and (unsafe := _UNSAFE.search(body)):
        raise UnsafeDocumentError(_UNSAFE_CODES[unsafe[0]])
    check_bounds(body, to_sign=to_sign)
    try:
        root = etree.fromstring(body, _parser(huge=len(body) > _BIG_TEXT))
    except etree.XMLSyntaxError as error:
        raise _refusal(error) from error
    check_depth(root)
    return body, root


def opened_to_verify(content: bytes, size_limit: int) -> tuple[bytes, etree._Element]:
    """Do as `opened`, and refuse as a verifier does.

    Raises:
        VerificationError: the document is unsafe or not XML; `reason` says which.

    """
    try:
        return opened(content, size_limit=size_limit)
    except DocumentError as error:
        reason = "unsafe" if isinstance(error, UnsafeDocumentError) else "not-xml"
        refusal = VerificationError(error.code, reason=reason)
        refusal.parameters.update(error.parameters)
        raise refusal from error


def body_start(content: bytes, *, size_limit: int = SIZE_LIMIT) -> int:
    """Return where the document begins behind byte order mark and declaration, where only UTF-8 is declared.

    Raises:
        WrongTypeError: the content is not bytes.
        UnsafeDocumentError: it is too large.
        DocumentError: another encoding than UTF-8, or it does not begin with a tag.

    """
    if not isinstance(content, bytes):
        raise WrongTypeError(field="content", expected="bytes", got=type(content).__name__)
    if not isinstance(size_limit, int):
        raise WrongTypeError(field="size_limit", expected="int", got=type(size_limit).__name__)
    if len(content) > size_limit:
        raise UnsafeDocumentError("document.too_large", size=len(content), limit=size_limit)
    return len(_USUAL_START) - 1 if content.startswith(_USUAL_START) else _unusual_start(content)


def _refusal(error: etree.XMLSyntaxError) -> DocumentError:
    if error.code == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
        return UnsafeDocumentError("document.too_deep")
    line, column = error.position
    return DocumentError("document.not_well_formed", line=line or 0, column=column or 0)


def _unusual_start(content: bytes) -> int:
    if content.startswith(_OTHER_MARKS):
        raise DocumentError("document.encoding", encoding="UTF-16/UTF-32")
    start = len(_UTF8_MARK) if content.startswith(_UTF8_MARK) else 0
    declaration = _DECLARATION.match(content, start)
    if declaration is not None:
        encoding = declaration[1] or declaration[2]
        if encoding is not None and encoding.lower() not in {b"utf-8", b"utf8"}:
            raise DocumentError("document.encoding", encoding=encoding.decode())
        start = declaration.end()
    # libxml2 passes over a second byte order mark, other readers do not.
    if not _START.match(content, start):
        raise DocumentError("document.not_well_formed", line=1, column=1)
    return start


@cache
def _parser(*, huge: bool) -> etree.XMLParser[etree._Element]:
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        attribute_defaults=False,
        dtd_validation=False,
        huge_tree=huge,
        remove_comments=False,
        strip_cdata=False,
        collect_ids=False,
    )
