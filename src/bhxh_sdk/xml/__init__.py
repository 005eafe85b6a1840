"""XML documents: built from a registration, read back, signed in two steps, verified strictly.

Element names, order and formats are data with certainty marks (`profiles`); what no source proves can be changed by an
integrator (`with_overrides`, `load_profile`).
"""

from bhxh_sdk.xml.document_profile import DocumentProfile, FieldRule
from bhxh_sdk.xml.documents import build, carried, read
from bhxh_sdk.xml.envelope import build_envelope, read_envelope
from bhxh_sdk.xml.formats import reason_words
from bhxh_sdk.xml.profile_data import profile_from_mapping, with_overrides
from bhxh_sdk.xml.profiles import Proof, load_profile, profile, profile_for, profiles, proofs
from bhxh_sdk.xml.reader import SIZE_LIMIT

__all__ = [
    "SIZE_LIMIT",
    "DocumentProfile",
    "FieldRule",
    "Proof",
    "build",
    "build_envelope",
    "carried",
    "load_profile",
    "profile",
    "profile_for",
    "profile_from_mapping",
    "profiles",
    "proofs",
    "read",
    "read_envelope",
    "reason_words",
    "with_overrides",
]
