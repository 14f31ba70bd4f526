"""What is left of a link that nobody but its reader may use."""

import pytest

from mailer.operator.redaction import redact

TOKEN = "Zk3v9Qp-_x7LmN2bR8tYw1sHcVfGjD4uKaE6oiT0qWn"


@pytest.mark.parametrize(
    ("given", "left"),
    [
        pytest.param("no link, at 12:30", "no link, at 12:30", id="words stay"),
        pytest.param("https://example.org/docs/help-page.", "https://example.org/docs/help-page.", id="plain"),
        pytest.param(f"https://example.org/reset/{TOKEN}", "https://example.org/reset/[removed]", id="path"),
        pytest.param("https://example.org/c/4711", "https://example.org/c/[removed]", id="a number is a code"),
        pytest.param("https://example.org/c/a/?", "https://example.org/c/a/?", id="no query"),
        pytest.param("https://example.org/?t=abc&n=x", "https://example.org/?t=[removed]&n=[removed]", id="query"),
        pytest.param(f"https://example.org/?{TOKEN}", "https://example.org/?[removed]", id="query without a name"),
        pytest.param("https://example.org/in#letmein", "https://example.org/in#[removed]", id="fragment"),
        pytest.param("https://ada:pw@example.org:8443/in", "https://example.org:8443/in", id="user"),
        pytest.param("(https://example.org/reset/Abc).", "(https://example.org/reset/[removed]).", id="brackets"),
        pytest.param("myapp://reset/AbC1", "myapp://reset/[removed]", id="a scheme of an app"),
        pytest.param("mailto:stop+AbC@example.org?subject=x", "mailto:[removed]", id="mailto"),
        pytest.param("http://[::1/AbC", "[removed]", id="no address at all"),
        pytest.param("https://example.org/%41%42%43", "https://example.org/[removed]", id="percent"),
        pytest.param("https://example.org/a;b=AbC", "https://example.org/[removed]", id="path parameter"),
        pytest.param(f"Your token is {TOKEN}, thanks", "Your token is [removed], thanks", id="no link"),
        pytest.param("ada-lovelace-lovelace@example.org", "ada-lovelace-lovelace@example.org", id="an address stays"),
    ],
)  # fmt: skip
def test_what_makes_a_link_work_goes_and_where_it_leads_stays(given: str, left: str) -> None:
    assert redact(given) == left
