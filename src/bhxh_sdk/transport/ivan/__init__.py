"""I-VANs: channels of the organisations between an employer and the agency."""

from bhxh_sdk.transport.ivan.channel import IvanChannel

__all__ = ["IvanChannel"]
