"""Hidden text in mails is no code, and a hostile mail costs little."""

from __future__ import annotations

import base64
import resource
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk.errors import InputError
from bhxh_sdk.transport.mail_html import html_text
from bhxh_sdk.transport.mailbox import activation_code_in, credentials_in

EVIL = "Mã kích hoạt: EVIL1234"
GOOD = "Mã kích hoạt: GOOD99"


def outcome(mail: str | bytes) -> str:
    """Return the code that is found, or the code of the error."""
    try:
        return activation_code_in(mail).code.reveal()
    except InputError as error:
        return error.code


STYLES = [
    "display:none",
    "color:red; DISPLAY : None !important",
    "display:/* x */none",
    r"d\69 splay:none",
    r"display:no\ne",
    "display&#58;none",
    "visibility:hidden",
    "visibility: collapse",
    "font-size:0",
    "font-size: 0.0px",
    "font-size:.0em",
    "opacity:0",
    "max-height:0px",
    "height:0;overflow:hidden",
    "text-indent:-9999px",
    "position:absolute; left:-5000px",
    "mso-hide:all",
    "color:transparent",
]


@pytest.mark.parametrize("style", STYLES)
def test_a_code_that_a_style_hides_is_none(style):
    hidden = f'<div style="{style}"><p>x</p><b>{EVIL}</b></div>'
    assert outcome(f"<html><body>{hidden}<p>Xin chào</p></body></html>") == "mail.no_code"
    assert outcome(f"<html><body>{hidden}<p>{GOOD}</p></body></html>") == "mail.many_codes"
    assert outcome(f"<html><body>{hidden.replace(EVIL, GOOD)}<p>{GOOD}</p></body></html>") == "GOOD99"


@pytest.mark.parametrize(
    "style", ["display:block", "font-size:0.9em", "font-size:10px", "opacity:1", "line-height:0", "left:-9px"]
)
def test_a_style_that_hides_nothing_counts_for_nothing(style):
    assert outcome(f'<div style="{style}">{GOOD}</div>') == "GOOD99"


HIDDEN = {
    "attribute": f"<p hidden>{EVIL}</p>",
    "attribute with a value": f"<p hidden='until-found'>{EVIL}</p>",
    "within itself": f"<div hidden><div>x</div>{EVIL}</div>",
    "unclosed": f"<div hidden>x</p>{EVIL}",
    "class": f"<style><!-- .a, p.h {{ display:none }} --></style><p class='x h'>{EVIL}</p>",
    "class in a media query": f"<style>@media x {{.h{{display:none}}}}</style><p class=h>{EVIL}</p>",
    "identifier": f"<style>div > #h{{visibility:hidden}}</style><p id=h>{EVIL}</p>",
    "element": f"<style>td p:first-child{{font-size:0}}</style><p>{EVIL}</p>",
    "everything": f"<style>*{{display:none}}</style><p>{EVIL}</p>",
    "selector by attribute alone": f"<style>[x]{{display:none}}</style><p x>{EVIL}</p>",
    "disguised sheet": rf"<style>.h{{displ\61y:none}}</style><p class=h>{EVIL}</p>",
    "tag end in a value": f'<p title=">" hidden>{EVIL}</p>',
    "tag in a value": f'<p>x</p><img alt="<b>{EVIL}</b>">',
    "text in a value": f'<p>x</p><img alt=">{EVIL} ">',
    "script": f"<p>x</p><script>{EVIL}</script >",
    "template": f"<p>x</p><template>{EVIL}</template>",
    "style behind letters that grow in lower case": f"<html>{'İ' * 60}<style>{EVIL}</style><p>x</p></html>",
    "declaration": f"<p>x</p><!x {EVIL}><?y {EVIL}?>",
}


@pytest.mark.parametrize("html", HIDDEN.values(), ids=HIDDEN)
def test_a_code_that_nobody_sees_is_none(html):
    assert outcome(f"<html><body>{html}</body></html>") == "mail.no_code"


SHOWN = {
    "behind a hidden picture": f'<p>x</p><img style="display:none" src=x>{GOOD}',
    "behind a hidden element": f"<div hidden><div>x</div></div><p>{GOOD}</p>",
    "around a hidden one": '<p>Mã kích hoạt: <span style="display:none">EVIL1</span>GOOD99</p>',
    "another class": f"<style>.h{{display:none}} .s{{color:red}}</style><p class=s>{GOOD}</p>",
    "a sheet that escapes nothing": f'<style>p{{content:"\\110000"}}</style><p>{GOOD}</p>',
    "letters that grow in lower case": f"<html><p>{'İ' * 25}<!-- x --><br>{GOOD} ok</p></html>",
    "document type": f"<!DOCTYPE html><!--[if mso]>{EVIL}<![endif]--><p>{GOOD}</p>",
}


@pytest.mark.parametrize("html", SHOWN.values(), ids=SHOWN)
def test_a_code_that_a_person_sees_is_found(html):
    assert outcome(html) == "GOOD99"


def test_a_hidden_account_is_not_chosen_from():
    account = "<p>Tên đăng nhập: {}</p><p>Mật khẩu: {}</p>"
    seen, hidden = account.format("0100109106", "aB3xyz12"), account.format("0100109106", "other123")
    assert credentials_in(f"<div hidden>{seen}</div>{seen}").password.reveal() == "aB3xyz12"
    for html, code in ((f"<div hidden>{hidden}</div>{seen}", "many"), (f"<div hidden>{seen}</div>", "no")):
        with pytest.raises(InputError, match=f"mail.{code}_account"):
            credentials_in(html)


@pytest.mark.parametrize(
    "quoted", [f"> {EVIL}", f"  > > {EVIL}", f"<p>&gt; {EVIL}</p>", "Mã kích hoạt:\n> EVIL1234"]
)
def test_what_is_quoted_does_not_count(quoted):
    assert outcome(quoted) == "mail.no_code"
    assert outcome(f"<p>{GOOD}</p>\n{quoted}" if "<" in quoted else f"{GOOD}\n{quoted}") == "GOOD99"


def test_a_link_that_nobody_sees_is_none():
    link = '<a href="https://a.example/x">bấm vào đây</a>'
    assert html_text(f"<p>{link}</p>").links == (("bấm vào đây", "https://a.example/x"),)
    assert html_text(f"<p hidden>{link}</p></a>").links == ()


@pytest.mark.parametrize("charset", ["punycode", "idna", "unicode_escape", "utf-7", "rot13", "no-such"])
def test_a_charset_that_no_mail_has_is_not_used(charset):
    mail = f"Content-Type: text/plain; charset={charset}\n\nM\\u00e3 k\\u00edch ho\\u1ea1t: EVIL1234"
    assert outcome(mail.encode()) == "mail.no_code"
    assert outcome(f"Content-Type: text/plain; charset={charset}\n\n{GOOD}".encode()) == "GOOD99"


@pytest.mark.parametrize(
    "charset", ["utf-8", "UTF8", "utf-16", "cp1258", "iso-8859-1", "us-ascii", "gb18030"]
)
def test_a_charset_that_mails_have_is_used(charset):
    head = f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: base64\n\n".encode()
    body = base64.encodebytes("Activation code: GOOD99".encode(charset))
    assert outcome(head + body) == "GOOD99"


def test_text_in_uuencode_is_not_read():
    assert outcome(f"From: a\nContent-Transfer-Encoding: x-uuencode\n\n{GOOD}".encode()) == "mail.no_code"


def multipart(count: int, part: bytes = b"\n\nx\n") -> bytes:
    return b"From: a\nContent-Type: multipart/mixed; boundary=b\n\n" + (b"--b" + part) * count


LIMIT = 1_000_000
HEAD = b"From: a@example.com\n"
REFUSED = {
    "large": (b"x" * (LIMIT + 1), "mail.too_large"),
    "many parts": (multipart(41), "mail.too_nested"),
    "many parts by another line end": (multipart(41).replace(b"\n", b"\r"), "mail.too_nested"),
    "long headers": (HEAD + b"X-A: b\n" * 10_000 + b"\nhi", "mail.too_large"),
    "many lines": (HEAD + b"\n" * 60_000, "mail.too_large"),
    "many tags": ("<b>" * 30_001, "mail.no_code"),
    "many tags in HTML": ("<p>" * 30_001, "mail.too_large"),
    "much hidden text": ("<p hidden>" + "x " * 300_000, "mail.too_large"),
}


@pytest.mark.parametrize(("mail", "code"), REFUSED.values(), ids=REFUSED)
def test_what_no_mail_of_the_agency_has_is_refused(mail, code):
    assert outcome(mail) == code


def test_forty_parts_are_read():
    assert outcome(multipart(39) + b"--b\n\n" + GOOD.encode()) == "GOOD99"


def filled(piece: str, size: int = 450_000) -> str:
    return (piece * size)[:size]


COSTLY: dict[str, str | bytes] = {
    "marks": "a" + "\u0301" * 200_000 + "\u0327" * 200_000,
    "marks by entities": "<p>" + "&#769;&#807;" * 40_000,
    "marks in a link": "<p><a href=x>" + "\u0301\u0327" * 100_000 + "bấm vào đây</a>",
    "parts": multipart(100_000)[:LIMIT],
    "long types": multipart(39, b"\nContent-Type: text/plain; " + b"a=b;" * 6_000 + b"\n\nx\n")[:LIMIT],
    "headers": (HEAD + b"X-A: b\n" * 200_000)[:LIMIT],
    "headers of a part": (multipart(1) + b"--b\n" + b"X-A: b\n" * 45_000),
    "uuencode": (HEAD + b"Content-Transfer-Encoding: uuencode\n\nbegin 666 x\n" + b"M\n" * 45_000),
    "punycode": (
        HEAD + b"Content-Type: text/plain; charset=punycode\n\n" + b"a" * 400_000 + b"-z9" * 100_000
    ),
    "tags": filled("<p>", 90_000),
    "too many tags": filled("<p>"),
    "styled tags": filled("<p style='display:block;font-size:1px'>"),
    "hidden tags": filled("<b hidden>", 299_000),
    "classes": "<style>.h{display:none}</style>" + filled("<p class='a b c d'>"),
    "links": "<p><a href=x>" + filled("a</a>", 149_000),
    "open quotation marks": filled("<p a='b\">"),
    "quotation marks": "<p " + filled("a=\"b'") + ">",
    "rules": "<p><style>" + filled(".a{font-size:0}"),
    "escapes": "<p><style>" + filled("\\6"),
    "comments in styles": "<p><style>" + filled("/*"),
    "declarations": "<p>" + filled("<!"),
    "ends": "<p><style>" + filled("</style "),
}


@pytest.mark.parametrize("mail", COSTLY.values(), ids=COSTLY)
def test_a_hostile_mail_costs_little(mail):
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    assert outcome(mail).startswith("mail.")
    assert time.process_time() - began < 1.5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000  # kilobytes on Linux


@given(st.text(alphabet="<>/!-= \"'ahidenstylp{}.;:0\\*&#İ\u0301\n", max_size=200))
def test_any_html_is_read(text):
    read = html_text(f"<p>{text}")
    assert isinstance(read.shown + read.hidden, str)
