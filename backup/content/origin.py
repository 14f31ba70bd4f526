"""What has to exist around the database for its dump to be restored, and is not in the dump."""

from sqlalchemy import Connection, text

from backup.catalogue.manifest import Grant, Origin

HERE = text("SELECT current_database(), current_setting('server_version')")
ROLES = text("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1")
GRANTS = text("""
    SELECT rolname, privilege_type
      FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba)))
 LEFT JOIN pg_roles AS r ON r.oid = grantee  -- none for PUBLIC, which is 0
     WHERE datname = current_database()
  ORDER BY 1, 2
""")


def read(connection: Connection) -> Origin:
    """Return it for the database that this connection is to."""
    database, version = connection.execute(HERE).one()
    grants = [
        Grant(role=role, privilege=privilege) for role, privilege in connection.execute(GRANTS)
    ]
    roles = list(connection.scalars(ROLES))
    return Origin(database=database, server_version=version, roles=roles, grants=grants)
