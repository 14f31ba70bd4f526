import json
from datetime import UTC, datetime

import pytest

from backup.catalogue.manifest import Fingerprint, Manifest, Origin, Table
from backup.content.fingerprint import differences, with_sequences_between
from backup.errors import DamagedError
from backup.operator import listing
from backup.taking.proof import require_equal

ROWS = Table(rows=2, hashes="12")


def a_fingerprint(*, rows: Table | None = ROWS, sequence: int = 5) -> Fingerprint:
    tables = {} if rows is None else {"public.t": rows}
    return Fingerprint(tables=tables, sequences={"public.s": sequence})


@pytest.mark.parametrize(
    ("found", "told"),
    [
        pytest.param(a_fingerprint(), [], id="equal"),
        pytest.param(
            a_fingerprint(rows=Table(rows=2, hashes="13")),
            ["public.t: 2 rows with the sum 12 expected, 2 rows with the sum 13 found"],
            id="a value differs",
        ),
        pytest.param(
            a_fingerprint(rows=None),
            ["public.t: 2 rows with the sum 12 expected, nothing found"],
            id="a table is missing",
        ),
        pytest.param(
            a_fingerprint(sequence=4), ["public.s: 5 expected, 4 found"], id="a sequence is behind"
        ),
    ],
)
def test_every_difference_is_named(found: Fingerprint, told: list[str]) -> None:
    assert differences(a_fingerprint(), found) == told


def test_table_that_nobody_expected_is_a_difference() -> None:
    assert differences(a_fingerprint(rows=None), a_fingerprint()) == [
        "public.t: nothing expected, 2 rows with the sum 12 found"
    ]


@pytest.mark.parametrize(
    ("expected", "found", "equal"),
    [
        pytest.param("ab", "ab", True, id="the same definitions"),
        pytest.param("ab", "cd", False, id="others"),
        pytest.param("", "cd", True, id="unknown ones are not compared"),
    ],
)
def test_definitions_are_compared_where_both_are_known(
    expected: str, found: str, equal: bool
) -> None:
    one = a_fingerprint().model_copy(update={"schema_sha256": expected})
    other = a_fingerprint().model_copy(update={"schema_sha256": found})

    assert (differences(one, other) == []) is equal


def test_difference_is_damage() -> None:
    with pytest.raises(DamagedError, match=r"it is not what was dumped: .* \(1 differences\)"):
        require_equal(a_fingerprint(), a_fingerprint(sequence=4), "it")


@pytest.mark.parametrize(
    ("later", "found", "equal"),
    [
        pytest.param(5, 5, True, id="nobody drew a number"),
        pytest.param(9, 7, True, id="dumped between the looks"),
        pytest.param(9, 9, True, id="dumped at the second look"),
        pytest.param(9, 4, False, id="behind the first look"),
        pytest.param(9, 10, False, id="beyond the second"),
        pytest.param(-9, -2, True, id="one that counts down"),
    ],
)
def test_sequence_is_where_others_left_it_while_dumping(
    later: int, found: int, equal: bool
) -> None:
    restored = a_fingerprint(sequence=found)

    expected = with_sequences_between(a_fingerprint(), {"public.s": later}, restored.sequences)

    assert (differences(expected, restored) == []) is equal


def test_sequence_that_is_lost_is_a_difference() -> None:
    expected = with_sequences_between(a_fingerprint(), {"public.s": 9}, {})

    assert expected == a_fingerprint()


def a_manifest(**given: object) -> Manifest:
    three = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
    values: dict[str, object] = {
        "id": "20261122-030000",
        "started_at": three,
        "finished_at": three,
        "state": "proven",
        "bytes": 1_234_567,
        "bytes_stored": 2000,
        "steps": {"dump": 1.5},
        "copies": {"local": {"snapshot": "ab", "stored_at": three}},
        "origin": Origin(database="keelson", server_version="17.6", roles=[], grants=[]),
        "fingerprint": a_fingerprint(),
    }
    return Manifest.model_validate(values | given)


def test_list_has_the_newest_first() -> None:
    older, newer = a_manifest(id="20261121-030000"), a_manifest()

    lines = listing.as_text([older, newer]).splitlines()

    assert lines == [
        "ID               STARTED (UTC)        STATE        SIZE  TABLES        ROWS  LIES AT",
        "20261122-030000  2026-11-22 03:00:00  proven     1.2 MB       1           2  local",
        "20261121-030000  2026-11-22 03:00:00  proven     1.2 MB       1           2  local",
    ]


def test_list_for_programs_is_json() -> None:
    listed = listing.as_object(a_manifest())

    assert json.loads(json.dumps(listed)) == {
        "id": "20261122-030000",
        "state": "proven",
        "started_at": "2026-11-22T03:00:00Z",
        "finished_at": "2026-11-22T03:00:00Z",
        "verified_at": None,
        "bytes": 1_234_567,
        "bytes_stored": 2000,
        "steps": {"dump": 1.5},
        "copies": {"local": {"snapshot": "ab", "stored_at": "2026-11-22T03:00:00Z"}},
        "tables": 1,
        "rows": 2,
    }


@pytest.mark.parametrize(
    ("count", "size"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (2_500_000_000, "2.5 GB"),
        (10**16, "10000.0 TB"),
    ],
)
def test_size_is_readable(count: int, size: str) -> None:
    assert listing.size(count) == size
