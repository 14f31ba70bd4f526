import re
from argparse import ArgumentParser

import pytest

from mailer.operator import verbs
from tests.conftest import ROOT

WITH_A_NAME = {"show", "suppress", "unsuppress", "test"}


def parser() -> tuple[ArgumentParser, list[str]]:
    root = ArgumentParser()
    added = root.add_subparsers(required=True)
    verbs.add_parsers(added)
    return root, list(added.choices)


NAMES = parser()[1]


@pytest.mark.parametrize("name", NAMES)
def test_every_verb_answers_programs_too(name: str) -> None:
    words = [name, *(["something"] if name in WITH_A_NAME else []), "--json"]

    arguments = parser()[0].parse_args(words)

    assert arguments.json
    assert arguments.verb == name
    assert callable(arguments.do)


@pytest.mark.parametrize(
    "words",
    [
        ["nothing"],
        ["list", "--state", "lost"],
        ["list", "--limit", "few"],
        ["retry", "--state", "sent"],
        ["show"],
    ],
    ids=" ".join,
)
def test_what_no_verb_takes_is_told_with_2(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parser()[0].parse_args(words)

    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_every_verb_is_in_the_runbook() -> None:
    runbook = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

    assert [name for name in NAMES if not re.search(rf"`{name}\b", runbook)] == []


def test_every_mail_target_of_make_is_a_verb() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    targets = re.findall(r"^mail-([a-z]+): .*\n\t@\$\(MAIL\) ([a-z]+)", makefile, re.MULTILINE)

    assert len(targets) == len(re.findall(r"^mail-", makefile, re.MULTILINE)) == 10
    assert all(target == verb and verb in NAMES for target, verb in targets)
