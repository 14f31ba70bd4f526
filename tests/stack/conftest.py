"""One stack for all tests of this folder; each test leaves it well."""

from collections.abc import Iterator

import pytest

from tests.stack.stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole stack with a mail server under the tests' control."""
    folder = tmp_path_factory.mktemp("stack")
    with Stack(folder, ["compose.yaml", "compose.test.yaml"]).running() as running:
        running.wait_until_well()
        yield running


@pytest.fixture
def well(stack: Stack) -> Iterator[None]:
    """Give a test a mail server that is well and has received nothing."""
    stack.smtp_behaves()
    stack.forget_mail()
    yield
    stack.smtp_behaves()
