"""What operators write becomes paragraphs and links, and never markup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from web.notices.words import links, paragraphs

A = '<a href="{0}">{0}</a>'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        pytest.param("one\n\ntwo", "<p>one</p>\n<p>two</p>", id="an empty line ends a paragraph"),
        pytest.param("one\ntwo", "<p>one<br>\ntwo</p>", id="a line stays a line"),
        pytest.param("\n one \n \n\n two\n", "<p>one </p>\n<p> two</p>", id="space around is none"),
        pytest.param("<b>&</b>", "<p>&lt;b&gt;&amp;&lt;/b&gt;</p>", id="markup is text"),
    ],
)
def test_text_becomes_paragraphs(text: str, html: str) -> None:
    assert paragraphs(text) == html


@pytest.mark.parametrize(
    ("text", "url", "rest"),
    [
        pytest.param(
            "see https://a.example/b.", "https://a.example/b", ".", id="end of a sentence"
        ),
        pytest.param("see http://a.example?!", "http://a.example", "?!", id="and of a question"),
        pytest.param(
            "see https://a.example/(b)", "https://a.example/(b)", "", id="its own bracket"
        ),
        pytest.param(
            "see https://a.example/b),", "https://a.example/b", "),", id="bracket around it"
        ),
    ],
)
def test_address_of_a_page_becomes_a_link(text: str, url: str, rest: str) -> None:
    assert links(text) == f"see {A.format(url)}{rest}"


def test_characters_of_an_address_are_escaped_too() -> None:
    assert links("https://a.example/?a=1&b='\"x") == (
        '<a href="https://a.example/?a=1&amp;b=">https://a.example/?a=1&amp;b=</a>&#39;&#34;x'
    )


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "data:text/html,x", "//a.example", "www.a"]
)
def test_nothing_else_becomes_a_link(text: str) -> None:
    assert links(text) == escape(text)


@given(st.text(st.sampled_from("<>&\"' \nhttps://a.b?()")))
def test_whatever_is_written_has_no_tags_but_ours(text: str) -> None:
    html = str(paragraphs(text))

    for ours in ("<p>", "</p>", "<br>", '<a href="', "</a>"):
        html = html.replace(ours, "")
    assert "<" not in html
    assert '"' not in html.replace('">', "")
