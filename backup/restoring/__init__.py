"""Putting back: a database, a table, an instant; and the way back from that."""
