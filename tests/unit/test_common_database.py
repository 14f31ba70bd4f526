"""What is said of an error."""

import pytest
from sqlalchemy.exc import OperationalError

from common.database import reason_of

PARAMETERS = {"recipient": "alice@example.net"}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(
            OperationalError(
                "SELECT :recipient", PARAMETERS, Exception("server closed\n  how odd")
            ),
            "server closed",
            id="the driver's words, without the statement and its values",
        ),
        pytest.param(
            OperationalError("SELECT :recipient", PARAMETERS, Exception()),
            "OperationalError",
            id="a driver without words",
        ),
        pytest.param(ValueError("\n  this\nand that\n"), "this", id="the first line of any other"),
        pytest.param(TimeoutError(), "TimeoutError", id="an error without words"),
        pytest.param(SystemExit("stop"), "stop", id="what is no Exception"),
    ],
)
def test_reason_is_one_line_without_statement_and_values(error: BaseException, said: str) -> None:
    assert reason_of(error) == said
