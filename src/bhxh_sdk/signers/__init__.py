"""Signers: who holds the key and makes the signature value, behind one contract."""

from bhxh_sdk.signers.address import SignerAddress
from bhxh_sdk.signers.choosing import choose, choose_certificate
from bhxh_sdk.signers.contract import (
    Capabilities,
    HashName,
    ListsWithSecret,
    LocalKey,
    LocalSigner,
    Signer,
    SigningCertificate,
    SigningJob,
    SigningState,
    SigningTransaction,
)
from bhxh_sdk.signers.flow import resume, sign
from bhxh_sdk.signers.soft_key import SoftKeySigner
from bhxh_sdk.signers.test_certificate import throwaway
from bhxh_sdk.signers.transactions import transaction_from_dict, transaction_to_dict
from bhxh_sdk.signers.uri import SignerOpener, known_schemes, open_signer, register_scheme

__all__ = [
    "Capabilities",
    "HashName",
    "ListsWithSecret",
    "LocalKey",
    "LocalSigner",
    "Signer",
    "SignerAddress",
    "SignerOpener",
    "SigningCertificate",
    "SigningJob",
    "SigningState",
    "SigningTransaction",
    "SoftKeySigner",
    "choose",
    "choose_certificate",
    "known_schemes",
    "open_signer",
    "register_scheme",
    "resume",
    "sign",
    "throwaway",
    "transaction_from_dict",
    "transaction_to_dict",
]
