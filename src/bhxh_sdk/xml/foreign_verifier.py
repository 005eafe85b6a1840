"""The library signxml, held to what it does right: the three points where it has to be helped.

It canonicalises parts of a tree, for which lxml writes a false ` xmlns=""` below a default namespace, so
every part is parsed anew before. It looks identifiers up by rules of its own, so it is told what they mean.
And it writes documents out in ASCII with the text behind them. Importing this module imports signxml, which
takes a while: do so where it is needed only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.verifier import SignatureConfiguration, XMLVerifier

from bhxh_sdk.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509

    from bhxh_sdk.xml.foreign_shape import ForeignParts

__all__ = ["ForeignVerifier", "check_schema"]

_HOOKS = ("_c14n", "_tostring", "_resolve_reference")


class ForeignVerifier(XMLVerifier):
    """Verify the signature value and the digests of one document whose shape was judged before.

    Args:
        parts: what the signature says; its references say which element each identifier means.

    Raises:
        SetupError: the installed signxml cannot be held to it.

    """

    def __init__(self, parts: ForeignParts) -> None:
        """Refuse a signxml that no longer asks the methods below."""
        if not all(callable(getattr(XMLVerifier, name, None)) for name in _HOOKS):
            raise SetupError("setup.foreign_verifier")
        self._parts = parts
        self._positions = {reference.uri: reference.position for reference in parts.references}
        self._canonical: list[bytes] = []

    def signed_contents(self, root: etree._Element, certificate: x509.Certificate) -> list[bytes]:
        """Return the verified canonical bytes of each reference, in order.

        Args:
            root: the document.
            certificate: the signer's; its validity and issuer are not looked at.

        Raises:
            SignXMLException: the signature is not valid; other exceptions of signxml, lxml and cryptography
                mean the same.

        """
        results = self.verify(
            root,
            x509_cert=certificate,
            validate_schema=False,  # `check_schema` did it, for identifiers too that begin with a digit
            parser=_parser(),
            expect_config=_expected(self._parts, certificate),
        )
        found = results if isinstance(results, list) else [results]
        contents = [result.signed_data for result in found]
        if self._canonical[1:] != contents:
            raise SetupError("setup.foreign_verifier")
        return contents

    def _c14n(
        self,
        nodes: etree._Element,
        algorithm: CanonicalizationMethod,
        inclusive_ns_prefixes: Sequence[str] | None = None,
    ) -> bytes:
        """Canonicalise a part as a document of its own, with every namespace in scope declared on it."""
        whole = etree.fromstring(self._tostring(nodes), _parser())
        content = etree.tostring(
            whole.getroottree(),
            method="c14n",
            exclusive=algorithm is CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
            with_comments=False,
            inclusive_ns_prefixes=inclusive_ns_prefixes,
        )
        self._canonical.append(content)
        return content

    def _tostring(self, xml_node: etree._Element, **_: object) -> bytes:
        return etree.tostring(xml_node, encoding="utf-8", with_tail=False)

    def _resolve_reference(
        self,
        doc_root: etree._Element,
        reference: etree._Element,
        uri_resolver: object = None,  # noqa: ARG002  # nothing is fetched
    ) -> etree._Element:
        """Return the element that the judge of the shape found, in the copy that signxml works on."""
        element = doc_root
        for number in self._positions[reference.get("URI", "")]:
            element = element[number]
        return element


def _parser() -> etree.XMLParser[etree._Element]:
    """Texts over 10 MB are passed on: the reader has bounded the document before."""
    return etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True
    )


def _expected(parts: ForeignParts, certificate: x509.Certificate) -> SignatureConfiguration:
    return SignatureConfiguration(
        location=parts.location,
        expect_references=len(parts.references),
        signature_methods=frozenset(map(SignatureMethod, parts.signature_methods)),
        digest_algorithms=frozenset(map(DigestAlgorithm, parts.digest_methods)),
        ignore_ambiguous_key_info=True,  # compared where the certificate is chosen
        verification_time=certificate.not_valid_before_utc,  # when it was valid is judged elsewhere
        default_reference_c14n_method=CanonicalizationMethod.CANONICAL_XML_1_0,
    )


def check_schema(signature: etree._Element) -> None:
    """Hold a Signature element to the schema of XML Signature 1.1.

    Raises:
        etree.DocumentInvalid: it does not follow the schema.

    """
    XMLVerifier().validate_schema(signature)  # type: ignore[no-untyped-call]  # signxml types only its face
