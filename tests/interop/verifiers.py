"""Who judges our documents, and who signs documents that we judge.

What a verifier cannot do is listed with it: Mono's SignedXml knows neither RSA-PSS nor ECDSA, and Debian 12's
xmlsec1 (1.2.37) no RSA-PSS. The libraries are asked about the default shape only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from interop.workshop import MOMENT, SHAPES, Workshop, place_in

from benchmarks.peers import Answer, xmlsec_program
from benchmarks.peers.java import Java
from benchmarks.peers.mono import Mono

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from benchmarks.peers import Library

__all__ = ["LIBRARIES", "SIGNERS", "VERIFIERS", "Signer", "Verifier"]

PLACES = ("Hoso/CKy_Dvi", "BHXH/CKYDTU_DVI")
JAVA = ("java", "javac")
MONO = ("mcs", "mono")
XMLSEC = ("xmlsec1",)
LEAST = 500
"""How many documents every verifier judges at least, where there are as many."""


@dataclass(frozen=True)
class Verifier:
    """A judge: its name, the commands it needs, how it judges a folder, the shapes that it knows."""

    name: str
    tools: tuple[str, ...]
    judge: Callable[[Workshop, Path, str | None], Mapping[str, Answer]]
    cannot: frozenset[str] = frozenset()

    @property
    def shapes(self) -> tuple[str, ...]:
        return tuple(shape for shape in SHAPES if shape not in self.cannot)


@dataclass(frozen=True)
class Signer:
    """A maker of signatures in the field's shape: its name, the commands it needs, how it signs a folder."""

    name: str
    tools: tuple[str, ...]
    sign: Callable[[Workshop, Path], object]


def _java(workshop: Workshop) -> Java:
    return Java(workshop.once("java", Java))


def _mono(workshop: Workshop) -> Mono:
    return Mono(workshop.once("mono", Mono))


def _python_xmlsec(workshop: Workshop) -> Library:
    from benchmarks.peers.python_xmlsec import PythonXmlsec

    return PythonXmlsec(workshop.key, MOMENT)


def _signxml(workshop: Workshop) -> Library:
    from benchmarks.peers.with_signxml import WithSignxml

    return WithSignxml(workshop.key, MOMENT)


def _bergshamra(workshop: Workshop) -> Library:
    from benchmarks.peers.bergshamra import Bergshamra

    return Bergshamra(workshop.key, MOMENT)


LIBRARIES = {"python-xmlsec": _python_xmlsec, "signxml": _signxml, "pybergshamra": _bergshamra}


def _judged_by(library: Callable[[Workshop], Library]) -> Callable[..., Mapping[str, Answer]]:
    def judge(workshop: Workshop, folder: Path, _at: str | None) -> Mapping[str, Answer]:
        """Judge every tenth file of a large folder."""
        peer, files = library(workshop), sorted(folder.iterdir())
        chosen = files[:: max(1, min(10, len(files) // LEAST))]
        return {file.name: Answer("ok" if peer.verify(file.read_bytes()) else "bad") for file in chosen}

    return judge


def _signed_by(library: Callable[[Workshop], Library]) -> Callable[..., None]:
    def sign(workshop: Workshop, into: Path) -> None:
        peer = library(workshop)
        for file in workshop.few_unsigned().iterdir():
            (into / file.name).write_bytes(peer.sign(file.read_bytes(), place_in(file)))

    return sign


def _signed_by_java(workshop: Workshop, into: Path, *, one_line: bool) -> None:
    source = workshop.few_unsigned()
    _java(workshop).sign(workshop.key, source, into, PLACES, MOMENT, one_line=one_line)


VERIFIERS = (
    Verifier("java-plain", JAVA, lambda shop, folder, at: _java(shop).verify(folder, secure=False, at=at)),
    Verifier("java-secure", JAVA, lambda shop, folder, at: _java(shop).verify(folder, secure=True, at=at)),
    Verifier(
        "mono-preserve",
        MONO,
        lambda shop, folder, at: _mono(shop).verify(folder, preserve=True, at=at),
        frozenset({"rsa-pss", "ecdsa"}),
    ),
    Verifier(
        "mono-collapse",
        MONO,
        lambda shop, folder, at: _mono(shop).verify(folder, preserve=False, at=at),
        frozenset({"rsa-pss", "ecdsa"}),
    ),
    Verifier(
        "xmlsec1", XMLSEC, lambda _, folder, at: xmlsec_program.verify(folder, at), frozenset({"rsa-pss"})
    ),
    *(
        Verifier(name, (), _judged_by(library), frozenset(SHAPES) - {"field"})
        for name, library in LIBRARIES.items()
    ),
)

SIGNERS = (
    Signer("java", JAVA, lambda shop, into: _signed_by_java(shop, into, one_line=False)),
    Signer("java-one-line", JAVA, lambda shop, into: _signed_by_java(shop, into, one_line=True)),
    Signer(
        "mono",
        MONO,
        lambda shop, into: _mono(shop).sign(shop.key, shop.few_unsigned(), into, PLACES, MOMENT),
    ),
    Signer(
        "xmlsec1",
        XMLSEC,
        lambda shop, into: xmlsec_program.sign(shop.key, shop.few_unsigned(), into, PLACES, MOMENT),
    ),
    *(Signer(name, (), _signed_by(library)) for name, library in LIBRARIES.items()),
)
