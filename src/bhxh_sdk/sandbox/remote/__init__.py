"""Remote signing providers to try everything on: each in its own dialect, with a phone that people play."""

from bhxh_sdk.sandbox.remote.desk import Mischief, SigningDesk
from bhxh_sdk.sandbox.remote.phone import Answer, SandboxPhone
from bhxh_sdk.sandbox.remote.provider import SandboxProvider

__all__ = ["Answer", "Mischief", "SandboxPhone", "SandboxProvider", "SigningDesk"]
