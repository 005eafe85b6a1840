"""What a provider posts to our own address: a hint to ask how a transaction stands, and nothing more.

No signature or secret on such a post is documented: anybody may have sent it. Of all that it says, only the
transaction's name is read; result and signatures are asked for by our own call.
"""

from __future__ import annotations

import re

from bhxh_sdk.errors import UnexpectedReplyError
from bhxh_sdk.ports import Reply
from bhxh_sdk.signers.remote.reading import json_answer

__all__ = ["webhook_transaction"]

_LONGEST_BODY = 1 << 20
_NAME = re.compile(r"[!-~]{1,128}")


def webhook_transaction(body: bytes | str) -> str:
    """Return the transaction that a webhook's body names: ask how it stands, if it is one of yours.

    Args:
        body: the body as received, from anybody.

    Returns:
        The name, at most 128 printable characters; empty where the body names none.

    """
    content = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    if len(content) > _LONGEST_BODY:
        return ""
    try:
        name = json_answer(Reply(status=200, body=content)).get("transaction_id")
    except UnexpectedReplyError:
        return ""
    return name if isinstance(name, str) and _NAME.fullmatch(name) else ""
