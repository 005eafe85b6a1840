"""XML documents: built from a registration, read back, signed in two steps, verified strictly.

Element names, order and formats are data with certainty marks (`profiles`); what no source proves can be
changed by an integrator (`with_overrides`, `load_profile`).
"""

from bhxh_sdk.xml.countersigned import CounterSigned, verify_countersigned
from bhxh_sdk.xml.document_profile import DocumentProfile, FieldRule
from bhxh_sdk.xml.documents import build, carried, read
from bhxh_sdk.xml.envelope import build_envelope, read_envelope
from bhxh_sdk.xml.file_source import FileSource
from bhxh_sdk.xml.foreign import FOREIGN_ALGORITHMS, ForeignVerified, verify_foreign
from bhxh_sdk.xml.formats import reason_words
from bhxh_sdk.xml.forms import prepare_form
from bhxh_sdk.xml.prepared import PreparedSignature
from bhxh_sdk.xml.prepared_stream import PreparedStream
from bhxh_sdk.xml.profile_data import profile_from_mapping, with_overrides
from bhxh_sdk.xml.profiles import Proof, load_profile, profile, profile_for, profiles, proofs
from bhxh_sdk.xml.reader import SIZE_LIMIT
from bhxh_sdk.xml.rows import RowLayout
from bhxh_sdk.xml.signature import complete, prepare
from bhxh_sdk.xml.signature_profile import PLACE, SignatureProfile, signature_profile, signature_profiles
from bhxh_sdk.xml.streaming import complete_stream, stream_envelope, stream_rows
from bhxh_sdk.xml.verification import Verified, verify
from bhxh_sdk.xml.whole_file import signed_file

__all__ = [
    "FOREIGN_ALGORITHMS",
    "PLACE",
    "SIZE_LIMIT",
    "CounterSigned",
    "DocumentProfile",
    "FieldRule",
    "FileSource",
    "ForeignVerified",
    "PreparedSignature",
    "PreparedStream",
    "Proof",
    "RowLayout",
    "SignatureProfile",
    "Verified",
    "build",
    "build_envelope",
    "carried",
    "complete",
    "complete_stream",
    "load_profile",
    "prepare",
    "prepare_form",
    "profile",
    "profile_for",
    "profile_from_mapping",
    "profiles",
    "proofs",
    "read",
    "read_envelope",
    "reason_words",
    "signature_profile",
    "signature_profiles",
    "signed_file",
    "stream_envelope",
    "stream_rows",
    "verify",
    "verify_countersigned",
    "verify_foreign",
    "with_overrides",
]
