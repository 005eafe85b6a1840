"""Mutations: a document becomes another one that is nearly right, by a seeded random sequence of changes.

Tags and texts are changed as wholes as well as single bytes, so that most inputs are still XML and get far.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from random import Random

__all__ = ["mutated", "mutated_saved"]

_TOKEN = re.compile(rb"<[^<>]*>|[^<>]+|[<>]")
_WORD = re.compile(rb"[0-9]+|[A-Za-z]+")

_GOOD = (
    b"<a></a>",
    b"<a/>",
    b"<a b='1'/>",
    b'<a xmlns="urn:a"></a>',
    b'<p:a xmlns:p="urn:p" p:b="1"></p:a>',
    b'<a xmlns:q="urn:a" xmlns:p="urn:z" b="1" p:c="2"></a>',
    b"<Hoso></Hoso>",
    b"<CKy_Dvi></CKy_Dvi>",
    b'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"></Signature>',
    b"&#65;",
    b"&#13;",
    b"&#xD;",
    b"&#10;",
    b"&amp;",
    b"&lt;",
    b"&gt;",
    b"&quot;",
    b">",
    b"\r\n",
    b"\r",
    b"\n",
    b"\t",
    b" ",
    b"\xc2\x85",
    b"\xe1\xba\xb5",
    b"a\xcc\x81",
    b"=",
    b"'",
    b'"',
    b"0",
    b"-1",
    b"9" * 40,
    b"x" * 300,
    b"<a>" * 12 + b"</a>" * 12,
)
_BAD = (
    b"<!-- -->",
    b"<![CDATA[1]]>",
    b"<?x y?>",
    b"<!DOCTYPE Hoso>",
    b"]]>",
    b"<CKy_Dvi>",
    b"</CKy_Dvi>",
    b"</CKy_Dvi></Hoso>",
    b"&a;",
    b"&",
    b"\0",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xc0\xbc",
    b"\xed\xa0\x80",
    b"<a>" * 40 + b"</a>" * 40,
    b"<a>" * 300,
)
_ATTRIBUTES = (
    b' a="1"',
    b' b="2"',
    b" a='1'",
    b' Id="sigid"',
    b' ID="x"',
    b' id="x"',
    b' xml:id="x"',
    b' xml:lang="vi"',
    b' xmlns="urn:a"',
    b' xmlns=""',
    b' xmlns:p="urn:p"',
    b' xmlns:p="p"',
    b' xmlns:xsi="urn:p"',
    b' xmlns:xml="http://www.w3.org/XML/1998/namespace"',
    b' p:a="1"',
    b' a="&gt;&#10;"',
    b" ",
    b"\n",
    b" /",
    b" a",
    b"".join(b' a%d="1"' % number for number in range(20)),
    b"".join(b' xmlns:a%d="urn:a"' % number for number in range(18)),
)

_Change = Callable[[list[bytes], Random, Sequence[bytes]], None]


def _snippet(random: Random) -> bytes:
    return random.choice(_GOOD if random.random() < 0.9 else _BAD)


def _somewhere(tokens: list[bytes], random: Random) -> int:
    return random.randrange(len(tokens)) if tokens else 0


def _piece(tokens: list[bytes], random: Random) -> tuple[int, int]:
    """Return where a piece starts and ends: mostly a text or an element with all that is in it."""
    start = _somewhere(tokens, random)
    if random.random() < 0.2:
        return start, start + random.choice((1, 2, 3, 8, 30))
    depth = 0
    for place in range(start, len(tokens)):
        depth += _step(tokens[place])
        if depth <= 0:
            return (start, place + 1) if depth == 0 else (start, place)
    return start, start + 1


def _step(token: bytes) -> int:
    """Return by how much a token goes deeper."""
    if token[:1] != b"<" or token[:2] in {b"<!", b"<?"} or token[-2:] == b"/>":
        return 0
    return -1 if token[:2] == b"</" else 1


def _delete(tokens: list[bytes], random: Random, _others: Sequence[bytes]) -> None:
    start, end = _piece(tokens, random)
    del tokens[start:end]


def _duplicate(tokens: list[bytes], random: Random, _others: Sequence[bytes]) -> None:
    start, end = _piece(tokens, random)
    tokens[end:end] = tokens[start:end] * random.choice((1, 1, 1, 2))


def _swap(tokens: list[bytes], random: Random, _others: Sequence[bytes]) -> None:
    """Swap two neighbouring pieces."""
    start, middle = _piece(tokens, random)
    if middle < len(tokens):
        rest = tokens[middle:]
        _, length = _piece_at_start(rest)
        tokens[start:] = rest[:length] + tokens[start:middle] + rest[length:]


def _piece_at_start(tokens: list[bytes]) -> tuple[int, int]:
    depth = 0
    for place, token in enumerate(tokens):
        depth += _step(token)
        if depth <= 0:
            return 0, place + 1 if depth == 0 else place
    return 0, 1


def _move(tokens: list[bytes], random: Random, _others: Sequence[bytes]) -> None:
    start, end = _piece(tokens, random)
    moved = tokens[start:end]
    del tokens[start:end]
    place = _somewhere(tokens, random)
    tokens[place:place] = moved


def _wrap(tokens: list[bytes], random: Random, _others: Sequence[bytes]) -> None:
    """Put a piece into an element, often one of a name that means something."""
    start, end = _piece(tokens, random)
    name = random.choice((b"a", b"Hoso", b"NoiDung", b"CKy_Dvi", b"Object", b"Signature"))
    tokens[start:end] = [b"<%b>" % name, *tokens[start:end], b"</%b>" % name]


def _insert(tokens: list[bytes], random: Random, _others: Sequence[bytes]) -> None:
    place = random.randint(0, len(tokens))
    tokens.insert(place, _snippet(random))


def _splice(tokens: list[bytes], random: Random, others: Sequence[bytes]) -> None:
    """Put a piece of another document in, or go on with its end."""
    other = _TOKEN.findall(random.choice(others))
    start, end = _piece(other, random)
    place, last = _piece(tokens, random)
    if random.random() < 0.1:
        tokens[place:] = other[start:]
    else:
        tokens[place : random.choice((place, last))] = other[start:end]


def _inside(tokens: list[bytes], random: Random, _others: Sequence[bytes]) -> None:
    """Put something into a text, and now and then into a tag."""
    texts = [place for place, token in enumerate(tokens) if token[:1] != b"<"]
    if tokens:
        place = random.choice(texts) if texts and random.random() < 0.9 else _somewhere(tokens, random)
        token = tokens[place]
        at = random.randint(0, len(token))
        tokens[place] = token[:at] + _snippet(random) + token[at:]


def _attribute(tokens: list[bytes], random: Random, _others: Sequence[bytes]) -> None:
    tags = [place for place, token in enumerate(tokens) if token[:1] == b"<" and token[-1:] == b">"]
    if tags:
        place = random.choice(tags)
        tokens[place] = tokens[place][:-1] + random.choice(_ATTRIBUTES) + b">"


def _quotes(tokens: list[bytes], random: Random, _others: Sequence[bytes]) -> None:
    if tokens:
        place = _somewhere(tokens, random)
        tokens[place] = tokens[place].replace(b'"', b"'")


def _word(tokens: list[bytes], random: Random, _others: Sequence[bytes]) -> None:
    """Change a number or a name."""
    if tokens:
        place = _somewhere(tokens, random)
        new = random.choice((bytes.upper, bytes.lower, lambda word: word[::-1], lambda word: word + b"0"))
        tokens[place] = _WORD.sub(lambda match: new(match[0]), tokens[place], count=random.choice((1, 1, 0)))


def _bytes(tokens: list[bytes], random: Random, _others: Sequence[bytes]) -> None:
    """Change single bytes."""
    if tokens:
        place = _somewhere(tokens, random)
        token = bytearray(tokens[place])
        for _ in range(random.choice((1, 1, 2, 4))):
            at = random.randrange(len(token) + 1)
            token[at : at + random.choice((0, 1, 1, 1, 4))] = random.randbytes(random.choice((0, 1, 1, 1, 3)))
        tokens[place] = bytes(token)


def _cut(tokens: list[bytes], random: Random, _others: Sequence[bytes]) -> None:
    del tokens[_somewhere(tokens, random) :]


_CHANGES: tuple[_Change, ...] = (
    _delete,
    _duplicate,
    _swap,
    _move,
    _wrap,
    _insert,
    _splice,
    _inside,
    _inside,
    _inside,
    _attribute,
    _attribute,
    _quotes,
    _word,
    _bytes,
)


def mutated(content: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    """Return a document changed a few times.

    Args:
        content: the document.
        random: where chance comes from.
        others: documents to splice with.

    """
    tokens: list[bytes] = _TOKEN.findall(content)
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 5))):
        random.choice(_CHANGES)(tokens, random, others)
    if random.random() < 0.01:
        _cut(tokens, random, others)
    return b"".join(tokens)


_VALUES = (None, True, -1, 0, 2**70, 1.5, "", "x", [], {}, "A===", "é", "\ud800", "9999-12-31T23:59:59+00:00")


def mutated_saved(saved: bytes, random: Random, others: Sequence[bytes]) -> bytes:
    """Return a saved prepared signature with values changed, its checksum mostly set right again."""
    data = _mapping(saved)
    if data is None or random.random() < 0.3:
        return mutated(saved, random, others)
    for _ in range(random.choice((1, 1, 2))):
        name = random.choice(list(data) or ["x"])
        data.update({name: _other(data.get(name), random)})
        if random.random() < 0.1:
            del data[name]
    if random.random() < 0.8:
        data.pop("checksum", None)
        data["checksum"] = checksum(data)
    return json.dumps(data, sort_keys=True).encode()


def _mapping(saved: bytes) -> dict[str, object] | None:
    try:
        data = json.loads(saved)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def checksum(data: dict[str, object]) -> str:
    """Return the checksum of a saved value, as the package writes it."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _other(value: object, random: Random) -> object:
    if isinstance(value, str) and value and random.random() < 0.7:
        at = random.randrange(len(value))
        return (
            value[:at]
            + random.choice(("", "A", "0", "é", "=", "\0", value))
            + value[at + random.randint(0, 2) :]
        )
    if isinstance(value, int) and random.random() < 0.5:
        return value + random.choice((-1, 1, 10**6, -(10**6)))
    return random.choice(_VALUES)
