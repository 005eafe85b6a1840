"""The doctor: what keeps a signer from signing on this machine, with the cause and the fix of each matter."""

from bhxh_sdk.doctor.examining import examine
from bhxh_sdk.doctor.machine import Machine, ServiceState
from bhxh_sdk.doctor.values import Check, CheckState, Examination

__all__ = ["Check", "CheckState", "Examination", "Machine", "ServiceState", "examine"]
