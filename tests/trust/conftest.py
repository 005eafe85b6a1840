from __future__ import annotations

from contextlib import contextmanager

import pytest
from trust_world import NOON, Authority, Mailman, StillClock, served

from bhxh_sdk import trust
from bhxh_sdk.errors import BhxhError


@pytest.fixture(scope="session")
def root():
    return Authority.root()


@pytest.fixture(scope="session")
def issuing(root):
    return root.authority()


@pytest.fixture(scope="session")
def signer(issuing):
    return issuing.signer()


@pytest.fixture(scope="session")
def policy(root, issuing):
    def policy(**options):
        given = {"roots": [root.der], "intermediates": [issuing.der], "revocation": "off", **options}
        return trust.TrustPolicy(**given)

    return policy


@pytest.fixture(scope="session")
def evidence():
    """Make evidence from lists and answers in DER."""

    def evidence(*, lists=(), answers=(), at=NOON, about=""):
        return trust.Evidence(
            gathered_at=at,
            lists=tuple(trust.RevocationList(content=each) for each in lists),
            answers=tuple(trust.OcspAnswer(content=each, certificate=about) for each in answers),
        )

    return evidence


@pytest.fixture(scope="session")
def refused():
    """Expect a refusal: its code, the reason in the same words, and a text and hint in both languages."""

    @contextmanager
    def refused(code, kind=BhxhError, **facts):
        with pytest.raises(kind) as caught:
            yield caught
        error = caught.value
        assert error.code == code
        if hasattr(error, "reason"):
            assert error.reason == code.removeprefix("trust.").replace("_", "-")
        for language in ("vi", "en"):
            assert error.message(language) not in {"", code}
            assert "{" not in error.message(language) + error.hint(language)
            assert error.hint(language)
        for name, value in facts.items():
            assert getattr(error, name, error.parameters.get(name)) == value

    return refused


@pytest.fixture
def authorities_online():
    with served() as (address, answers):
        yield address, answers


@pytest.fixture(scope="session")
def mailman():
    return Mailman


@pytest.fixture(scope="session")
def still_clock():
    return StillClock
