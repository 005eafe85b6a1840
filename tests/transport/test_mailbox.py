"""Activation codes and accounts are found in any mail, and never guessed."""

from __future__ import annotations

import time
import unicodedata
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk.errors import BhxhError, InputError, WrongTypeError
from bhxh_sdk.messages import LANGUAGES
from bhxh_sdk.transport.mail_text import mail_text
from bhxh_sdk.transport.mailbox import (
    DEFAULT_MAIL_PATTERNS,
    activation_code_in,
    credentials_in,
    link_host,
)

CODE = "K7M2-PQ9X"
LINK = "https://portal.example/kich-hoat?id=1"
PLAIN = f"""Kính gửi: CÔNG TY TNHH VÍ DỤ

Mã kích hoạt: {CODE}

Để hoàn tất thủ tục, đơn vị (bấm vào đây): {LINK} và nhập mã kích hoạt. Mã có hiệu lực 24 giờ.
"""
HTML = f"""<!DOCTYPE html><html><head><title>Mã kích hoạt: TITLE1</title>
<style>p {{ x: "Mã kích hoạt: STYLE1" }}</style>
</head><body><!-- Mã kích hoạt: COMMENT1 -->
<table><tr><td>Mã kích hoạt</td><td><b>{CODE}</b></td></tr></table>
<p>Đơn vị <a class="x" href="{LINK}">(bấm&nbsp;vào <i>đây</i>)</a></p></body></html>"""
CODE_LINE = f"<p>Mã kích hoạt: {CODE}"
ACCOUNT = "Tên đăng nhập: 0100109106\nMật khẩu: aB3$x&=,.!z\n"


def mail(plain: str = "", html: str = "", cte: str = "base64", charset: str = "utf-8") -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = "no-reply@portal.example"
    message["To"] = "hr@example.com"
    message["Subject"] = "Thông báo mã kích hoạt"
    if plain:
        message.set_content(plain, cte=cte, charset=charset)
    if html and plain:
        message.add_alternative(html, subtype="html", cte=cte)
    elif html:
        message.set_content(html, subtype="html", cte=cte)
    return message


FORMS = {
    "pasted text": PLAIN,
    "pasted text in NFD": unicodedata.normalize("NFD", PLAIN),
    "pasted text with Windows line ends": PLAIN.replace("\n", "\r\n"),
    "pasted HTML": HTML,
    "text file": PLAIN.encode(),
    "text file with a byte order mark": PLAIN.encode("utf-8-sig"),
    "text file in UTF-16": PLAIN.encode("utf-16"),
    "base64 mail": mail(PLAIN).as_bytes(),
    "quoted-printable mail": mail(PLAIN, cte="quoted-printable").as_bytes(),
    "8bit mail": mail(PLAIN, cte="8bit").as_bytes(),
    "HTML-only mail": mail(html=HTML).as_bytes(),
    "HTML-only mail in quoted-printable": mail(html=HTML, cte="quoted-printable").as_bytes(),
    "both parts": mail(PLAIN, HTML).as_bytes(),
    "source pasted as text": mail(PLAIN, HTML).as_bytes().decode(),
    "NFD mail": mail(unicodedata.normalize("NFD", PLAIN), unicodedata.normalize("NFD", HTML)).as_bytes(),
}


@pytest.mark.parametrize("given_mail", FORMS.values(), ids=FORMS)
def test_the_code_is_found_in_every_form_of_mail(given_mail):
    found = activation_code_in(given_mail)
    assert found.code.reveal() == CODE
    assert found.link == LINK


def test_a_forwarded_mail_is_read():
    outer = mail("Chuyển tiếp.")
    outer.add_attachment(mail(PLAIN, HTML))
    assert activation_code_in(outer.as_bytes()).code.reveal() == CODE


def test_attached_files_are_not_read():
    message = mail(PLAIN)
    message.add_attachment("Mã kích hoạt: OTHER99", filename="a.txt")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="a.pdf")
    assert activation_code_in(message.as_bytes()).code.reveal() == CODE


@pytest.mark.parametrize(
    "line",
    [
        "Mã kích hoạt: ABCD1234",
        "MÃ KÍCH HOẠT : ABCD1234.",
        "Mã xác nhận của đơn vị: ABCD1234",
        "Mã kích hoạt tài khoản của quý đơn vị là: ABCD1234",
        "Mã kích hoạt là ABCD1234, có hiệu lực 24 giờ",
        "Mã kích hoạt：«ABCD1234»",
        "Mã kích hoạt\n\nABCD1234\n",
        "Ma kich hoat: ABCD1234",
        "Mã kích hoạt:\u00a0AB\u200bCD1234",
        "Activation code: ABCD1234",
    ],
)
def test_the_code_is_found_in_many_wordings(line):
    assert activation_code_in(f"Kính gửi\n{line}\nTrân trọng").code.reveal() == "ABCD1234"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Kính gửi quý đơn vị",
        "Mã kích hoạt: xem bên dưới",
        "nhập mã kích hoạt trong thư",
        "Mã kích hoạt: có hiệu lực 24 giờ",
        "Mã kích hoạt:",
        b"",
        b"\xff\xfe\xfd",
        b"From: a@example.com\r\n\r\n",
        b"Content-Type: text/plain; charset=no-such-charset\r\n\r\nxin ch\xc3\xa0o",
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\nno boundary at all",
        b"Content-Type: text/plain; charset=\xff\xfe\r\n\r\nx",
    ],
)
def test_no_code_is_an_error_that_says_what_to_do(text):
    with pytest.raises(InputError) as caught:
        activation_code_in(text)
    assert caught.value.code == "mail.no_code"
    for language in LANGUAGES:
        assert caught.value.hint(language)


def test_two_codes_are_never_chosen_from():
    with pytest.raises(InputError) as caught:
        activation_code_in(PLAIN + "\nMã kích hoạt: OTHER1\n")
    assert caught.value.code == "mail.many_codes"
    assert caught.value.parameters["count"] == 2
    assert CODE not in str(caught.value) + repr(caught.value.__dict__)


def test_text_and_html_that_disagree_are_two_codes():
    with pytest.raises(InputError, match="many_codes"):
        activation_code_in(mail(PLAIN, HTML.replace(CODE, "OTHER1")).as_bytes())


def test_the_account_is_found():
    found = credentials_in(mail(ACCOUNT, cte="quoted-printable").as_bytes())
    assert found.user_name == "0100109106"
    assert found.password.reveal() == "aB3$x&=,.!z"


def test_the_account_is_found_in_an_html_table():
    rows = ("<td>Tên đăng nhập:</td><td>0100109106</td>", "<td>Mật khẩu</td><td>a&amp;b&lt;c1</td>")
    html = f"<table><tr>{'</tr><tr>'.join(rows)}</tr></table>"
    found = credentials_in(mail(html=html).as_bytes())
    assert (found.user_name, found.password.reveal()) == ("0100109106", "a&b<c1")


@pytest.mark.parametrize("text", ["", "Tên đăng nhập: 0100109106", "Mật khẩu: aB3xyz12"])
def test_half_an_account_is_none(text):
    with pytest.raises(InputError, match="no_account"):
        credentials_in(text)


def test_two_accounts_are_never_chosen_from():
    with pytest.raises(InputError) as caught:
        credentials_in(ACCOUNT + ACCOUNT.replace("0100109106", "0123456789"))
    assert caught.value.code == "mail.many_accounts"
    assert caught.value.parameters["count"] == 2


@pytest.mark.parametrize(
    ("html", "link"),
    [
        (f'{CODE_LINE} <a href="https://a.example/x">trang chủ</a></p>', ""),
        (
            f"<p>Mã kích hoạt: {CODE} <a href='https://a.example/x'>(bấm vào đây)</a></p>",
            "https://a.example/x",
        ),
        (f"{CODE_LINE} <a href=https://a.example/x>BAM VAO DAY</a></p>", "https://a.example/x"),
        (f'{CODE_LINE} <a href="javascript:x">(bấm vào đây)</a></p>', ""),
        (f'{CODE_LINE} <a name="x">(bấm vào đây)</a></p>', ""),
        (f'{CODE_LINE} <a href="https://[x">(bấm vào đây)</a></p>', ""),
        (
            f'{CODE_LINE} <a href="//a">x</a><a href="http://a">tại đây</a><a href="http://b">tại đây</a>',
            "",
        ),
        (f"{CODE_LINE} <script>bấm vào đây: https://a.example/x", ""),
    ],
)
def test_the_link_is_taken_only_when_it_is_plain_which(html, link):
    assert activation_code_in(html).link == link


@pytest.mark.parametrize(
    ("link", "host"),
    [
        ("https://portal.example/a", "portal.example"),
        ("https://portal.example@evil.example/a", "evil.example"),
        ("https://PORTAL.example:8443", "portal.example"),
        ("https://bảohiểm.example/", "xn--bohim-zw0b4s.example"),
        ("https://" + "đ" * 80 + ".example/", ""),
        ("javascript:alert(1)", ""),
        ("https://[::1", ""),
        ("", ""),
    ],
)
def test_the_host_of_a_link_is_the_real_one(link, host):
    found = link_host(link)
    assert found == host or (found.startswith("xn--") and host.startswith("xn--"))


def test_a_mail_that_is_too_large_is_refused():
    patterns = DEFAULT_MAIL_PATTERNS.with_overrides({"largest_mail": 100})
    with pytest.raises(InputError) as caught:
        activation_code_in("x" * 101, patterns=patterns)
    assert caught.value.code == "mail.too_large"


def test_a_text_that_is_too_long_is_refused():
    with pytest.raises(InputError, match="too_large"):
        activation_code_in("xin chào " * 100_000)


def test_a_mail_of_many_nested_parts_is_refused():
    source = b"From: a@example.com\r\n" + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" * 41
    with pytest.raises(InputError, match="too_nested"):
        activation_code_in(source)


def test_only_text_and_bytes_are_mails():
    with pytest.raises(WrongTypeError):
        activation_code_in(7)


def test_patterns_can_be_replaced():
    patterns = DEFAULT_MAIL_PATTERNS.with_overrides({"activation_code": [r"^OTP=(\d{6})$"]})
    assert activation_code_in("Xin chào\nOTP=123456", patterns=patterns).code.reveal() == "123456"
    assert patterns.password == DEFAULT_MAIL_PATTERNS.password


@pytest.mark.parametrize("pattern", ["(", "no group", "(two)(groups)", 7])
def test_a_bad_pattern_is_named(pattern):
    with pytest.raises(InputError) as caught:
        DEFAULT_MAIL_PATTERNS.with_overrides({"password": [pattern]})
    assert caught.value.code == "mail.bad_pattern"


def test_an_unknown_pattern_is_named():
    with pytest.raises(InputError) as caught:
        DEFAULT_MAIL_PATTERNS.with_overrides({"pasword": []})
    assert caught.value.parameters["names"] == "pasword"


BOMBS = [
    "<" * 100_000,
    "<!--" * 25_000,
    "<a " * 33_000,
    "<a href=" * 12_500,
    "<a href='" * 11_000,
    "</" * 50_000,
    "<p>" * 33_000,
    "<script>" * 12_500,
    "&#" * 50_000,
    "<p>&#" + "9" * 100_000,
    "<p>" + "mã kích hoạt: " * 7_000,
    "mã kích hoạt" + " " * 100_000,
    "mã kích hoạt:" + "\n" * 100_000,
    "mã kích hoạt:" + "A" * 100_000,
    "mã kích hoạt của đơn vị " * 4_000,
    "tên đăng nhập: " * 6_000,
    "mật khẩu:" * 11_000,
    "bấm vào đây " * 8_000,
    "bấm vào đây https://" + "a" * 100_000,
    'Content-Type: multipart/mixed; boundary="' + ";" * 100_000 + '"\n\nx',
    "From: a\nContent-Type: text/plain; " + 'a="\\' * 25_000,
    "Subject: x\n" + "A" * 100_000,
]


@pytest.mark.parametrize("bomb", BOMBS, ids=[bomb[:15] for bomb in BOMBS])
def test_no_text_takes_long_to_read(bomb):
    """Linear: 100 kB take some milliseconds; a backtracking pattern or parser would take minutes."""
    began = time.process_time()
    for read in (activation_code_in, credentials_in):
        assert refusal_of(read, bomb).startswith("mail.")
    assert time.process_time() - began < 1


def refusal_of(read, text):
    """Return the code of the error, or that of none."""
    try:
        read(text)
    except BhxhError as error:
        return error.code
    return "mail.read"


@given(st.one_of(st.text(max_size=300), st.binary(max_size=300)))
def test_nothing_but_typed_errors_comes_out(anything):
    for read in (activation_code_in, credentials_in):
        assert refusal_of(read, anything).startswith("mail.")


@given(st.from_regex(r"[A-Z0-9]{4,20}", fullmatch=True), st.sampled_from(["base64", "quoted-printable"]))
def test_a_mailed_code_comes_back(code, cte):
    if not any(letter.isdigit() for letter in code):
        code += "1"
    assert activation_code_in(mail(f"Mã kích hoạt: {code}\n", cte=cte).as_bytes()).code.reveal() == code


def test_an_unclosed_link_is_no_link():
    assert mail_text('<p><a href="https://a.example">bấm vào đây', largest=1000).links == ()
