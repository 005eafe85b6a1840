"""Transport: carrying finished bytes to the portal or an I-VAN, and knowing whether they arrived."""

from bhxh_sdk.transport.channel import (
    Channel,
    ChannelCapabilities,
    Filing,
    ListEntry,
    Operation,
    SignatureBy,
)
from bhxh_sdk.transport.http import AsyncHttpSender, HttpSender
from bhxh_sdk.transport.ivan import IvanChannel
from bhxh_sdk.transport.mailbox import (
    DEFAULT_MAIL_PATTERNS,
    MailPatterns,
    activation_code_in,
    credentials_in,
    link_host,
)
from bhxh_sdk.transport.opening import open_channel
from bhxh_sdk.transport.outbound import Limits
from bhxh_sdk.transport.portal import PortalChannel
from bhxh_sdk.transport.profile import EndpointProfile
from bhxh_sdk.transport.retrying import RetryPolicy

__all__ = [
    "DEFAULT_MAIL_PATTERNS",
    "AsyncHttpSender",
    "Channel",
    "ChannelCapabilities",
    "EndpointProfile",
    "Filing",
    "HttpSender",
    "IvanChannel",
    "Limits",
    "ListEntry",
    "MailPatterns",
    "Operation",
    "PortalChannel",
    "RetryPolicy",
    "SignatureBy",
    "activation_code_in",
    "credentials_in",
    "link_host",
    "open_channel",
]
