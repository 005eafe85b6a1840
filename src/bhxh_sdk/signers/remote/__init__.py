"""Remote and SIM signing: protocols without I/O, and the one driver that leads them all."""

from bhxh_sdk.signers.remote.opening import open_profile, open_remote, protocol_of
from bhxh_sdk.signers.remote.profile import RemoteProfile, dialect_names
from bhxh_sdk.signers.remote.secrets import ProviderSecrets, SecretPlace
from bhxh_sdk.signers.remote.signer import RemoteSigner
from bhxh_sdk.signers.remote.webhook import webhook_transaction

__all__ = [
    "ProviderSecrets",
    "RemoteProfile",
    "RemoteSigner",
    "SecretPlace",
    "dialect_names",
    "open_profile",
    "open_remote",
    "protocol_of",
    "webhook_transaction",
]
