"""A database's content as numbers that are equal where, and only where, the content is.

Per table the number of rows and the sum of each row's 64-bit hash, which no order of rows changes;
a sum, as pairs of equal rows would cancel in an exclusive or. Read in one snapshot, so that the
restored dump of that very snapshot must match it exactly, whatever was written meanwhile.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, func, select, text

from backup.catalogue.manifest import Fingerprint, Table

# How values are written as text must not depend on which server or role is asked.
PLAIN_TEXT = {
    "search_path": "",
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "statement_timeout": "0",
}

# Not those of extensions: CREATE EXTENSION makes them, and no dump has their content.
TABLES = text("""
    SELECT format('%I.%I', nspname, relname)
      FROM pg_class AS c
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE relkind = 'r' AND relpersistence <> 't'
       AND nspname <> 'information_schema' AND nspname !~ '^pg_'
       AND NOT EXISTS (SELECT FROM pg_depend
                        WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
  ORDER BY 1
""")

# One that was never used counts as a step before its start. One that cycles has no order to check.
SEQUENCES = text("""
    SELECT format('%I.%I', schemaname, sequencename),
           coalesce(last_value, start_value - increment_by)
      FROM pg_sequences
     WHERE NOT cycle
  ORDER BY 1
""")


def write_plain_text(connection: Connection) -> None:
    """Have values written the same way everywhere, until the end of the transaction."""
    for setting, value in PLAIN_TEXT.items():
        connection.execute(select(func.set_config(setting, value, True)))


def names(connection: Connection) -> Sequence[str]:
    """Return the tables that have content, quoted as SQL wants them."""
    return connection.scalars(TABLES).all()


def hold(connection: Connection) -> None:
    """Keep all tables as they are until the end of the transaction: rewritten ones would be empty in its snapshot."""
    if found := names(connection):
        lock = f"LOCK TABLE ONLY {', ONLY '.join(found)} IN ACCESS SHARE MODE"
        connection.exec_driver_sql(lock, execution_options={"no_parameters": True})


def tables(connection: Connection, wanted: Iterable[str]) -> dict[str, Table]:
    """Return the content of these tables, once plain text is written."""
    return {name: table(connection, name) for name in wanted}


def sequences(connection: Connection) -> dict[str, int]:
    """Return where each sequence is now: they obey no snapshot, not ours and not pg_dump's."""
    return {name: value for name, value in connection.execute(SEQUENCES)}  # noqa: C416 rows to pairs


def table(connection: Connection, name: str, part: str = "true") -> Table:
    """Return the content of one table, or of the rows of `t` that a condition names."""
    # t.* and not t, which would be a column of that name where there is one
    sums = "count(*), coalesce(sum(hashtextextended((t.*)::text, 0)), 0)"
    query = f"SELECT {sums} FROM ONLY {name} AS t WHERE {part}"  # noqa: S608 the server has quoted the name
    found = connection.exec_driver_sql(query, execution_options={"no_parameters": True}).one()
    return Table(rows=found[0], hashes=str(found[1]))


def differences(expected: Fingerprint, found: Fingerprint) -> list[str]:
    """Return a line for each table and sequence that is not as expected; none means equal."""
    content = _between(expected.tables, found.tables)
    content += _between(expected.sequences, found.sequences)
    both = expected.schema_sha256 and found.schema_sha256
    if both and expected.schema_sha256 != found.schema_sha256:
        content.append("the definitions: tables, constraints, owners or grants are others")
    return content


def _between(expected: Mapping[str, object], found: Mapping[str, object]) -> list[str]:
    names = sorted(expected.keys() | found.keys())
    return [
        f"{name}: {_said(expected.get(name))} expected, {_said(found.get(name))} found"
        for name in names
        if expected.get(name) != found.get(name)
    ]


def _said(value: object) -> str:
    if value is None:
        return "nothing"
    return (
        f"{value.rows} rows with the sum {value.hashes}" if isinstance(value, Table) else str(value)
    )


def with_sequences_between(
    expected: Fingerprint, later: Mapping[str, int], found: Mapping[str, int]
) -> Fingerprint:
    """Return what to expect: each sequence where it was found, if that lies between both looks.

    Others may draw numbers while the dump is written, so only the two ends are known.
    """
    within = {
        name: found[name]
        if name in found and _lies(found[name], start, later.get(name, start))
        else start
        for name, start in expected.sequences.items()
    }
    return expected.model_copy(update={"sequences": within})


def _lies(value: int, one: int, other: int) -> bool:
    return min(one, other) <= value <= max(one, other)
