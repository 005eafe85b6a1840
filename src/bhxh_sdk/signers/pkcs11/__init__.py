"""USB tokens and other PKCS#11 modules: `open_signer("pkcs11:token=HR")`."""

from bhxh_sdk.signers.pkcs11.address import TokenAddress
from bhxh_sdk.signers.pkcs11.criteria import KeyCriteria, TokenCriteria
from bhxh_sdk.signers.pkcs11.signer import TokenSigner

__all__ = ["KeyCriteria", "TokenAddress", "TokenCriteria", "TokenSigner"]
