"""Signers: who holds the key and makes the signature value, behind one contract."""

from bhxh_sdk.signers.address import SignerAddress
from bhxh_sdk.signers.choosing import choose, choose_certificate
from bhxh_sdk.signers.contract import (
    Capabilities,
    HashName,
    ListsWithSecret,
    LocalKey,
    LocalSigner,
    NotesSigning,
    Signer,
    SigningCertificate,
    SigningJob,
    SigningState,
    SigningTransaction,
)
from bhxh_sdk.signers.flow import (
    asked_after,
    followed,
    key_of,
    looked_after,
    resume,
    sign,
    started,
    values_of,
)
from bhxh_sdk.signers.soft_key import SoftKeySigner
from bhxh_sdk.signers.test_certificate import throwaway
from bhxh_sdk.signers.transactions import transaction_from_dict, transaction_to_dict
from bhxh_sdk.signers.uri import SignerOpener, known_schemes, open_signer, register_scheme
from bhxh_sdk.signers.verdicts import Meaning, Verdict

__all__ = [
    "Capabilities",
    "HashName",
    "ListsWithSecret",
    "LocalKey",
    "LocalSigner",
    "Meaning",
    "NotesSigning",
    "Signer",
    "SignerAddress",
    "SignerOpener",
    "SigningCertificate",
    "SigningJob",
    "SigningState",
    "SigningTransaction",
    "SoftKeySigner",
    "Verdict",
    "asked_after",
    "choose",
    "choose_certificate",
    "followed",
    "key_of",
    "known_schemes",
    "looked_after",
    "open_signer",
    "register_scheme",
    "resume",
    "sign",
    "started",
    "throwaway",
    "transaction_from_dict",
    "transaction_to_dict",
    "values_of",
]
