import json
from typing import Any

import pytest

from backup.__main__ import parser
from backup.schedule.answers import Output, UnknownJobError, answer_of, command
from common.jobs import Job


@pytest.mark.parametrize(
    ("verb", "arguments", "line"),
    [
        pytest.param("take", {}, ["take", "--json", "--job=7"], id="a backup"),
        pytest.param(
            "verify",
            {"id": "20261122-120000", "target": "sftp-2"},
            ["verify", "--json", "--job=7", "--target=sftp-2", "--", "20261122-120000"],
            id="one that is named, from a target that is named",
        ),
        pytest.param(
            "verify",
            {"id": None, "target": ""},
            ["verify", "--json", "--job=7"],
            id="nothing is nothing",
        ),
        pytest.param(
            "prune",
            {"dry_run": True},
            ["prune", "--json", "--job=7", "--dry-run"],
            id="a switch has no value",
        ),
        pytest.param(
            "schema-diff",
            {"other": "b", "one": "--output=/etc/x"},
            ["schema-diff", "--json", "--job=7", "--", "--output=/etc/x", "b"],
            id="what looks like an option is none",
        ),
    ],
)
def test_a_job_is_a_line_that_the_worker_understands(
    verb: str, arguments: dict[str, Any], line: list[str]
) -> None:
    assert command(Job(7, verb, arguments)) == line
    assert parser().parse_args(line).job == 7


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        (Job(7, "restore", {}), "backup knows no restore"),
        (Job(7, "take", {"scheduled": True}), "take takes no scheduled"),
    ],
)
def test_what_is_not_for_jobs_is_refused(job: Job, reason: str) -> None:
    with pytest.raises(UnknownJobError, match=reason):
        command(job)


def test_answer_is_the_verbs_own_document() -> None:
    output = Output(0, '{"id": "20261122-120000"}\n', "on the way\n")

    assert answer_of("verify", output) == ({"id": "20261122-120000"}, True)


@pytest.mark.parametrize(
    ("code", "document", "errors", "reason"),
    [
        pytest.param(65, {"error": "damaged", "code": 65}, "", "damaged", id="its own error"),
        pytest.param(69, {"troubles": {"s3": "away"}}, "", "away", id="a target was left out"),
        pytest.param(
            65,
            [{"passed": True, "detail": "x"}, {"passed": False, "detail": "bad"}],
            "",
            "bad",
            id="a drill did not pass",
        ),
        pytest.param(78, None, "a\nDATABASE_URL: not set\n", "DATABASE_URL: not set", id="words"),
        pytest.param(-9, None, "", "take has ended without a word", id="it was killed"),
        pytest.param(0, None, "", "take has ended without a word", id="it never began"),
    ],
)
def test_a_failure_has_a_reason_and_a_code(
    code: int, document: object, errors: str, reason: str
) -> None:
    out = json.dumps(document) if document is not None else "not JSON"

    answer, done = answer_of("take", Output(code, out, errors))

    assert (answer["error"], answer["code"], done) == (reason, code, False)


def test_code_zero_is_left_out_of_the_answer() -> None:
    assert answer_of("schema-diff", Output(0, '{"patch": "a\\u0000b"}', "")) == (
        {"patch": "ab"},
        True,
    )
