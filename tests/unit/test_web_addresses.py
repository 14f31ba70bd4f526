import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.outbox import LONGEST_ADDRESS, is_address
from web.addresses import AddressError, normalize


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        pytest.param("ada@example.org", "ada@example.org", id="plain"),
        pytest.param("  ada@example.org\n", "ada@example.org", id="spaces around it are dropped"),
        pytest.param("Ada@EXAMPLE.org", "Ada@example.org", id="only the host is case-blind"),
        pytest.param("ada+tag@example.org", "ada+tag@example.org", id="with a tag"),
        pytest.param("ada@bücher.example", "ada@xn--bcher-kva.example", id="host in punycode"),
    ],
)
def test_address_is_taken_as_smtp_needs_it(typed: str, address: str) -> None:
    assert normalize(typed) == address


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        pytest.param("", "Please write", id="nothing"),
        pytest.param("ada", "not an e-mail address", id="no host"),
        pytest.param("ada@", "not an e-mail address", id="empty host"),
        pytest.param("ada@localhost", "not an e-mail address", id="host that no mail reaches"),
        pytest.param("ada@example.org\r\nBcc: eve@example.org", "not an e-mail", id="header"),
        pytest.param("ada@example.org\0", "not an e-mail address", id="NUL"),
        pytest.param("Ada <ada@example.org>", "not an e-mail address", id="with a name"),
        pytest.param("ada@example.org,eve@example.org", "not an e-mail address", id="two"),
        pytest.param('"a b"@example.org', "not an e-mail address", id="quoted"),
        pytest.param("ädä@example.org", "accents", id="needs SMTPUTF8"),
        pytest.param("a" * 10_000 + "@example.org", "at most 254", id="10 kB"),
        pytest.param("a" * 65 + "@example.org", "not an e-mail address", id="name too long"),
    ],
)
def test_what_no_mail_can_be_sent_to_is_refused_with_words(typed: str, said: str) -> None:
    with pytest.raises(AddressError, match=said):
        normalize(typed)


def test_longest_address_is_the_one_that_the_outbox_takes() -> None:
    host = ".".join(["a" * 60] * 4)
    longest = f"{'a' * (LONGEST_ADDRESS - len(host) - 1)}@{host}"

    assert normalize(longest) == longest
    with pytest.raises(AddressError, match=f"at most {LONGEST_ADDRESS}"):
        normalize(f"a{longest}")


@given(st.one_of(st.text(max_size=300), st.emails()))
def test_whatever_is_typed_is_refused_or_is_what_the_outbox_takes(typed: str) -> None:
    try:
        address = normalize(typed)
    except AddressError:
        return

    assert is_address(address)
    assert address.isascii()
