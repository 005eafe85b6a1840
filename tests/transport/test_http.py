"""Both senders against servers that misbehave: what is certain, what is in doubt, and when it ends."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import time
import zlib

import pytest
from portal_world import run
from raw_server import certified, raw_server, read_request, reset

from bhxh_sdk.errors import InputError, NotSentError, SetupError, UnknownOutcomeError
from bhxh_sdk.ports import Request
from bhxh_sdk.system import SystemClock
from bhxh_sdk.transport import AsyncHttpSender, HttpSender, Limits
from bhxh_sdk.transport.http import multipart_body
from bhxh_sdk.transport.outbound import tls_context

QUERY = "ma_tra_cuu=canary-1"


class Blocking:
    def __init__(self, **options):
        self.sender = HttpSender(SystemClock(), **options)

    def send(self, request):
        return run(self.sender.send(request))


class Waiting:
    def __init__(self, **options):
        self.sender = AsyncHttpSender(SystemClock(), **options)

    def send(self, request):
        return asyncio.run(self.sender.send(request))


@pytest.fixture(params=[Blocking, Waiting], ids=["blocking", "asynchronous"])
def kind(request):
    return request.param


def request_to(port, *, seconds=0.4, scheme="http", **changes):
    url = f"{scheme}://127.0.0.1:{port}/api?{QUERY}"
    return Request(**{"method": "POST", "url": url, "body": b"{}", "deadline_seconds": seconds, **changes})


def exchanged(kind, behave, *, seconds=0.4, request=None, **options):
    with raw_server(behave) as server:
        sender = kind(allowed_hosts=[f"127.0.0.1:{server.port}"], **options)
        return sender.send(request(server.port) if request else request_to(server.port, seconds=seconds))


def answering(body=b"", *headers, status=b"200 OK", length=None):
    def behave(connection):
        read_request(connection)
        length_header = b"Content-Length: %d" % (len(body) if length is None else length)
        lines = [b"HTTP/1.1 " + status, length_header, *headers]
        connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)

    return behave


def dripping(start, drop=b"x"):
    def behave(connection):
        read_request(connection)
        connection.sendall(start)
        while True:
            time.sleep(0.05)
            connection.sendall(drop)

    return behave


def closing(connection):
    read_request(connection)


def resetting(connection):
    read_request(connection)
    reset(connection)


def silent(connection):
    read_request(connection)
    connection.recv(1)


def never_reading(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    time.sleep(1)


def endless_headers(connection):
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-Filler: " + b"x" * 4000 + b"\r\n")


def endless_hints(connection):
    read_request(connection)
    while True:
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: " + b"x" * 4000 + b"\r\n\r\n")


def test_an_answer_is_complete_and_decoded(kind):
    gzipped = gzip.compress("Chào".encode())
    reply = exchanged(kind, answering(gzipped, b"Content-Encoding: gzip", b"X-Name: V"))
    assert reply.status == 200
    assert reply.body.decode() == "Chào"
    assert reply.header("X-Name") == "V"


@pytest.mark.parametrize("body", [b"", b"plain"])
def test_a_plain_answer_is_taken_as_it_is(kind, body):
    assert exchanged(kind, answering(body, b"Content-Encoding: identity")).body == body


def test_no_body_needs_no_encoding(kind):
    assert exchanged(kind, answering(b"", b"Content-Encoding: gzip")).body == b""


def test_zlib_counts_as_deflate(kind):
    assert exchanged(kind, answering(zlib.compress(b"abc"), b"Content-Encoding: deflate")).body == b"abc"


def test_nothing_is_sent_where_nobody_listens(kind):
    with raw_server(closing) as server:
        port = server.port
    with pytest.raises(NotSentError) as caught:
        kind(allowed_hosts=[f"127.0.0.1:{port}"]).send(request_to(port))
    assert caught.value.code == "not_sent.connection"
    assert "127.0.0.1" in str(caught.value)


def test_nothing_is_sent_when_the_name_is_unknown(kind, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NotSentError):
        kind(allowed_hosts=["portal.example"]).send(Request(method="GET", url="https://portal.example/"))


def test_nothing_is_sent_once_the_time_is_over(kind):
    with raw_server(closing) as server, pytest.raises(NotSentError) as caught:
        kind(allowed_hosts=[f"127.0.0.1:{server.port}"]).send(request_to(server.port, seconds=-1))
    assert caught.value.code == "not_sent.deadline"


# A deadline of less than a second ends well before this, however busy the machine; without one, never.
LONGEST = 4.0

DOUBTS = {
    "close without an answer": (closing, "connection"),
    "reset after the request": (resetting, "connection"),
    "no answer": (silent, "deadline"),
    "half an answer": (answering(b"{}", length=100), "connection"),
    "garbage status line": (dripping(b"HELO there\r\n\r\n"), "connection"),
    "dripping headers": (dripping(b"HTTP/1.1 200 OK\r\nX: "), "deadline"),
    "dripping body": (dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"), "deadline"),
    # Either limit may be met first: that of the header or that of the whole answer.
    "endless headers": (endless_headers, "connection too_large"),
    "endless early hints": (endless_hints, "too_large"),
    "raw body too large": (answering(b"x" * 200_000), "too_large"),
    "gzip bomb": (answering(gzip.compress(b"\0" * 5_000_000), b"Content-Encoding: gzip"), "too_large"),
    "encoding not asked for": (answering(b"xx", b"Content-Encoding: br"), "connection"),
    "two encodings": (answering(b"xx", b"Content-Encoding: gzip, gzip"), "connection"),
    "no gzip at all": (answering(b"plain", b"Content-Encoding: gzip"), "connection"),
    "gzip cut after its header": (
        answering(gzip.compress(b"abc")[:10], b"Content-Encoding: gzip"),
        "connection",
    ),
    "gzip of two members": (answering(gzip.compress(b"a") * 2, b"Content-Encoding: gzip"), "connection"),
    "gzip cut short": (answering(gzip.compress(b"abc" * 99)[:-9], b"Content-Encoding: gzip"), "connection"),
}


@pytest.mark.parametrize("doubt", DOUBTS)
def test_what_happens_after_the_first_byte_leaves_the_outcome_unknown(kind, doubt):
    behave, reason = DOUBTS[doubt]
    begun = time.monotonic()
    with pytest.raises(UnknownOutcomeError) as caught:
        exchanged(kind, behave, limits=Limits(raw_bytes=150_000, decoded_bytes=1_000_000))
    assert time.monotonic() - begun < LONGEST
    assert caught.value.code in {f"unknown_outcome.{one}" for one in reason.split()}


def test_a_body_that_the_server_does_not_read_ends_with_the_deadline(kind):
    begun = time.monotonic()
    with pytest.raises(UnknownOutcomeError) as caught:
        exchanged(kind, never_reading, request=lambda port: request_to(port, body=b"x" * 20_000_000))
    assert time.monotonic() - begun < LONGEST
    assert caught.value.code == "unknown_outcome.deadline"


def test_an_early_no_to_a_large_body_is_read(kind):
    def refusing(connection):
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1_000_000):
            pass

    reply = exchanged(
        kind, refusing, request=lambda port: request_to(port, body=b"x" * 3_000_000, deadline_seconds=1.5)
    )
    assert reply.status == 413


def test_a_redirect_is_handed_back_and_never_followed(kind):
    with raw_server(closing) as other:
        location = b"Location: http://127.0.0.1:%d/" % other.port
        reply = exchanged(kind, answering(b"", location, status=b"302 Found"))
        assert reply.status == 302
        assert other.connections == 0


def test_an_error_names_the_host_and_no_query(kind):
    with pytest.raises(UnknownOutcomeError) as caught:
        exchanged(kind, closing)
    error = caught.value
    told = [error, error.__cause__, error.__context__]
    assert all("canary" not in f"{one!r} {one}" for one in told)
    assert error.parameters["host"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://lookalike.example/", "setup.host_not_allowed"),
        ("https://portal.example:8443/", "setup.host_not_allowed"),
        ("http://portal.example:443/", "setup.not_https"),
        ("https://portal.example.evil.example/", "setup.host_not_allowed"),
    ],
)
def test_other_hosts_are_refused_before_anything_is_connected(kind, url, code):
    sender = kind(allowed_hosts=["Portal.example", "portal.example:443"])
    with pytest.raises(SetupError) as caught:
        sender.send(Request(method="GET", url=url))
    assert caught.value.code == code


def test_an_address_of_numbers_is_allowed_in_brackets(kind):
    with pytest.raises(NotSentError):
        kind(allowed_hosts=["[::1]:9"]).send(Request(method="GET", url="http://[::1]:9/"))


@pytest.mark.parametrize(
    "url", ["https://user@portal.example/", "https:///x", "https://portal.example:x/", "https://[::1/"]
)
def test_an_address_that_means_something_else_is_our_mistake(kind, url):
    with pytest.raises(InputError) as caught:
        kind(allowed_hosts=["portal.example"]).send(Request(method="GET", url=url))
    assert caught.value.code == "input.address"


@pytest.mark.parametrize(
    "headers",
    [
        (("X", "a\r\nEvil: 1"),),
        (("X", "tiếng"),),
        (("X", " a"),),
        (("X", 5),),
        (("X\n", "a"),),
        (("Bad name", "a"),),
        (("Host", "evil.example"),),
        (("content-length", "0"),),
        (("Transfer-Encoding", "chunked"),),
    ],
    ids=str,
)
def test_a_header_that_cannot_be_sent_is_our_mistake(kind, headers):
    with pytest.raises(InputError) as caught:
        kind(allowed_hosts=["127.0.0.1:1"]).send(request_to(1, headers=headers))
    assert caught.value.code == "input.request"
    assert caught.value.nothing_left
    assert caught.value.__context__ is None


def test_a_request_without_sense_sends_nothing(kind):
    with pytest.raises(NotSentError):
        exchanged(kind, closing, request=lambda port: request_to(port, method="BAD METHOD"))


def echo(connection):
    asked = read_request(connection)
    head = b"HTTP/1.1 200 OK\r\nSet-Cookie: BIGip=pool-7; path=/\r\nContent-Length: %d\r\n\r\n" % len(asked)
    connection.sendall(head + asked)


def test_the_sender_names_itself_asks_for_gzip_and_keeps_cookies(kind):
    with raw_server(echo) as server:
        sender = kind(allowed_hosts=[f"127.0.0.1:{server.port}"])
        first = sender.send(request_to(server.port)).body.decode()
        second = sender.send(request_to(server.port)).body.decode()
    assert "\r\nUser-Agent: bhxh-sdk/" in first
    assert "\r\nAccept-Encoding: gzip\r\n" in first
    assert "Cookie" not in first
    assert "\r\nCookie: BIGip=pool-7\r\n" in second
    assert server.connections == 2


def test_a_cookie_that_cannot_be_sent_back_is_dropped(kind):
    cookies = [b"Set-Cookie: odd=\xc3\xa9\xff; path=/", b"Set-Cookie: a=\x01", b"Set-Cookie: good=1; path=/"]
    asked = []

    def behave(connection):
        asked.append(read_request(connection))
        connection.sendall(b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: 0", *cookies, b"\r\n"]))

    with raw_server(behave) as server:
        sender = kind(allowed_hosts=[f"127.0.0.1:{server.port}"])
        for _ in range(2):
            assert sender.send(request_to(server.port)).status == 200
    assert b"\r\nCookie: good=1\r\n" in asked[1]


def test_the_user_agent_may_be_the_integrators(kind):
    reply = exchanged(kind, echo, user_agent="payroll/1.0")
    assert b"\r\nUser-Agent: payroll/1.0\r\n" in reply.body


def sealed(context, behave):
    def handshake(connection):
        with context.wrap_socket(connection, server_side=True) as stream:
            behave(stream)

    return handshake


def over_tls(port):
    return request_to(port, scheme="https", seconds=1)


def test_tls_with_the_given_authorities(kind, tmp_path):
    context, bundle = certified(tmp_path)
    assert exchanged(kind, sealed(context, echo), request=over_tls, ca_bundle=bundle).status == 200


@pytest.mark.parametrize("name", ["portal.example", "127.0.0.2"])
def test_a_certificate_of_another_name_is_refused_for_good(kind, tmp_path, name):
    context, bundle = certified(tmp_path, name)
    with pytest.raises(NotSentError) as caught:
        exchanged(kind, sealed(context, echo), request=over_tls, ca_bundle=bundle)
    assert caught.value.code == "not_sent.certificate"


def test_a_certificate_of_nobody_is_refused_for_good(kind, tmp_path):
    context, _ = certified(tmp_path)
    with pytest.raises(NotSentError) as caught:
        exchanged(kind, sealed(context, echo), request=over_tls)
    assert caught.value.code == "not_sent.certificate"


def test_a_tls_handshake_is_not_the_request(kind):
    def hang_up(connection):
        connection.recv(100)

    with pytest.raises(NotSentError) as caught:
        exchanged(kind, hang_up, request=over_tls)
    assert caught.value.code == "not_sent.connection"


def test_a_tls_handshake_that_never_ends_sends_nothing(kind):
    def drip(connection):
        connection.sendall(b"\x16\x03\x03\x40\x00")
        while True:
            time.sleep(0.05)
            connection.sendall(b"\x00")

    begun = time.monotonic()
    with pytest.raises(NotSentError) as caught:
        exchanged(kind, drip, request=lambda port: request_to(port, scheme="https", seconds=0.4))
    assert time.monotonic() - begun < LONGEST
    assert caught.value.code == "not_sent.deadline"


def test_a_lost_answer_over_tls_is_in_doubt(kind, tmp_path):
    context, bundle = certified(tmp_path)
    with pytest.raises(UnknownOutcomeError):
        exchanged(kind, sealed(context, closing), request=over_tls, ca_bundle=bundle)


def test_old_tls_is_off_and_checks_are_on():
    context = tls_context()
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_a_bundle_that_cannot_be_read_is_named(kind, tmp_path):
    (tmp_path / "empty.pem").write_text("nothing")
    for name in ("missing.pem", "empty.pem"):
        with pytest.raises(SetupError) as caught:
            kind(allowed_hosts=[], ca_bundle=tmp_path / name)
        assert caught.value.code == "setup.ca_bundle"
        assert name in str(caught.value)


class TestProxy:
    """A proxy of the environment is used only when that was asked for."""

    @staticmethod
    def tunnel(asked, behave):
        def connect(connection):
            asked.append(connection.recv(65536))
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            behave(connection)

        return connect

    def test_it_is_not_used_by_itself(self, kind, monkeypatch):
        with raw_server(closing) as proxy:
            monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
            assert exchanged(kind, echo).status == 200
            assert proxy.connections == 0

    def test_it_is_used_on_request(self, kind, monkeypatch):
        with raw_server(echo) as proxy:
            monkeypatch.setenv("HTTP_PROXY", f"http://user:pass@127.0.0.1:{proxy.port}")
            sender = kind(allowed_hosts=["127.0.0.1:9"], trust_env=True)
            body = sender.send(request_to(9)).body
        assert body.startswith(b"POST http://127.0.0.1:9/api?")
        assert b"Proxy-Authorization: Basic dXNlcjpwYXNz" in body

    def test_https_goes_through_a_tunnel(self, kind, monkeypatch, tmp_path):
        context, bundle = certified(tmp_path)
        asked = []
        with raw_server(self.tunnel(asked, sealed(context, echo))) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
            sender = kind(allowed_hosts=["127.0.0.1:9"], trust_env=True, ca_bundle=bundle)
            assert sender.send(request_to(9, scheme="https", seconds=1)).status == 200
        assert asked[0].startswith(b"CONNECT 127.0.0.1:9 ")

    def test_what_the_proxy_alone_has_seen_was_not_sent(self, kind, monkeypatch):
        with raw_server(self.tunnel([], lambda connection: connection.recv(10))) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
            sender = kind(allowed_hosts=["127.0.0.1:9"], trust_env=True)
            with pytest.raises(NotSentError):
                sender.send(request_to(9, scheme="https", seconds=1))

    def test_exceptions_of_the_environment_hold(self, kind, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert exchanged(kind, echo, trust_env=True).status == 200

    def test_other_kinds_are_refused(self, kind, monkeypatch):
        monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
        with pytest.raises(SetupError) as caught:
            kind(allowed_hosts=["127.0.0.1:9"], trust_env=True).send(request_to(9))
        assert caught.value.code == "setup.proxy"


def test_the_next_address_of_a_name_is_tried(monkeypatch):
    with raw_server(echo) as server:
        dead = socket.create_server(("127.0.0.1", 0))
        dead_port = dead.getsockname()[1]
        dead.close()
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
            for port in (dead_port, server.port)
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        sender = Blocking(allowed_hosts=[f"localhost:{server.port}"])
        assert sender.send(Request(method="GET", url=f"http://localhost:{server.port}/")).status == 200


def test_a_multipart_body_has_its_fields_and_files():
    content_type, body = multipart_body({"code": "112"}, [("file", ('a".xml', b"<a/>", "text/xml"))], "b1")
    assert content_type == "multipart/form-data; boundary=b1"
    assert b'name="code"\r\n\r\n112' in body
    assert b'filename="a%22.xml"' in body
    assert body.endswith(b"--b1--\r\n")


def test_the_blocking_sender_never_suspends():
    with raw_server(echo) as server:
        assert (
            Blocking(allowed_hosts=[f"127.0.0.1:{server.port}"]).send(request_to(server.port)).status == 200
        )
