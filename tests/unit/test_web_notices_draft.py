"""What can be told, and what is wrong with the rest."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from web.notices.draft import Draft, problems, tidy, tidy_line, version
from web.notices.states import first_state

NOON = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
INCIDENT = Draft(title="Mail is delayed", words="We look into it.")
MAINTENANCE = replace(INCIDENT, kind="maintenance", begins_at=NOON + HOUR, ends_at=NOON + 3 * HOUR)


def test_good_ones_have_no_problem() -> None:
    begun = replace(MAINTENANCE, begins_at=NOON - HOUR)

    assert [problems(draft, NOON) for draft in (INCIDENT, MAINTENANCE, begun)] == [{}, {}, {}]


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        pytest.param({"kind": "party"}, ["begins_at", "ends_at", "kind"], id="no kind"),
        pytest.param({"title": ""}, ["title"], id="no title"),
        pytest.param({"title": "x" * 121}, ["title"], id="title too long"),
        pytest.param({"words": ""}, ["words"], id="no words"),
        pytest.param({"words": "x" * 5001}, ["words"], id="too many words"),
        pytest.param({"parts": ["Mail", "Moon"]}, ["parts"], id="no part"),
        pytest.param({"kind": "incident"}, ["begins_at", "ends_at"], id="incident with hours"),
        pytest.param({"begins_at": None}, ["begins_at"], id="no beginning"),
        pytest.param({"ends_at": None}, ["ends_at"], id="no end"),
        pytest.param({"ends_at": NOON + HOUR}, ["ends_at"], id="takes no time"),
        pytest.param({"ends_at": NOON}, ["ends_at"], id="ends before it begins"),
        pytest.param({"begins_at": NOON - HOUR, "ends_at": NOON}, ["ends_at"], id="is over"),
        pytest.param({"ends_at": NOON + timedelta(days=31)}, ["ends_at"], id="takes a month"),
        pytest.param(
            {"begins_at": NOON + timedelta(days=400), "ends_at": NOON + timedelta(days=401)},
            ["begins_at"],
            id="in another year",
        ),
    ],
)
def test_what_is_wrong_is_said_of_its_field(given: dict[str, object], wrong: list[str]) -> None:
    assert sorted(problems(replace(MAINTENANCE, **given), NOON)) == wrong  # type: ignore[arg-type]


def test_text_is_kept_so_that_it_can_be_shown_and_mailed_everywhere() -> None:
    assert tidy(" one\r\ntwo\rthree\x00\x1b\ud800\ufffe ") == "one\ntwo\nthree" + 4 * "\ufffd"
    assert tidy_line("one\r\nBcc: x\t two") == "one Bcc: x two"


def test_first_state_follows_from_the_kind_and_the_hours() -> None:
    states = [
        first_state("incident", None, NOON),
        first_state("maintenance", NOON + HOUR, NOON),
        first_state("maintenance", NOON, NOON),
    ]

    assert states == ["investigating", "planned", "under_way"]


def test_version_differs_with_all_that_was_filled_in_and_with_nothing_else() -> None:
    others = [
        replace(MAINTENANCE, kind="incident"),
        replace(MAINTENANCE, title="x"),
        replace(MAINTENANCE, words="x"),
        replace(MAINTENANCE, parts=["Mail"]),
        replace(MAINTENANCE, begins_at=NOON),
        replace(MAINTENANCE, ends_at=None),
    ]
    in_paris = NOON.astimezone(timezone(HOUR))

    assert len({version(one) for one in [MAINTENANCE, *others]}) == 7
    assert version(replace(MAINTENANCE, begins_at=in_paris)) == version(
        replace(MAINTENANCE, begins_at=NOON)
    )
    assert version(replace(INCIDENT, parts=["Mail", "Edge"])) == version(
        replace(INCIDENT, parts=("Edge", "Mail"))
    )
