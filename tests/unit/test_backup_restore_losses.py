from datetime import UTC, datetime, timedelta

from backup.catalogue.manifest import Table
from backup.postgres.databases import Connected
from backup.restoring.losses import Losses, Rows

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def losses(
    rows: dict[str, Rows] | None = None, then: dict[str, Table] | None = None, *who: Connected
) -> Losses:
    return Losses("keelson", NOON, NOON + timedelta(minutes=90), rows or {}, then, who)


def table(rows: int) -> Table:
    return Table(rows=rows, hashes="0")


def test_the_time_that_is_lost_is_told_from_beginning_to_end() -> None:
    warning = losses().warning("backup X", None)

    assert "goes back to 2026-11-22 12:00:00 UTC, 1 h 30 min ago (backup X)." in warning
    assert "since then, until now (2026-11-22 13:30:00 UTC), will be gone" in warning


def test_tables_that_have_changed_are_told_and_others_are_not() -> None:
    now = {
        "public.same": Rows(4, exact=True),
        "public.grown": Rows(9, exact=True),
        "public.large": Rows(3_000_000, exact=False),
        "public.new": Rows(2, exact=True),
    }
    then = {
        "public.same": table(4),
        "public.grown": table(7),
        "public.large": table(2_999_000),
        "public.dropped": table(1),
    }

    lines = [line.strip() for line in losses(now, then).warning("", None).splitlines()[2:6]]

    assert lines == [
        "public.dropped: not there now, 1 rows then",
        "public.grown: 9 rows now, 7 rows then",
        "public.large: about 3000000 rows now, 2999000 rows then",
        "public.new: 2 rows now, none of it then",
    ]


def test_a_long_list_of_tables_is_cut_short() -> None:
    then = {f"public.t{number:02}": table(1) for number in range(15)}

    assert "  and 3 more tables" in losses({}, then).warning("", None)


def test_of_an_instant_no_rows_are_known_before_it_is_recovered() -> None:
    assert " now, " not in losses({"public.t": Rows(1, exact=True)}, None).warning("", None)


def test_who_is_connected_is_told_by_application_and_role() -> None:
    both = [Connected("mailer", "keelson_mailer", 2), Connected("web", "keelson_web", 5)]

    warning = losses({}, {}, *both).warning("", None)

    assert "Connected: mailer (keelson_mailer) 2x, web (keelson_web) 5x." in warning
    assert "Connected: nobody." in losses().warning("", None)


def test_the_room_that_the_old_database_goes_on_to_take_is_told() -> None:
    assert "needs room for about 1500 MB more" in losses().warning("", 1_500_000_000)
