"""What may leave, and what may come back: hosts, proxies, sizes and encodings."""

from __future__ import annotations

import re
import ssl
import urllib.request
import zlib
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from attrs import field, frozen

from bhxh_sdk.errors import InputError, SetupError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bhxh_sdk.secret import Secret

__all__ = ["Limits", "OutboundPolicy", "Unpacker", "sendable", "tls_context"]

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_PORTS = {"https": 443, "http": 80}

# They say where a request goes and where it ends: another value would let a second one hide in its body.
_FRAMING = frozenset(
    {"connection", "content-length", "host", "te", "trailer", "transfer-encoding", "upgrade"}
)
_NAME = re.compile(r"[-!#$%&'*+.^_`|~0-9a-zA-Z]+")
_VALUE = re.compile(r"([\x21-\x7e]+([ \t]+[\x21-\x7e]+)*)?")


def sendable(name: str, value: str) -> bool:
    """Tell whether a caller may send a header: visible ASCII characters, and none that frames the request.

    Source: RFC 9110, section 5; RFC 9112, sections 6 and 7.
    """
    return bool(_NAME.fullmatch(name) and _VALUE.fullmatch(value)) and name.lower() not in _FRAMING


@frozen(kw_only=True)
class Limits:
    """How much an answer may weigh.

    Args:
        raw_bytes: bytes taken from the network for one answer, headers included.
        decoded_bytes: bytes of the decoded body. JSON of empty lists takes some 30 times as much memory, so
            raise it only for a server that needs it.

    """

    raw_bytes: int = 5_000_000
    decoded_bytes: int = 2_000_000


def _as_hosts(hosts: Iterable[str]) -> frozenset[str]:
    return frozenset(host.lower() for host in hosts)


@frozen(kw_only=True)
class OutboundPolicy:
    """Where requests may go.

    Args:
        allowed_hosts: a bare name stands for the scheme's usual port, `name:port` for that port.
        trust_env: whether proxies of the environment are used.

    """

    allowed_hosts: frozenset[str] = field(converter=_as_hosts)
    trust_env: bool = False

    def check(self, url: str) -> None:
        """Refuse an address before anything is connected.

        Raises:
            SetupError: the host is not on the list, or the connection would not be encrypted.

        """
        parts = _split(url)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
        shown = f"[{host}]" if ":" in host else host
        names = {f"{shown}:{port}"} | ({shown} if port == _PORTS.get(parts.scheme) else set())
        if not names & self.allowed_hosts:
            raise SetupError("setup.host_not_allowed", host=f"{shown}:{port}")
        if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
            raise SetupError("setup.not_https", host=host)

    def proxy(self, url: str) -> str:
        """Return the proxy of the environment for an address; empty for none.

        Raises:
            SetupError: a proxy of a kind that is not supported.

        """
        parts = urlsplit(url)
        if not self.trust_env or urllib.request.proxy_bypass(parts.hostname or ""):
            return ""
        proxies = urllib.request.getproxies()
        found = proxies.get(parts.scheme) or proxies.get("all", "")
        if found and urlsplit(found).scheme != "http":
            raise SetupError("setup.proxy", name=urlsplit(found).scheme)
        return found


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise InputError("input.address", field="url") from None
    if not parts.hostname or "@" in parts.netloc:
        raise InputError("input.address", field="url")
    return parts


def tls_context(
    ca_bundle: Path | None = None,
    *,
    client_certificate: Path | None = None,
    client_key: Path | None = None,
    client_key_password: Secret | None = None,
) -> ssl.SSLContext:
    """Return TLS settings: version 1.2 at least, names and certificates always checked.

    Args:
        ca_bundle: a PEM file with the only authorities to trust; None for those of the system.
        client_certificate: a PEM file with our own certificate, and those above it, for servers that demand
            one (mutual TLS); None to show none.
        client_key: a PEM file with its private key; None where the certificate's file holds it too.
        client_key_password: what an encrypted key is opened with.

    Raises:
        SetupError: a file cannot be read, the key belongs to another certificate, or its password is missing
            or wrong; `field` names the argument.

    """
    if client_certificate is not None:
        context = _context(ca_bundle)
        _identify(context, client_certificate, client_key, client_key_password)
        return context
    if client_key is not None:
        raise SetupError("setup.client_key_alone", field="client_certificate", name=str(client_key))
    return _shared_context(ca_bundle)


def _context(ca_bundle: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_bundle)
    except (OSError, ValueError) as error:
        reason = type(error).__name__
        raise SetupError("setup.ca_bundle", field="ca_bundle", name=str(ca_bundle), reason=reason) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


_shared_context = cache(_context)
"""Without a key of our own, settings are shared: to read the system's authorities takes time."""


def _identify(context: ssl.SSLContext, certificate: Path, key: Path | None, password: Secret | None) -> None:
    """Give our own certificate and key to TLS settings."""
    _demand_pem("client_certificate", certificate, b"CERTIFICATE-----")
    _demand_pem("client_key", key or certificate, b"PRIVATE KEY-----")
    asked: list[bool] = []

    def entered() -> str:  # without it OpenSSL would ask at the terminal
        asked.append(True)
        return "" if password is None else password.reveal()

    try:
        context.load_cert_chain(certificate, key, entered)
    except (OSError, ValueError) as error:
        raise _unusable(error, certificate, key, password, asked=bool(asked)) from None


def _demand_pem(argument: str, file: Path, mark: bytes) -> None:
    try:
        reason = "" if mark in file.read_bytes() else "no PEM"
    except (OSError, ValueError) as error:
        reason = type(error).__name__
    if reason:
        raise SetupError(f"setup.{argument}", field=argument, name=str(file), reason=reason)


def _unusable(
    error: OSError | ValueError, certificate: Path, key: Path | None, password: Secret | None, *, asked: bool
) -> SetupError:
    """Return the error for a certificate and key that OpenSSL does not take."""
    name = str(key or certificate)
    if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
        return SetupError("setup.client_key_mismatch", field="client_key", name=name)
    if asked and not password:
        return SetupError("setup.client_key_password_missing", field="client_key_password", name=name)
    if asked:
        return SetupError("setup.client_key_password", field="client_key_password", name=name)
    argument, file = "client_key", name
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certificate)
    except OSError:
        argument, file = "client_certificate", str(certificate)
    return SetupError(f"setup.{argument}", field=argument, name=file, reason=type(error).__name__)


class Unpacker:
    """Decode a body as it arrives and stop at the limit, so that a bomb never unfolds.

    Args:
        encoding: the `Content-Encoding` header.
        limit: the largest decoded size.

    Raises:
        ValueError: the encoding is not one that was asked for, or there are several.

    """

    def __init__(self, encoding: str, limit: int) -> None:
        self._encoding = encoding.strip().lower()
        if self._encoding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
            msg = "unknown content encoding"
            raise ValueError(msg)
        self._limit = limit
        self._out = bytearray()
        self._fed = False
        self._zlib = None if self._encoding in {"", "identity"} else self._fresh()

    def _fresh(self) -> zlib._Decompress:
        return zlib.decompressobj(
            zlib.MAX_WBITS | 32
        )  # 32: gzip and zlib headers are told apart by their first byte

    def feed(self, data: bytes) -> None:
        """Take the next raw bytes.

        Raises:
            OverflowError: the limit is passed.
            zlib.error: the bytes are not of that encoding.

        """
        self._fed = self._fed or bool(data)
        if self._zlib is None:
            self._out += data
        else:
            self._out += self._zlib.decompress(data, self._limit - len(self._out) + 1)
        if len(self._out) > self._limit:
            msg = "the decoded body is too large"
            raise OverflowError(msg)

    def result(self) -> bytes:
        """Return the decoded body.

        Raises:
            ValueError: the compressed body is cut short, or something follows it.

        """
        if self._zlib is not None and self._fed and (not self._zlib.eof or self._zlib.unused_data):
            msg = "the compressed body is cut short or followed by something"
            raise ValueError(msg)
        return bytes(self._out)
