"""The database's log, received as it is written: from a base backup it leads to any instant."""
