"""Algorithms: weaker ones, unknown ones, and those that make a public key a secret one.

Unlike a document whose algorithm's name was changed, these are signed rightly by the very algorithm that they
name, so only the list of what is accepted refuses them.
"""

from __future__ import annotations

import hmac

from attacks.attack import (
    CANONICALISATION,
    REFERENCE,
    TRANSFORM,
    TRANSFORMS,
    Attack,
    Change,
    digesting,
    shape,
    signing,
    swap,
)
from attacks.forge import C14N, DSIG, ENVELOPED, EXCLUSIVE, MORE, SHA256, Seed
from attacks.owners import owner

__all__ = ["ATTACKS"]

XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
XSLT = "http://www.w3.org/TR/1999/REC-xslt-19991116"
FILTER2 = "http://www.w3.org/2002/06/xmldsig-filter2"
SHA256_METHOD = f"{MORE}rsa-sha256"


def _shaped(**shape: object) -> Change:
    return lambda seed: seed.made(**shape)


def _transform(uri: str, held: str = "") -> str:
    return f'<Transform Algorithm="{uri}">{held}</Transform>'


_SIGNED_BY = {f"{DSIG}rsa-sha1": "sha1", f"{MORE}rsa-md5": "md5", f"{MORE}rsa-sha512": "sha512"}
_SIGNING = (
    f"{DSIG}rsa-sha1",
    f"{MORE}rsa-md5",
    f"{MORE}rsa-sha512",
    f"{MORE}rsa-sha384",
    f"{MORE}rsa-sha224",
    f"{MORE}rsa-ripemd160",
    f"{DSIG}dsa-sha1",
    "http://www.w3.org/2009/xmldsig11#dsa-sha256",
    f"{MORE}ecdsa-sha256",
    f"{MORE}ecdsa-sha1",
    "http://www.w3.org/2007/05/xmldsig-more#rsa-pss",
    "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
    "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519",
    f"{DSIG}hmac-sha1",
    "",
    "none",
    "urn:unknown",
    f"{SHA256_METHOD} ",
    f" {SHA256_METHOD}",
    SHA256_METHOD.upper(),
    SHA256_METHOD.replace("http:", "https:"),
    f"{SHA256_METHOD}#",
    "x" * 200,
)
_DIGESTING = {
    f"{DSIG}sha1": "sha1",
    f"{MORE}md5": "md5",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
    f"{MORE}sha384": "sha384",
    f"{MORE}sha224": "sha224",
    "http://www.w3.org/2007/05/xmldsig-more#sha3-256": "sha3_256",
    "": "sha256",
    "urn:unknown": "sha256",
    f"{SHA256} ": "sha256",
    SHA256.upper(): "sha256",
    SHA256_METHOD: "sha256",
}
_CANONICALISATION = (
    f"{C14N}#WithComments",
    "http://www.w3.org/2006/12/xml-c14n11",
    "http://www.w3.org/2006/12/xml-c14n11#WithComments",
    EXCLUSIVE,
    f"{EXCLUSIVE}WithComments",
    "http://www.w3.org/2010/xml-c14n2",
    XSLT,
    f"{DSIG}base64",
    "urn:unknown",
    "",
    f"{C14N} ",
)
_HMAC = {
    f"{DSIG}hmac-sha1": "sha1",
    f"{MORE}hmac-sha256": "sha256",
    f"{MORE}hmac-sha512": "sha512",
    f"{MORE}hmac-md5": "md5",
}


def _secret(kind: str) -> bytes:
    """Return a public value that a careless verifier takes for the secret of an HMAC."""
    signer = owner()
    if kind == "the certificate":
        return signer.certificate
    if kind == "the modulus":
        return signer.modulus.to_bytes(signer.size, "big")
    return b""


def _confused(uri: str, secret: str, *, length: int | None = None) -> Change:
    held = "" if length is None else f"<HMACOutputLength>{length * 8}</HMACOutputLength>"

    def change(seed: Seed) -> bytes:
        plain = {"method": uri, "method_inside": held}
        made = hmac.new(_secret(secret), seed.signed_info(**plain), _HMAC[uri]).digest()
        return seed.made(**plain, value=made[:length])

    return change


def _transforms(*held: str) -> Change:
    return _shaped(transforms=f"<Transforms>{''.join(held)}</Transforms>")


def _by_name() -> list[Attack]:
    found = [
        Attack(
            f"signed by {uri or 'no algorithm'!r}"[:90],
            _shaped(method=uri, signing_hash=_SIGNED_BY.get(uri, "sha256")),
            signing(uri),
        )
        for uri in _SIGNING
    ]
    found += [
        Attack(
            f"a digest by {uri or 'no algorithm'!r}",
            _shaped(digest_method=uri, hashed=name),
            digesting(uri),
        )
        for uri, name in _DIGESTING.items()
    ]
    found += [
        Attack(f"canonicalised by {uri or 'no algorithm'!r}", _shaped(c14n=uri), CANONICALISATION)
        for uri in _CANONICALISATION
    ]
    found += [
        Attack(f"{uri.rpartition('#')[2]} with {secret} as its secret", _confused(uri, secret), signing(uri))
        for uri in _HMAC
        for secret in ("the certificate", "the modulus", "nothing")
    ]
    return found


_OTHERS = [
    Attack(
        "an HMAC of one byte", _confused(f"{DSIG}hmac-sha1", "nothing", length=1), shape("SignatureMethod")
    ),
    Attack(
        "an HMAC of no length", _confused(f"{MORE}hmac-sha256", "nothing", length=0), shape("SignatureMethod")
    ),
    Attack(
        "an HMAC length beside RSA",
        _shaped(method_inside="<HMACOutputLength>8</HMACOutputLength>"),
        shape("SignatureMethod"),
    ),
    Attack(
        "parameters of RSA-PSS beside RSA",
        _shaped(method_inside="<RSAPSSParams></RSAPSSParams>"),
        shape("SignatureMethod"),
    ),
    Attack("SHA-1 named, SHA-256 used", _shaped(method=f"{DSIG}rsa-sha1"), signing(f"{DSIG}rsa-sha1")),
    Attack(
        "SHA-1 as a digest where SHA-1 is allowed for nothing",
        _shaped(digest_method=f"{DSIG}sha1", hashed="sha1"),
        digesting(f"{DSIG}sha1"),
        {"allow_sha1": False},
    ),
    Attack(
        "MD5 where SHA-1 is allowed",
        _shaped(method=f"{MORE}rsa-md5", signing_hash="md5"),
        signing(f"{MORE}rsa-md5"),
        {"allow_sha1": True},
    ),
    Attack(
        "a digest of MD5 where SHA-1 is allowed",
        _shaped(digest_method=f"{MORE}md5", hashed="md5"),
        digesting(f"{MORE}md5"),
        {"allow_sha1": True},
    ),
    Attack("no Transforms", _shaped(transforms=""), shape("Reference")),
    Attack("Transforms without a transform", _transforms(), TRANSFORMS),
    Attack("the enveloped transform twice, signed so", _transforms(ENVELOPED, ENVELOPED), TRANSFORMS),
    Attack(
        "inclusive canonical XML as a second transform", _transforms(ENVELOPED, _transform(C14N)), TRANSFORMS
    ),
    Attack(
        "exclusive canonical XML as a second transform",
        _transforms(ENVELOPED, _transform(EXCLUSIVE)),
        TRANSFORMS,
    ),
    Attack(
        "canonical XML before the enveloped transform", _transforms(_transform(C14N), ENVELOPED), TRANSFORMS
    ),
    Attack("canonical XML alone", _transforms(_transform(C14N)), TRANSFORM),
    Attack("the base64 transform", _transforms(_transform(f"{DSIG}base64")), TRANSFORM),
    Attack(
        "an XPath transform",
        _transforms(_transform(XPATH, "<XPath>not(ancestor-or-self::Luong)</XPath>")),
        shape("Transform"),
    ),
    Attack("an XPath transform without an XPath", _transforms(_transform(XPATH)), TRANSFORM),
    Attack(
        "an XPath filter",
        _transforms(_transform(FILTER2, '<XPath Filter="subtract">//Luong</XPath>')),
        shape("Transform"),
    ),
    Attack(
        "an XSLT transform",
        _transforms(
            _transform(
                XSLT,
                '<stylesheet xmlns="http://www.w3.org/1999/XSL/Transform" version="1.0">'
                '<template match="/">x</template></stylesheet>',
            )
        ),
        shape("Transform"),
    ),
    Attack(
        "an XPath transform after the enveloped one",
        _transforms(ENVELOPED, _transform(XPATH, "<XPath>0</XPath>")),
        TRANSFORMS,
    ),
    Attack("twenty transforms", _transforms(*[_transform(C14N)] * 20), TRANSFORMS),
    Attack("an unknown transform", _transforms(_transform("urn:unknown")), TRANSFORM),
    Attack("a transform without a name", _transforms("<Transform></Transform>"), TRANSFORM),
    Attack(
        "a transform by a name in capitals",
        _transforms(ENVELOPED.replace("enveloped", "ENVELOPED")),
        TRANSFORM,
    ),
    Attack("a signed reference by Id to the signature itself", _shaped(uri=' URI="#sigid"'), REFERENCE),
    Attack("a signed reference without a URI", _shaped(uri=""), REFERENCE),
    Attack("a signed reference by XPointer", _shaped(uri=' URI="#xpointer(/)"'), REFERENCE),
    Attack(
        "a digest algorithm's name with a line break",
        swap(b"xmlenc#sha256", b"xmlenc#sha256&#10;"),
        digesting(f"{SHA256}\n"),
    ),
]

ATTACKS = [*_by_name(), *_OTHERS]
