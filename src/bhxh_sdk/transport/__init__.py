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
from bhxh_sdk.transport.opening import open_channel
from bhxh_sdk.transport.outbound import Limits
from bhxh_sdk.transport.portal import PortalChannel
from bhxh_sdk.transport.profile import EndpointProfile
from bhxh_sdk.transport.retrying import RetryPolicy

__all__ = [
    "AsyncHttpSender",
    "Channel",
    "ChannelCapabilities",
    "EndpointProfile",
    "Filing",
    "HttpSender",
    "Limits",
    "ListEntry",
    "Operation",
    "PortalChannel",
    "RetryPolicy",
    "SignatureBy",
    "open_channel",
]
