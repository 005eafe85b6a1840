"""signxml, made to read and write the field's shape.

lxml gives a false `xmlns=""` in the inclusive canonical form of an element below a default namespace, so
signxml as it is refuses the shape. The element is parsed again on its own first: the cure that changes no
signed text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree
from signxml import SignatureConfiguration, SignatureConstructionMethod, XMLSigner, XMLVerifier
from signxml.algorithms import CanonicalizationMethod
from signxml.exceptions import SignXMLException

from benchmarks.peers import DSIG, time_object, with_signature

if TYPE_CHECKING:
    from benchmarks.peers import SigningKey

__all__ = ["WithSignxml"]

_PLACEHOLDER = f'<Signature xmlns="{DSIG}" Id="placeholder"></Signature>'.encode()


class _Reparsing:
    """Canonicalise an element below the root as a document of its own; read texts over 10 MB too."""

    @property
    def parser(self) -> etree.XMLParser:
        return _parser()

    def _c14n(self, nodes: Any, *args: Any, **kwargs: Any) -> bytes:  # noqa: ANN401  # signxml's signature
        if not isinstance(nodes, list) and nodes.getparent() is not None:
            nodes = _parsed(etree.tostring(nodes, with_tail=False, encoding="utf-8"))
        return super()._c14n(nodes, *args, **kwargs)


class _Signer(_Reparsing, XMLSigner):
    pass


class _Verifier(_Reparsing, XMLVerifier):
    pass


class WithSignxml:
    """Sign and verify.

    Args:
        key: who signs.
        moment: the signing time, `yyyy-MM-ddTHH:mm:ssZ`.

    """

    def __init__(self, key: SigningKey, moment: str) -> None:
        self._key = load_pem_private_key(key.key_pem, None)
        self._certificate = x509.load_der_x509_certificate(key.certificate)
        self._signer = _Signer(
            method=SignatureConstructionMethod.enveloped,
            c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_0,
        )
        self._signer.namespaces = {None: DSIG}
        self._signer.signature_annotators.append(_finisher(key.subject, moment))
        self._expected = SignatureConfiguration(
            default_reference_c14n_method=CanonicalizationMethod.CANONICAL_XML_1_0
        )

    def sign(self, content: bytes, at: str) -> bytes:
        """Return the signed document."""
        return self.sign_tree(_parsed(with_signature(content, at, _PLACEHOLDER)))

    def sign_tree(self, tree: etree._Element) -> bytes:
        """Return the signed document; an empty Signature with the Id `placeholder` stands in its place."""
        root = self._signer.sign(
            tree,
            key=self._key,
            cert=[self._certificate],
            always_add_key_value=True,
            exclude_c14n_transform_element=True,
        )
        return etree.tostring(root, encoding="utf-8", xml_declaration=True)

    def verify(self, content: bytes) -> bool:
        """Tell whether the signature is valid, by the signer's known certificate."""
        try:
            _Verifier().verify(
                _parsed(content),
                x509_cert=self._certificate,
                validate_schema=False,
                expect_config=self._expected,
            )
        except (SignXMLException, InvalidSignature, etree.LxmlError, ValueError):
            return False
        return True


def _finisher(subject: str, moment: str) -> Any:  # noqa: ANN401  # signxml has no type for annotators
    """Add what the field's shape has and signxml does not write: Id, subject name, signing time."""

    def finish(signature: etree._Element, signing_settings: object) -> None:  # noqa: ARG001  # signxml names it
        signature.set("Id", "sigid")
        data = signature.find("{*}KeyInfo/{*}X509Data")
        certificate = data.find("{*}X509Certificate")
        certificate.text = certificate.text.replace("\n", "")
        name = etree.Element(certificate.tag)
        name.tag = certificate.tag.replace("X509Certificate", "X509SubjectName")
        name.text = subject
        data.insert(0, name)
        signature.append(_parsed(f'<Signature xmlns="{DSIG}">{time_object(moment)}</Signature>'.encode())[0])

    return finish


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, huge_tree=True)


def _parsed(content: bytes) -> etree._Element:
    return etree.fromstring(content, _parser())
