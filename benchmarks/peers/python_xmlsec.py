"""python-xmlsec: libxmlsec under lxml's trees.

The wheel's libxmlsec 1.3 leaves an empty KeyValue empty, which no strict reader takes; it is filled in
beforehand.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import xmlsec
from cryptography import x509
from lxml import etree

from benchmarks.peers import template, with_signature

if TYPE_CHECKING:
    from benchmarks.peers import SigningKey

__all__ = ["PythonXmlsec"]


class PythonXmlsec:
    """Sign and verify.

    Args:
        key: who signs.
        moment: the signing time, `yyyy-MM-ddTHH:mm:ssZ`.

    """

    def __init__(self, key: SigningKey, moment: str) -> None:
        self._template = template(key, moment, _key_value(key.certificate))
        self._key = xmlsec.Key.from_memory(key.key_pem, xmlsec.constants.KeyDataFormatPem)
        self._key.load_cert_from_memory(key.certificate, xmlsec.constants.KeyDataFormatCertDer)
        self._public = xmlsec.Key.from_memory(key.certificate, xmlsec.constants.KeyDataFormatCertDer)

    def sign(self, content: bytes, at: str) -> bytes:
        """Return the signed document."""
        root = _parsed(with_signature(content, at, self._template))
        context = xmlsec.SignatureContext()
        context.key = self._key
        context.sign(xmlsec.tree.find_node(root, xmlsec.constants.NodeSignature))
        return etree.tostring(root, encoding="utf-8", xml_declaration=True)

    def verify(self, content: bytes) -> bool:
        """Tell whether the signature is valid, by the signer's known certificate.

        A signature context asks for a chain to a root where it takes the certificate out of the document.
        """
        context = xmlsec.SignatureContext()
        context.key = self._public
        try:
            context.verify(xmlsec.tree.find_node(_parsed(content), xmlsec.constants.NodeSignature))
        except (xmlsec.Error, etree.LxmlError):
            return False
        return True


def _key_value(certificate: bytes) -> str:
    numbers = x509.load_der_x509_certificate(certificate).public_key().public_numbers()
    modulus, exponent = (
        base64.b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).decode()
        for number in (numbers.n, numbers.e)
    )
    return f"<RSAKeyValue><Modulus>{modulus}</Modulus><Exponent>{exponent}</Exponent></RSAKeyValue>"


def _parsed(content: bytes) -> etree._Element:
    return etree.fromstring(content, etree.XMLParser(resolve_entities=False, huge_tree=True))
