"""Jobs: the check that comes before a person is asked for anything."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from bhxh_sdk.errors import InputError, UnsupportedOperationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bhxh_sdk.signers.contract import Capabilities, SigningJob

__all__ = ["check_jobs"]


def check_jobs(jobs: Sequence[SigningJob], capabilities: Capabilities) -> None:
    """Refuse jobs that the backend cannot sign.

    Args:
        jobs: what to sign, of any number; how many go into one call is the caller's concern.
        capabilities: what the backend can do.

    Raises:
        InputError: two jobs have one document id, or a digest has not the length of its hash function.
        UnsupportedOperationError: the backend does not sign digests of that hash function, or in that way.

    """
    seen: set[str] = set()
    for job in jobs:
        if job.document_id in seen:
            raise InputError("signing.doubled_job", field="document_id", name=job.document_id)
        seen.add(job.document_id)
        _check(job, capabilities)


def _check(job: SigningJob, capabilities: Capabilities) -> None:
    if job.hash_name not in capabilities.hash_names:
        raise UnsupportedOperationError(
            "signing.hash_unsupported", backend=capabilities.name, operation=job.hash_name.value
        )
    if job.scheme not in capabilities.schemes:
        raise UnsupportedOperationError(
            "signing.algorithm_unsupported", backend=capabilities.name, operation=job.scheme.value
        )
    expected = hashlib.new(job.hash_name.value).digest_size
    if len(job.digest) != expected:
        raise InputError(
            "signing.digest_length",
            field="digest",
            name=job.document_id,
            expected=expected,
            got=len(job.digest),
        )
