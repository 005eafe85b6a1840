"""Repeating a call that only reads: a few times, waiting longer each time, never against the server's wish.

Libraries for this job (stamina) sleep by asyncio or time themselves and so cannot stand in the core, where
waiting and chance come from the clock port; the policy fits on a page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from bhxh_sdk.errors import NotSentError, UnknownOutcomeError
from bhxh_sdk.transport.reading import as_moment

if TYPE_CHECKING:
    from bhxh_sdk.ports import Clock, Reply, Request, Sender

__all__ = ["NO_RETRY", "RetryPolicy", "send_reading"]

_BUSY = frozenset({429, 502, 503, 504})
_HOPELESS = "not_sent.certificate"


@frozen(kw_only=True)
class RetryPolicy:
    """How a reading call is repeated.

    Args:
        tries: how often it is sent at most.
        first_wait_seconds: how long to wait after the first failure, doubled each time; up to half is taken
            off by chance, so that many clients do not come back at once.
        longest_wait_seconds: a server that asks for a longer wait is not asked again.

    """

    tries: int = 3
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 30.0

    def wait(self, tries_made: int, asked: float, chance: float) -> float:
        """Return how long to wait after so many tries; `asked` is the server's wish, `chance` is 0 to 1."""
        own = self.first_wait_seconds * 2.0 ** (tries_made - 1)
        return max(asked, min(own, self.longest_wait_seconds) * (1 - chance / 2))


NO_RETRY = RetryPolicy(tries=1)


async def send_reading(sender: Sender, clock: Clock, request: Request, policy: RetryPolicy) -> Reply:
    """Send a request that only reads, again while nothing was sent, no answer came or the server is busy.

    Returns:
        The answer; the last one when the server stays busy.

    Raises:
        NotSentError: the last try did not leave.
        UnknownOutcomeError: the last try left and was not answered.

    """
    for tries_made in range(1, policy.tries):
        asked = 0.0
        try:
            reply = await sender.send(request)
        except NotSentError as error:
            if error.code == _HOPELESS:
                raise
        except UnknownOutcomeError:
            pass
        else:
            asked = _retry_after(reply, clock)
            if reply.status not in _BUSY or asked > policy.longest_wait_seconds:
                return reply
        await clock.sleep(policy.wait(tries_made, asked, clock.random_bytes(1)[0] / 255))
    return await sender.send(request)


def _retry_after(reply: Reply, clock: Clock) -> float:
    value = reply.header("retry-after").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    moment = as_moment(value) if value else None
    return 0.0 if moment is None else max(0.0, (moment - clock.now()).total_seconds())
