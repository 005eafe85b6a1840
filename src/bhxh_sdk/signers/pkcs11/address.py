"""`pkcs11:` addresses: which module, token and key are meant, and where the PIN comes from; never a PIN.

    pkcs11:                                            every token that is inserted
    pkcs11:token=HR;id=%A1                             a key on the token with that label
    pkcs11:serial=0A1B?module-path=/usr/lib/x.so&pin-env=TOKEN_PIN

In the path, separated by `;`: `token` (its label), `serial`, `manufacturer`, `model`, `slot-id`,
`slot-description`, `id` (CKA_ID, percent-encoded bytes), `object` (CKA_LABEL), `type` (`cert` or `private`),
`library-manufacturer`, `library-description`, `library-version`. Behind `?`, separated by `&`: `module-path`,
`module-name`, and our own `binding` (`python-pkcs11`, `pykcs11`), `pin-env`, `isolated` (`1`: the driver gets
a process of its own). Attributes that begin with `x-` are the vendors' and say nothing here; every other one
is refused, as the standard demands.

Source: RFC 7512 (https://www.rfc-editor.org/rfc/rfc7512).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, unquote_to_bytes

from attrs import field, frozen

from bhxh_sdk.errors import InputError, WrongTypeError
from bhxh_sdk.signers.address import SignerAddress, demand_no_secret, plain_name
from bhxh_sdk.signers.pkcs11.criteria import KeyCriteria, LibraryCriteria, TokenCriteria

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bhxh_sdk.ports import Clock

__all__ = ["BINDINGS", "TokenAddress"]

BINDINGS = ("python-pkcs11", "pykcs11")
"""The names of the bindings."""

_TOKEN = {
    "token": "label",
    "serial": "serial",
    "manufacturer": "manufacturer",
    "model": "model",
    "slot-description": "reader",
}
_LIBRARY = {
    "library-manufacturer": "manufacturer",
    "library-description": "description",
    "library-version": "version",
}
_OTHERS = ("slot-id", "id", "object", "type")
_OPTIONS = ("module-path", "module-name", "binding", "pin-env", "isolated")
_VARIABLE = re.compile(r"(?:[a-z_]\w*)?", re.IGNORECASE)
_KINDS = ("cert", "private")
_YES_NO = {"": True, "1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@frozen(kw_only=True)
class TokenAddress:
    """Hold what a `pkcs11:` address says.

    Args:
        token: which token is meant.
        key: which certificate and key on it are meant.
        library: which module is meant, by what it says of itself.
        module_path: the module's file; empty for the environment's, or for whichever shows the token.
        module_name: the module's file name without `lib` and ending.
        binding: `python-pkcs11` or `pykcs11`; empty for the one that is installed.
        pin_env: name of an environment variable that holds the PIN.
        isolated: whether the module is loaded in a process of its own.
        clock: time; None where there is none.

    """

    token: TokenCriteria = field(factory=TokenCriteria)
    key: KeyCriteria = field(factory=KeyCriteria)
    library: LibraryCriteria = field(factory=LibraryCriteria)
    module_path: str = ""
    module_name: str = ""
    binding: str = ""
    pin_env: str = ""
    isolated: bool = False
    clock: Clock | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, address: SignerAddress | str) -> Self:
        """Read an address.

        Raises:
            SetupError: it has no scheme.
            WrongTypeError: it is neither an address nor a text.
            InputError: a part is unknown, stands there twice, is of a wrong form, or would hold a secret.

        """
        if isinstance(address, str):
            address = SignerAddress.parse(address)
        if not isinstance(address, SignerAddress):
            raise WrongTypeError(field="signer", expected="str", got=type(address).__name__)
        parts = dict(_attributes(address.raw_path))
        texts = {name: _text(name, value) for name, value in parts.items() if name != "id"}
        options = _known(address)
        path = options.get("module-path", "")
        return cls(
            token=TokenCriteria(**_chosen(_TOKEN, texts), slot=_slot(texts.get("slot-id"))),
            key=KeyCriteria(
                key_id=parts.get("id", b""),
                label=texts.get("object", ""),
                kind=_one_of("type", texts.get("type", ""), _KINDS),
            ),
            library=LibraryCriteria(**_chosen(_LIBRARY, texts)),
            module_path=_file(path, address),
            module_name=options.get("module-name", ""),
            binding=_one_of("binding", options.get("binding", ""), BINDINGS),
            pin_env=options.get("pin-env", ""),
            isolated=_yes_no(options.get("isolated", "0")),
            clock=address.clock,
        )


def _attributes(path: str) -> Iterator[tuple[str, bytes]]:
    """Give the attributes of the path with their decoded values; the vendors' are left out."""
    seen = set()
    for part in filter(None, path.split(";")):
        name, equals, value = part.partition("=")
        name = name.strip().lower()
        for behind in value.split("&")[1:]:  # `&` belongs behind the `?`
            demand_no_secret(unquote(behind.partition("=")[0]).strip().lower())
        if name in seen:
            raise InputError("signing.doubled_option", field="signer", name=plain_name(name, value))
        seen.add(name)
        if name.startswith("x-"):
            continue
        known = (*_TOKEN, *_LIBRARY, *_OTHERS)
        if not equals or name not in known:
            raise InputError(
                "pkcs11.unknown_attribute",
                field="signer",
                name=plain_name(name, value),
                known=", ".join(known),
            )
        yield name, unquote_to_bytes(value)


def _known(address: SignerAddress) -> Mapping[str, str]:
    options = {name: value for name, value in address.options.items() if not name.startswith("x-")}
    for name in options.keys() - set(_OPTIONS):
        raise InputError(
            "signing.unknown_option",
            field="signer",
            name=plain_name(name, options[name]),
            scheme="pkcs11",
            known=", ".join(_OPTIONS),
        )
    if not _VARIABLE.fullmatch(options.get("pin-env", "")):  # a PIN, perhaps, which errors would name
        raise InputError("pin.in_address", field="signer", name="pin-env")
    return options


def _chosen(names: Mapping[str, str], texts: Mapping[str, str]) -> dict[str, str]:
    return {ours: texts[name] for name, ours in names.items() if name in texts}


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise InputError("pkcs11.not_text", field="signer", name=name) from error


def _file(path: str, address: SignerAddress) -> str:
    """Return a module's file; a bare name that is no file here is left for the usual folders."""
    if not path:
        return ""
    file = address.file(path)
    return path if not re.search(r"[/\\]", path) and not file.exists() else str(file)


def _slot(value: str | None) -> int | None:
    if value is None:
        return None
    if not re.fullmatch("[0-9]{1,19}", value):
        raise InputError("pkcs11.slot_number", field="signer", got=value)
    return int(value)


def _one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    if value and value not in known:
        raise InputError("pkcs11.not_one_of", field="signer", name=name, got=value, known=", ".join(known))
    return value


def _yes_no(value: str) -> bool:
    if value.lower() not in _YES_NO:
        raise InputError("pkcs11.not_one_of", field="signer", name="isolated", got=value, known="1, 0")
    return _YES_NO[value.lower()]
