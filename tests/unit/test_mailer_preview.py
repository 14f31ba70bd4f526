"""What there is to see of a mail, and that none of it does anything."""

from email.message import EmailMessage
from email.policy import SMTP

import pytest

from mailer.operator import preview

TOKEN = "Zk3v9Qp-_x7LmN2bR8tYw1sHcVfGjD4uKaE6oiT0qWn"
LINK = f"https://example.org/account/reset/{TOKEN}"


def a_mail(html: str = "", text: str = f"Open {LINK}\n", **headers: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["Subject"] = "Reset"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()


def html_of(html: str) -> str:
    return str(preview.of(a_mail(html))["html"])


def test_text_html_and_headers_are_shown_without_the_token() -> None:
    raw = a_mail(f'<p>Hello, <a href="{LINK}">reset</a> {LINK}</p>', List_Unsubscribe=f"<{LINK}>")

    shown = preview.of(raw)

    assert TOKEN not in repr(shown)
    assert shown["text"].strip() == "Open https://example.org/account/reset/[removed]"
    assert '<a title="https://example.org/account/reset/[removed]">reset</a>' in shown["html"]
    assert ["List-Unsubscribe", "<https://example.org/account/reset/[removed]>"] in shown["headers"]
    assert shown["truncated"] is False


@pytest.mark.parametrize("encoding", ["quoted-printable", "base64"])
def test_token_is_found_in_whatever_way_the_mail_is_encoded(encoding: str) -> None:
    message = EmailMessage(policy=SMTP)
    message.set_content(f"<a href='{LINK}'>x</a>" + "\u00e4" * 80, subtype="html", cte=encoding)

    assert TOKEN not in repr(preview.of(message.as_bytes()))


@pytest.mark.parametrize(
    ("given", "gone"),
    [
        ("<script>alert(1)</script>", "alert"),
        ("<img src='https://example.net/pixel.gif' onerror='go()'>", "pixel"),
        ("<img srcset='https://example.net/pixel.gif 2x'>", "srcset"),
        ("<p onclick='go()'>", "onclick"),
        ("<form action='https://example.net/'><input name=a></form>", "form"),
        ("<iframe src='https://example.net/'></iframe>", "iframe"),
        ("<object data='https://example.net/'></object>", "object"),
        ("<meta http-equiv=refresh content='0;url=https://example.net/'>", "refresh"),
        ("<base href='https://example.net/'>", "base"),
        ("<link rel=stylesheet href='https://example.net/'>", "<link"),
        ("<svg><a href='https://example.net/'>x</a></svg>", "svg"),
        ("<a href='javascript:go()'>x</a>", "href"),
        ("<a target=_top href='/x'>x</a>", "target"),
    ],
)
def test_what_runs_loads_or_leads_away_is_not_shown(given: str, gone: str) -> None:
    assert gone not in html_of(f"<p>before</p>{given}<p>after</p>")
    assert "<p>after</p>" in html_of(f"<p>before</p>{given}<p>after</p>")


def test_looks_stay_and_nothing_is_loaded_for_them() -> None:
    html = html_of('<p style="color:#1c2733" align="center">x</p><style>p > a {color:red}</style>')

    assert '<p style="color:#1c2733" align="center">x</p><style>p > a {color:red}</style>' in html
    assert "content=\"default-src 'none'; style-src 'unsafe-inline'\"" in html


def test_markup_that_was_written_as_text_stays_text() -> None:
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html_of(
        "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"
    )


def test_tag_that_never_ends_hides_the_rest_and_shows_no_token() -> None:
    assert TOKEN not in html_of(f'<p>x</p><a href="{LINK}')
    assert TOKEN not in html_of(f"<svg><p>{LINK}")


def test_long_mail_is_cut() -> None:
    shown = preview.of(a_mail("<p>" + "y " * 150_000, "x " * 150_000))

    assert shown["truncated"] is True
    assert len(shown["text"]) + len(shown["html"]) <= 200_000


def test_attachments_are_named() -> None:
    message = EmailMessage(policy=SMTP)
    message.set_content("see there")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="bill.pdf")

    assert preview.of(message.as_bytes())["attachments"] == ["bill.pdf (application/pdf)"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n\r\n",
        b"Content-Type: text/plain; charset=none-such\r\n\r\nhello\r\n",
        b"Content-Type: text/html; charset=utf-8\r\n\r\n\xff\xfe<p",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\ncut o",
        b"Content-Transfer-Encoding: base64\r\nContent-Type: text/html\r\n\r\nPHA+SGVsb",
    ],
)
def test_mail_that_is_broken_or_cut_off_is_shown_as_far_as_it_goes(raw: bytes) -> None:
    assert preview.of(raw)["truncated"] is False
