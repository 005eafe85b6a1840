"""Rules: every check that needs no network, all findings at once, each with what it rests on.

What no source proves is a warning, never an error.
"""

from bhxh_sdk.rules.check import check, check_certificate
from bhxh_sdk.rules.rule import Verdict
from bhxh_sdk.rules.table import verdicts

__all__ = ["Verdict", "check", "check_certificate", "verdicts"]
