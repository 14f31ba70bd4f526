import pytest

from mailer.smtp.errors import Stage
from mailer.smtp.replies import Reply, read_reply


def test_reply_is_read_as_one_line_without_what_is_secret() -> None:
    raw = b"5.7.8 no AUTH\n5.7.8 PLAIN AGJvYg==\x00\r\n for bob"

    reply = read_reply(Stage.LOGIN, 535, raw, hidden=("AGJvYg==", "bob"))

    assert str(reply) == "535 5.7.8 no AUTH 5.7.8 PLAIN [...] for [...]"


def test_address_is_hidden_however_it_is_written() -> None:
    reply = read_reply(Stage.RECIPIENT, 550, b"<ALICE@Example.NET>", hidden=("alice@example.net",))

    assert reply.text == "<[...]>"


def test_empty_secret_hides_nothing() -> None:
    reply = read_reply(Stage.LOGIN, 535, b"5.7.8 no", hidden=("", "bob"))

    assert reply.text == "5.7.8 no"


def test_overlong_reply_is_cut() -> None:
    assert len(read_reply(Stage.LOGIN, 535, b"x" * 5000).text) == 300


def test_reply_in_no_known_alphabet_is_readable() -> None:
    assert read_reply(Stage.LOGIN, 535, b"5.7.8 \xff\xfe").text == "5.7.8 \ufffd\ufffd"


@pytest.mark.parametrize(
    ("text", "enhanced"),
    [
        pytest.param("5.7.8 no", "5.7.8", id="at the beginning"),
        pytest.param("no 5.7.8", "", id="elsewhere it is prose"),
        pytest.param("1.2.3.4 is blocked", "", id="an address is none"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_enhanced_code_stands_first(text: str, enhanced: str) -> None:
    assert Reply(Stage.LOGIN, 535, text).enhanced == enhanced
