"""PostgreSQL as the worker meets it: its programs on a leash, sessions, servers of our own."""
