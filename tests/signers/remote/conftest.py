"""The world of remote signers: a sender that reaches a provider without a network and fails as planned."""

from __future__ import annotations

from collections import deque

import pytest

from bhxh_sdk.errors import NotSentError, UnknownOutcomeError

LOST, NOT_SENT = "lost", "not_sent"


class Direct:
    """A sender whose requests a provider answers in this process.

    `plan` holds what happens to the next requests: "lost" (answered, but the answer never comes), "not_sent",
    or None. `requests` remembers every request that left.
    """

    asynchronous = False

    def __init__(self, provider):
        self.provider = provider
        self.plan = deque()
        self.requests = []

    async def send(self, request):
        planned = self.plan.popleft() if self.plan else None
        if planned == NOT_SENT:
            raise NotSentError("not_sent.connection", host=request.host)
        self.requests.append(request)
        reply = self.provider.answer(request)
        if planned == LOST:
            raise UnknownOutcomeError("unknown_outcome.connection", host=request.host)
        return reply


@pytest.fixture
def direct():
    """Make a sender to a provider."""
    return Direct
